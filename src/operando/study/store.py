"""Results that survive a kill: one Zarr group per unit of work, complete or absent, with checksummed chunks."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from operando.errors import FileError

if TYPE_CHECKING:
    import xarray as xr

FINGERPRINT = "operando_fingerprint"


@dataclass(frozen=True)
class Store:
    """A Zarr folder whose groups are written beside and renamed, so that a group that exists is whole.

    Attributes
    ----------
    root:
        The folder, by custom ``study.zarr``.
    """

    root: Path

    def write(self, group: str, dataset: xr.Dataset, *, fingerprint: str) -> None:
        """Store `dataset` as `group`, replacing what was there, with the fingerprint of what it was made from."""
        from zarr.codecs import ZstdCodec

        target, beside = self.root / group, self.root / f"{group}.writing"
        beside.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(beside, ignore_errors=True)
        encoding: dict[Any, dict[str, Any]] = {
            name: {"compressors": (ZstdCodec(level=1, checksum=True),), "write_empty_chunks": True}
            for name in dataset.variables
        }
        marked = dataset.assign_attrs({FINGERPRINT: fingerprint}).drop_encoding()
        marked.to_zarr(beside, mode="w", zarr_format=3, consolidated=False, encoding=encoding)
        _put_in_place(beside, target)

    def holds(self, group: str, *, fingerprint: str) -> bool:
        """Whether `group` is there, made from what `fingerprint` stands for."""
        metadata = self.root / group / "zarr.json"
        try:
            attributes = json.loads(metadata.read_text(encoding="utf-8"))["attributes"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return bool(attributes.get(FINGERPRINT) == fingerprint)

    def read(self, group: str) -> xr.Dataset:
        """Load `group` whole.

        Raises
        ------
        FileError
            If it is not there, a chunk is missing, or a chunk's checksum does not hold.
        """
        import xarray as xr
        import zarr

        path = self.root / group
        if not path.is_dir():
            raise FileError(path, problem="no such result", remedy="Run the study again.")
        try:
            for name, array in zarr.open_group(path, mode="r").arrays():
                if array.nchunks_initialized != array.nchunks:
                    raise FileError(path / name, problem="a chunk is missing", remedy=_remedy(path))
            with xr.open_zarr(path, consolidated=False, chunks=None) as dataset:
                loaded: xr.Dataset = dataset.load()
        except FileError:
            raise
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            raise FileError(path, problem=f"damaged ({error})", remedy=_remedy(path)) from error
        loaded.attrs.pop(FINGERPRINT, None)
        return loaded

    def verify(self) -> list[FileError]:
        """Read every group and return what is wrong with them."""
        problems = []
        for metadata in sorted(self.root.rglob("zarr.json")):
            if json.loads(metadata.read_text(encoding="utf-8")).get("node_type") != "group":
                continue
            try:
                self.read(str(metadata.parent.relative_to(self.root)))
            except FileError as problem:
                problems.append(problem)
        return problems


def fingerprint_of(*parts: Any) -> str:
    """Digest of plain values, pydantic models and paths of input files (by name, size and time of change)."""
    return hashlib.sha256(json.dumps(parts, default=_plain, sort_keys=True).encode()).hexdigest()[:20]


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        files = sorted(path for path in value.rglob("*") if path.is_file()) if value.is_dir() else [value]
        return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="python")
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"no fingerprint for {type(value).__name__}")


def _put_in_place(beside: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    beside.replace(target)


def _remedy(path: Path) -> str:
    return f"Delete {path.name} and run the study again; only what is missing is computed."
