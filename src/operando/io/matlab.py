"""Numeric arrays out of MATLAB files: version 5 by scipy, version 7.3 by HDF5."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from operando.errors import FileError
from operando.io.hdf5 import MAX_COMPRESSION, dataset, is_hdf5, opened
from operando.io.recorded import Array, reading

_HEADER = 128
"""Bytes before the first element of a file of version 5."""

_NUMERIC = {
    **{f"{sign}int{bits}": bits // 8 for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "double": 8,
    "single": 4,
    "logical": 1,
}
"""MATLAB's classes that hold numbers, and the bytes of each."""


def matlab_arrays(path: Path) -> tuple[str, ...]:
    """Names of the numeric arrays that a file holds.

    Raises
    ------
    FileError
        If the file is missing, damaged or no MATLAB file.
    """
    return tuple(_contents(path))


def read_matlab(path: Path, *names: str) -> tuple[Array, ...]:
    """Read arrays by name, with MATLAB's rows and columns.

    HDF5 stores MATLAB's columns one after the other and lists dimensions in reverse; here the first index is the row
    in both versions, as MATLAB prints it.

    Raises
    ------
    FileError
        If the file is missing, damaged, no MATLAB file, or lacks an array.
    """
    held = _contents(path)
    for name in names:
        if name not in held:
            there = ", ".join(held) or "none"
            raise FileError(path, problem=f"has no array {name}", remedy=f"Arrays of numbers there: {there}.")
    if is_hdf5(path):
        with opened(path) as file:
            return tuple(np.asarray(dataset(file, name)[()]).T for name in names)
    size = path.stat().st_size
    for name in names:
        # a damaged header may claim more than any memory holds
        if held[name] > MAX_COMPRESSION * size:
            raise FileError(path, problem=f"{name} claims {held[name]} bytes", remedy="Copy it again.")
    loaded = _version_5(path, names)
    return tuple(np.asarray(loaded[name]) for name in names)


def _contents(path: Path) -> dict[str, int]:
    """Name and size of each numeric array [byte]."""
    if is_hdf5(path):
        with opened(path) as file:
            arrays = {name: file.get(name, getlink=True) for name in file if not name.startswith("#")}
            whole = [name for name, link in arrays.items() if isinstance(link, h5py.HardLink)]
            found = {name: file[name] for name in whole}
            return {
                name: int(item.nbytes)
                for name, item in found.items()
                if isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf" and "MATLAB_empty" not in item.attrs
            }
    return {
        name: int(np.prod(shape, dtype=object)) * _NUMERIC[kind]
        for name, shape, kind in _listed_version_5(path)
        if kind in _NUMERIC
    }


def _listed_version_5(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    from scipy.io import whosmat

    if not path.is_file() or path.stat().st_size == 0:
        problem = "empty" if path.is_file() else "there is no such file"
        raise FileError(path, problem=problem, remedy="Check the path.")
    _check_whole(path)
    with _complaining(path):
        return [(str(name), tuple(shape), str(kind)) for name, shape, kind in whosmat(path, appendmat=False)]


def _check_whole(path: Path) -> None:
    """Refuse a file whose elements do not fill it: each says its length, and the last ends where the file does."""
    size = path.stat().st_size
    with reading(path), path.open("rb") as file:
        header = file.read(_HEADER)
        order = {b"IM": "<", b"MI": ">"}.get(header[126:128])
        if order is None:
            raise FileError(path, problem="is no MATLAB file of version 5 or 7.3", remedy="Save it with -v7 or -v7.3.")
        end = _HEADER
        while end < size:
            file.seek(end)
            _, length = struct.unpack(f"{order}II", file.read(8))
            end += 8 + length
    if end != size:
        raise FileError(path, problem=f"cut short: {size} bytes of {end}", remedy="Copy it again from the instrument.")


def _version_5(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    from scipy.io import loadmat

    with _complaining(path):
        loaded: dict[str, Array] = loadmat(path, appendmat=False, variable_names=list(names))
        missing = [name for name in names if name not in loaded]
    if missing:
        raise FileError(path, problem=f"{missing[0]} cannot be read", remedy="Copy it again from the instrument.")
    return loaded


@contextmanager
def _complaining(path: Path) -> Iterator[None]:
    """Turn what scipy raises or warns about on a damaged file into a `FileError`."""
    from scipy.io.matlab import MatReadError, MatReadWarning

    try:
        with reading(path), warnings.catch_warnings():
            warnings.simplefilter("error", MatReadWarning)
            yield
    except (MatReadError, MatReadWarning) as error:
        raise FileError(path, problem=f"damaged ({error})", remedy="Copy it again from the instrument.") from error
