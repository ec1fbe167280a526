"""Numeric arrays out of MATLAB files: version 5 by our own reader, version 7.3 by HDF5."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from operando.errors import FileError
from operando.io.hdf5 import dataset, is_hdf5, opened
from operando.io.matlab_5 import array_of_matrix, numeric_matrices
from operando.io.recorded import Array


def matlab_arrays(path: Path) -> tuple[str, ...]:
    """Names of the numeric arrays that a file holds.

    Raises
    ------
    FileError
        If the file is missing, damaged or no MATLAB file.
    """
    if is_hdf5(path):
        return _in_hdf5(path)
    return tuple(numeric_matrices(path))


def read_matlab(path: Path, *names: str) -> tuple[Array, ...]:
    """Read arrays by name, with MATLAB's rows and columns.

    HDF5 stores MATLAB's columns one after the other and lists dimensions in reverse; here the first index is the row
    in both versions, as MATLAB prints it.

    Raises
    ------
    FileError
        If the file is missing, damaged, no MATLAB file, or lacks an array.
    """
    if is_hdf5(path):
        _check_held(path, names, _in_hdf5(path))
        with opened(path) as file:
            return tuple(np.asarray(dataset(file, name)[()]).T for name in names)
    held = numeric_matrices(path)
    _check_held(path, names, tuple(held))
    return tuple(array_of_matrix(path, held[name]) for name in names)


def _check_held(path: Path, names: tuple[str, ...], held: tuple[str, ...]) -> None:
    for name in names:
        if name not in held:
            there = ", ".join(held) or "none"
            raise FileError(path, problem=f"has no array {name}", remedy=f"Arrays of numbers there: {there}.")


def _in_hdf5(path: Path) -> tuple[str, ...]:
    """Names of the arrays of numbers."""
    with opened(path) as file:
        links = {name: file.get(name, getlink=True) for name in file if not name.startswith("#")}
        found = {name: file[name] for name, link in links.items() if isinstance(link, h5py.HardLink)}
        return tuple(
            name
            for name, item in found.items()
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf" and "MATLAB_empty" not in item.attrs
        )
