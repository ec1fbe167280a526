"""Grids and spectra as named arrays: NumPy's ``.npz``, and HDF5 files of other programs.

A field map is an array ``(y, x)`` or ``(component, y, x)``, a cube ``fluorescence`` ``(frequency, y, x)`` beside
``frequency``. Arrays ``x`` and ``y`` place the pixels. The unit of an array ``a`` is its attribute ``units`` in HDF5,
and a text ``a_units`` in ``.npz``.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from operando.errors import FileError, InputError
from operando.io.grid import Stated, cube_from_array, even, field_dataset, field_from_array
from operando.io.hdf5 import MAX_COMPRESSION, check_backed, opened
from operando.io.recorded import Array, reading
from operando.units import quantity

CUBE, SWEEP = "fluorescence", "frequency"


@dataclass(frozen=True)
class NamedArrays:
    """Arrays of numbers by name, and their units where the file says them."""

    arrays: dict[str, Array]
    units: dict[str, str]


def read_npz(path: Path) -> NamedArrays:
    """Read every array of a ``.npz`` file.

    Raises
    ------
    FileError
        If the file is missing or damaged, or claims more than it can back.
    """
    if not path.is_file():
        raise FileError(path, problem="there is no such file", remedy="Check the path.")
    try:
        with reading(path):
            _check_members(path)
            with np.load(path, allow_pickle=False) as file:
                held = {name: np.asarray(file[name]) for name in file.files}
    except zipfile.BadZipFile as error:
        raise FileError(path, problem=f"damaged or cut short ({error})", remedy="Copy it again.") from error
    texts = {name: str(a) for name, a in held.items() if a.dtype.kind == "U" and a.size == 1}
    units = {name.removesuffix("_units"): text for name, text in texts.items() if name.endswith("_units")}
    return NamedArrays({name: a for name, a in held.items() if a.dtype.kind in "iuf"}, units)


def read_hdf5_arrays(path: Path) -> NamedArrays:
    """Read every array of numbers at the root of an HDF5 file.

    Raises
    ------
    FileError
        If the file is missing or damaged, or claims more than it can back.
    """
    arrays, units = {}, {}
    with opened(path) as file:
        for name in file:
            link = file.get(name, getlink=True)
            item = file[name] if isinstance(link, h5py.HardLink) else None
            if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "iuf":
                continue
            check_backed(item)
            arrays[name] = np.asarray(item[()])
            said = item.attrs.get("units")
            said = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
            if isinstance(said, str):
                units[name] = said
    return NamedArrays(arrays, units)


def map_from_arrays(path: Path, held: NamedArrays, *, stated: Stated) -> xr.Dataset:
    """Label the field among named arrays: the one stated, else ``field`` or ``Bz``, else the only one that is a map.

    Raises
    ------
    FileError, InputError
        If there is no such array, or pixel or unit are stated neither in the file nor by the caller.
    """
    name = _named(path, held, stated)
    values, unit = held.arrays[name], held.units.get(name)
    placed = [axis for axis in "yx" if axis in held.arrays]
    if len(placed) < 2 or stated.pixel is not None:
        return field_from_array(path, values, stated=stated, unit=unit)
    axes = [_coordinate(path, held, axis) for axis in "yx"]
    for i, along in enumerate(axes):
        if along.size > 1 and along[0] > along[-1]:
            axes[i], values = along[::-1], np.flip(values, axis=values.ndim - 2 + i)
    y, x = (even(path, along, axis) for along, axis in zip(axes, "yx", strict=True))
    return field_dataset(path, values, stated=stated, unit=unit, y=y, x=x)


def cube_from_arrays(path: Path, held: NamedArrays, *, stated: Stated) -> xr.DataArray:
    """Label the spectra among named arrays; frequencies in hertz unless their unit says otherwise.

    Raises
    ------
    FileError, InputError
        If ``fluorescence`` or ``frequency`` are missing, or the pixel is not stated.
    """
    name = stated.variable or CUBE
    for wanted in (name, SWEEP):
        if wanted not in held.arrays:
            there = ", ".join(held.arrays) or "none"
            raise FileError(path, problem=f"has no array {wanted}", remedy=f"Arrays of numbers there: {there}.")
    unit = held.units.get(SWEEP, "Hz")
    frequency = held.arrays[SWEEP] * quantity(f"1 {unit}", unit="Hz", name=f"frequency of {path.name}")
    units = held.units.get(name, "count")
    return cube_from_array(path, held.arrays[name], frequency=frequency, units=units, stated=stated)


def _check_members(path: Path) -> None:
    """Refuse an archive whose members claim to grow beyond what compression can do."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > MAX_COMPRESSION * max(member.compress_size, 1):
                raise FileError(
                    path, problem=f"{member.filename} claims {member.file_size} bytes", remedy="Copy it again."
                )


def _named(path: Path, held: NamedArrays, stated: Stated) -> str:
    maps = [name for name, a in held.arrays.items() if a.ndim in (2, 3) and min(a.shape) > 1]
    wanted = [stated.variable] if stated.variable is not None else ["field", "Bz", *(maps if len(maps) == 1 else [])]
    found = next((name for name in wanted if name in maps), None)
    if found is None:
        must = f"one of its maps {', '.join(maps) or '(it holds none)'}"
        raise InputError(f"variable of {path.name}", must=must, received=stated.variable)
    return found


def _coordinate(path: Path, held: NamedArrays, axis: str) -> Array:
    if axis not in held.units:
        remedy = f"State the pixel, or write the unit as {axis}_units (npz) or the attribute units (HDF5)."
        raise FileError(path, problem=f"coordinate {axis} has no unit", remedy=remedy)
    scale = quantity(f"1 {held.units[axis]}", unit="m", name=f"{axis} of {path.name}")
    return np.asarray(held.arrays[axis].astype(float).ravel() * scale)
