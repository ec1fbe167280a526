"""Magnetic measurements in any format that is known: one way to read a field map, one to read a cube of spectra."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from operando.errors import FileError
from operando.io.array_grid import cube_from_arrays, map_from_arrays, read_hdf5_arrays, read_npz
from operando.io.field_map import read_map
from operando.io.grid import Stated, check_field, check_sweep
from operando.io.hdf5 import is_hdf5, opened, text
from operando.io.qdm import read_qdm_cube, read_qdm_map
from operando.io.text_grid import read_text_map
from operando.units import in_units

HDF5 = (".h5", ".hdf5", ".hdf", ".nxs")
TEXT = (".csv", ".dat", ".txt", ".tsv")
PLAIN = Stated()


def read_field_map(path: Path, *, stated: Stated = PLAIN) -> xr.Dataset:
    """Read a map of a magnetic field: ours or others' HDF5, ``.mat``, Qudi ``.dat``, CSV, ``.npz``.

    Parameters
    ----------
    stated:
        What the file does not say.

    Returns
    -------
    ``field`` ``(y, x)`` or ``(component, y, x)`` [T], with ``field_var`` where the file holds it; attribute ``notes``,
    what was resolved in reading.

    Raises
    ------
    FileError
        If the file is missing, damaged, or of no known format, or holds infinities or impossible variances.
    InputError
        If pixel or unit are stated neither in the file nor by the caller.
    """
    path = Path(path)
    maps = _field_map(path, stated)
    check_field(path, maps)
    return maps


def _field_map(path: Path, stated: Stated) -> xr.Dataset:
    suffix = path.suffix.lower()
    if suffix == ".mat":
        return read_qdm_map(path, stated=stated)
    if suffix in TEXT:
        return read_text_map(path, stated=stated)
    if suffix == ".npz":
        return map_from_arrays(path, read_npz(path), stated=stated)
    if suffix not in HDF5:
        raise _unknown(path, (".mat", *TEXT, ".npz", *HDF5))
    if not _is_ours(path):
        return map_from_arrays(path, read_hdf5_arrays(path), stated=stated)
    maps = read_map(path, kind="field")
    maps["field"] = in_units(maps.field, unit="T", name=f"field of {path.name}")
    if "field_var" in maps:
        maps["field_var"] = in_units(maps.field_var, unit="T^2", name=f"field_var of {path.name}")
    return maps.assign_attrs(notes=[])


def read_odmr_cube(path: Path, *, stated: Stated = PLAIN) -> xr.DataArray:
    """Read a cube of spectra: ours or others' HDF5, ``run_0000n.mat`` of a quantum diamond microscope, ``.npz``.

    Returns
    -------
    ``fluorescence`` ``(frequency, y, x)``, frequencies ascending [Hz]; attribute ``notes``.

    Raises
    ------
    FileError, InputError
        As `read_field_map`.
    """
    path = Path(path)
    cube = _odmr_cube(path, stated)
    check_sweep(path, cube.frequency.values)
    return cube


def _odmr_cube(path: Path, stated: Stated) -> xr.DataArray:
    suffix = path.suffix.lower()
    if suffix == ".mat":
        return read_qdm_cube(path, stated=stated)
    if suffix == ".npz":
        return cube_from_arrays(path, read_npz(path), stated=stated)
    if suffix not in HDF5:
        raise _unknown(path, (".mat", ".npz", *HDF5))
    if not _is_ours(path):
        return cube_from_arrays(path, read_hdf5_arrays(path), stated=stated)
    cube: xr.DataArray = read_map(path, kind="odmr")["fluorescence"]
    return cube.assign_attrs(notes=[])


def _is_ours(path: Path) -> bool:
    """Whether the file says its kind, as `operando.io.field_map` writes it."""
    if path.is_file() and path.stat().st_size and not is_hdf5(path):
        raise FileError(path, problem="is not HDF5, or its beginning is damaged", remedy="Copy it again.")
    with opened(path) as file:
        return "kind" in file and text(file, "kind") is not None


def _unknown(path: Path, known: tuple[str, ...]) -> FileError:
    problem = f'is of no known format "{path.suffix}"' if path.is_file() else "there is no such file"
    return FileError(path, problem=problem, remedy=f"Known are {', '.join(known)}.")
