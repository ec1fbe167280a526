"""Reading HDF5 files that nobody vouches for: nothing outside the file, nothing larger than the file can hold."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from operando.errors import FileError, UnitError
from operando.io.recorded import Array, reading
from operando.units import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TEXT = 10_000
"""Longest text read [byte]."""

MAX_COMPRESSION = 1100
"""The most that any of HDF5's own filters shrinks a chunk; a larger claim is not backed by the file."""

_MAX_LINKS = 8
_COMPRESSING = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SZIP, h5py.h5z.FILTER_NBIT, h5py.h5z.FILTER_SCALEOFFSET}
_FIRST_PLUGIN = 256
"""Filters from this number on are registered by others; most of them compress."""


def is_hdf5(path: Path) -> bool:
    """Tell whether a file is HDF5 at all; what it holds is checked on reading."""
    return path.is_file() and bool(h5py.is_hdf5(path))


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading; whatever HDF5 raises inside becomes a `FileError`."""
    if not path.is_file():
        raise FileError(path, problem="there is no such file", remedy="Check the path.")
    if path.stat().st_size == 0:
        raise FileError(path, problem="empty", remedy="Copy it again from the instrument.")
    with reading(path), h5py.File(path, "r") as file:
        yield file


def found(parent: h5py.Group, key: str, depth: int = 0) -> h5py.Group | h5py.Dataset | None:
    """Look up `key` step by step without ever following a link out of the file; None where there is nothing."""
    path = parent.file.filename
    here = parent.file["/"] if key.startswith("/") else parent
    for name in filter(None, key.split("/")):
        link = here.get(name, getlink=True) if isinstance(here, h5py.Group) else None
        if link is None:
            return None
        if isinstance(link, h5py.ExternalLink):
            raise FileError(
                path, problem=f"{key} lies in another file", remedy="Copy what it links to into one file (h5copy)."
            )
        if isinstance(link, h5py.SoftLink):
            if depth >= _MAX_LINKS:
                raise FileError(path, problem=f"{key} is linked in a circle", remedy="Mend the links.")
            here = found(here, link.path, depth + 1)
        else:
            here = here[name]
    return here


def dataset(parent: h5py.Group, key: str) -> h5py.Dataset:
    """Look up a dataset that must be there, checked by `check_backed`."""
    item = found(parent, key)
    if not isinstance(item, h5py.Dataset):
        problem = f"{where(parent, key)} is missing"
        raise FileError(parent.file.filename, problem=problem, remedy="docs/formats.md says what belongs there.")
    check_backed(item)
    return item


def where(parent: h5py.Group, key: str) -> str:
    """Full name of `key` for people."""
    return f"{parent.name or ''}/{key}".strip("/")


def check_backed(item: h5py.Dataset) -> None:
    """Refuse a dataset whose values lie outside the file, or that claims more bytes than the file backs.

    A missing chunk would read as zeros without a word, so every chunk has to be there. Numbers are whole integers or
    those of IEEE 754: the description of a number has no checksum, and a flipped bit of it changes every value.
    """
    path, size = item.file.filename, Path(item.file.filename).stat().st_size
    plist = item.id.get_create_plist()
    if item.is_virtual or plist.get_external_count():
        raise FileError(
            path, problem=f"the values of {item.name} lie in another file", remedy="Copy them in (h5repack, h5copy)."
        )
    if item.dtype.kind in "iuf" and item.id.get_type() != h5py.h5t.py_create(item.dtype):
        problem = f"the numbers of {item.name} are of no kind that instruments write"
        raise FileError(path, problem=problem, remedy="Copy it again: the file is damaged.")
    stored = item.id.get_storage_size()
    filters = {plist.get_filter(i)[0] for i in range(plist.get_nfilters())}
    if item.size and plist.get_layout() == h5py.h5d.CHUNKED:
        wanted = int(np.prod([-(-n // c) for n, c in zip(item.shape, item.chunks, strict=True)], dtype=object))
        if item.id.get_num_chunks() < wanted:
            missing = wanted - item.id.get_num_chunks()
            problem = f"{missing} of {wanted} chunks of {item.name} were never written"
            raise FileError(path, problem=problem, remedy="Was the writer interrupted? Copy it again.")
        whole = int(np.prod(item.chunks)) * item.dtype.itemsize
        chunks = (item.id.get_chunk_info(i) for i in range(wanted))
        if any(chunk.filter_mask and chunk.size < whole for chunk in chunks):
            # compressed, and said not to be: a damaged index, which has no checksum
            problem = f"a chunk of {item.name} is not as long as it says"
            raise FileError(path, problem=problem, remedy="Copy it again: the file is damaged.")
    shrink = MAX_COMPRESSION if filters & _COMPRESSING or max(filters, default=0) >= _FIRST_PLUGIN else 1
    if stored > size or _claimed(item) > stored * shrink:
        raise FileError(
            path,
            problem=f"{item.name} claims {_claimed(item)} bytes, more than a file of {size} bytes can back",
            remedy="Copy it again from the instrument.",
        )


def _claimed(item: h5py.Dataset) -> int:
    return int(np.prod(item.shape, dtype=object)) * int(item.dtype.itemsize) if item.shape is not None else 0


def text(parent: h5py.Group, key: str) -> str | None:
    """Read one text; None where there is none."""
    if found(parent, key) is None:
        return None
    item = dataset(parent, key)
    if item.size != 1 or h5py.check_string_dtype(item.dtype) is None or item.dtype.itemsize > MAX_TEXT:
        raise FileError(parent.file.filename, problem=f"{where(parent, key)} is no text", remedy="Write one line.")
    return str(np.asarray(item.asstr()[()]).reshape(-1)[0])[:MAX_TEXT].strip()


def numbers(parent: h5py.Group, key: str, *, count: int | None = None) -> Array:
    """Read a list of numbers, one a frame where `count` frames are expected."""
    item = dataset(parent, key)
    problem = ""
    if item.dtype.kind not in "iuf":
        problem = f"{where(parent, key)} holds no numbers"
    elif count is not None and item.size != count:
        problem = f"{where(parent, key)} holds {item.size} values for {count} frames"
    if problem:
        raise FileError(parent.file.filename, problem=problem, remedy="One value belongs to each frame.")
    return np.asarray(item[()]).reshape(-1)


def number(parent: h5py.Group, key: str) -> float | None:
    """Read one plain number; None where there is none."""
    return None if found(parent, key) is None else float(numbers(parent, key, count=1)[0])


def length(parent: h5py.Group, key: str) -> float | None:
    """Read a length [m] with its ``units`` attribute; None where there is none.

    Raises
    ------
    FileError
        If the unit is missing, is no length, or the value is not finite.
    """
    value = number(parent, key)
    if value is None:
        return None
    metres = value * scale(dataset(parent, key), unit="m")
    if not np.isfinite(metres):
        raise FileError(parent.file.filename, problem=f"{where(parent, key)} is {metres}", remedy="State a length.")
    return metres


def scale(item: h5py.Dataset, *, unit: str) -> float:
    """Factor that turns the values of `item` into `unit`, from its ``units`` attribute."""
    given: Any = item.attrs.get("units")
    given = given.decode("utf-8", "replace") if isinstance(given, bytes) else given
    path, remedy = item.file.filename, f'Set its attribute "units", for example to "{unit}".'
    if not isinstance(given, str) or not given:
        raise FileError(path, problem=f"{item.name} has no units", remedy=remedy)
    try:
        return quantity(f"1 {given}", unit=unit, name=item.name)
    except UnitError as error:
        raise FileError(path, problem=f'{item.name} has units "{given[:40]}", not {unit}', remedy=remedy) from error
