"""The published cells, and cells that users describe."""

from __future__ import annotations

from pathlib import Path

from operando.cell.model import Cell
from operando.cell.scene import Scene
from operando.described import Model, read_description
from operando.errors import InputError

_CELLS, _SCENES = (Path(__file__).parent / folder for folder in ("data", "scenes"))

BUILTIN, BUILTIN_SCENES = (tuple(sorted(path.stem for path in folder.glob("*.toml"))) for folder in (_CELLS, _SCENES))
"""Names of the cells and of the scenes that come with the package."""


def load_cell(name_or_path: str | Path) -> Cell:
    """Read a built-in cell by its name, or a user's own from a TOML file.

    Raises
    ------
    FileError, InputError
        If there is no such cell or file, or its description is not as it must be.
    """
    return _load(name_or_path, "cell", Cell, _CELLS, BUILTIN)


def load_scene(name_or_path: str | Path) -> Scene:
    """Read a built-in scene by its name, or a user's own from a TOML file; refusals as in `load_cell`."""
    return _load(name_or_path, "scene", Scene, _SCENES, BUILTIN_SCENES)


def _load(name_or_path: str | Path, what: str, model: type[Model], folder: Path, names: tuple[str, ...]) -> Model:
    if str(name_or_path) in names:
        return read_description(folder / f"{name_or_path}.toml", model)
    path = Path(name_or_path)
    if path.suffix != ".toml":
        raise InputError(what, must=f"one of {', '.join(names)} or the path of a .toml file", received=str(path))
    return read_description(path, model)
