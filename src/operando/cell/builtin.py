"""The published cells, and cells that users describe."""

from __future__ import annotations

from pathlib import Path

from operando.cell.model import Cell
from operando.described import read_description
from operando.errors import InputError

_FOLDER = Path(__file__).parent / "data"

BUILTIN = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))
"""Names of the cells that come with the package."""


def load_cell(name_or_path: str | Path) -> Cell:
    """Read a built-in cell by its name, or a user's own from a TOML file.

    Raises
    ------
    FileError, InputError
        If there is no such cell or file, or its description is not as it must be.
    """
    if str(name_or_path) in BUILTIN:
        return read_description(_FOLDER / f"{name_or_path}.toml", Cell)
    path = Path(name_or_path)
    if path.suffix != ".toml":
        raise InputError("cell", must=f"one of {', '.join(BUILTIN)} or the path of a .toml file", received=str(path))
    return read_description(path, Cell)
