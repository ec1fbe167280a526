"""Cubes of magnetic resonance spectra and maps of fields in HDF5; docs/nv-sensor.md describes the layout.

Every variable lies at the root with its ``units`` and ``dims``, such as "frequency,y,x", in attributes; a coordinate
is a variable that is named like its dimension. Everything written is covered by a checksum.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

import h5py
import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import FileError, InputError
from operando.io.beside import written_beside
from operando.io.hdf5 import dataset, number, numbers, opened, scale, text
from operando.units import in_units

Array = npt.NDArray[Any]

Kind = Literal["odmr", "field", "odmr truth"]

COMPONENTS = ("x", "y", "z")
SI = {"frequency": "Hz", "y": "m", "x": "m"}
"""Units in which coordinates are stored and returned."""

_UNEVEN = 1e-3
"""Largest deviation of a pixel from an even grid, in pixels."""


def write_map(path: Path, content: xr.DataArray | xr.Dataset, *, kind: Kind) -> None:
    """Write a cube of spectra, a field map or a simulated truth.

    Parameters
    ----------
    content:
        Each variable with units; dims out of frequency, component, y, x; coordinates frequency [Hz], y and x [m], a
        scalar z for the height of the plane [m]. Rows run along y and columns along x, both ascending.
    kind:
        What it is; `read_map` refuses another.

    Raises
    ------
    InputError
        If units, a coordinate or pixels of even size are missing.
    FileError
        If the folder does not exist.
    """
    if kind not in get_args(Kind):
        raise InputError("kind of map", must=f"one of {', '.join(get_args(Kind))}", received=kind)
    maps = content.to_dataset(name=content.name or _MAIN[kind]) if isinstance(content, xr.DataArray) else content
    axes = {str(d): _axis(maps, str(d)) for d in maps.dims if d != "component"}
    if "component" in maps.dims and list(maps.coords.get("component", [])) != list(COMPONENTS):
        raise InputError("component", must="labelled x, y, z", received=maps.coords.get("component", "no coordinate"))
    with written_beside(Path(path)) as beside, h5py.File(beside, "w", libver=("v110", "v110")) as file:
        _compact(file, "kind", np.array(kind.encode()))
        for name, values in axes.items():
            _store(file, name, values, SI[name], (name,))
        if "z" in maps.coords:
            height = in_units(maps.coords["z"], unit="m", name="z")
            _store(file, "z", np.asarray(float(height)), "m", ())
        for key, variable in maps.data_vars.items():
            if not isinstance(variable.attrs.get("units"), str):
                raise InputError(f"map {key}", must="labelled with units", received="no units attribute")
            dims = tuple(str(d) for d in variable.dims)
            _store(file, str(key), variable.values, variable.attrs["units"], dims)


def read_map(path: Path, *, kind: Kind) -> xr.Dataset:
    """Read what `write_map` wrote, or another program laid out like it.

    Raises
    ------
    FileError
        If the file is missing, damaged, of another kind, or lacks units, dimension labels or coordinates.
    """
    path = Path(path)
    with opened(path) as file:
        found = text(file, "kind")
        if found != kind:
            remedy = "docs/nv-sensor.md says what belongs there."
            raise FileError(path, problem=f"holds {found or 'nothing named'}, not {kind}", remedy=remedy)
        names = [name for name in file if name not in {"kind", "z", *SI}]
        maps = xr.Dataset({name: _variable(file, name) for name in names})
        coords: dict[str, Any] = {d: _coordinate(file, str(d), maps.sizes[d]) for d in maps.dims if d in SI}
        if "component" in maps.dims:
            coords["component"] = list(COMPONENTS)
        height = number(file, "z")
        if height is not None:
            coords["z"] = xr.Variable((), height * scale(dataset(file, "z"), unit="m"), {"units": "m"})
    if _MAIN[kind] not in maps:
        raise FileError(path, problem=f"{_MAIN[kind]} is missing", remedy="docs/nv-sensor.md says what belongs there.")
    return maps.assign_coords(coords)


_MAIN: dict[str, str] = {"odmr": "fluorescence", "field": "field", "odmr truth": "field"}
"""The variable without which a file of that kind is useless."""


def _axis(maps: xr.Dataset, name: str) -> Array:
    if name not in SI or name not in maps.coords:
        raise InputError(f"dimension {name}", must="frequency, component, y or x, with a coordinate", received=name)
    values = in_units(maps.coords[name], unit=SI[name], name=name).values.astype(float)
    problem = _axis_problem(name, values)
    if problem:
        raise InputError(f"coordinate {name}", must="ascending; pixels of one size", received=problem)
    return np.asarray(values)


def _axis_problem(name: str, values: Array) -> str:
    steps = np.diff(values)
    if not np.isfinite(values).all() or not (steps > 0).all():
        return "not ascending"
    uneven = name != "frequency" and steps.size and np.abs(steps - steps.mean()).max() > _UNEVEN * steps.mean()
    return "uneven" if uneven else ""


def _store(file: h5py.File, name: str, values: Array, units: str, dims: tuple[str, ...]) -> None:
    array = np.asarray(values)
    if array.ndim:
        squeezed = "gzip" if array.dtype.kind in "ui" else None
        stored = file.create_dataset(
            name, data=array, chunks=True, fletcher32=True, shuffle=squeezed is not None, compression=squeezed
        )
    else:
        stored = _compact(file, name, array)
    for attribute, said in (("units", units), ("dims", ",".join(dims))):
        # of fixed length: texts of variable length lie in a heap without checksum, where a flipped bit crashes HDF5
        stored.attrs.create(attribute, said, dtype=h5py.string_dtype("utf-8", max(1, len(said.encode()))))


def _compact(file: h5py.File, name: str, value: Array) -> h5py.Dataset:
    """Store one value within the record of its dataset, which HDF5 covers by a checksum."""
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    kind = h5py.h5t.py_create(value.dtype)
    stored = h5py.Dataset(h5py.h5d.create(file.id, name.encode(), kind, h5py.h5s.create(h5py.h5s.SCALAR), dcpl=compact))
    stored[()] = value
    return stored


def _variable(file: h5py.File, name: str) -> xr.Variable:
    stored, path = dataset(file, name), file.filename
    said = _attribute(stored, "dims")
    dims = tuple(said.split(",")) if said else ()
    if not set(dims) <= {"component", *SI} or len(set(dims)) != len(dims) or len(dims) != stored.ndim:
        remedy = 'Name its dimensions in its attribute "dims", such as "frequency,y,x".'
        raise FileError(path, problem=f"{name} has dimensions {dims}", remedy=remedy)
    if stored.dtype.kind not in "iuf":
        raise FileError(path, problem=f"{name} holds no numbers", remedy="Write numbers.")
    if "component" in dims and stored.shape[dims.index("component")] != len(COMPONENTS):
        raise FileError(path, problem=f"{name} has not three components", remedy="Write x, y and z.")
    return xr.Variable(dims, stored[()], {"units": _attribute(stored, "units")})


def _attribute(stored: h5py.Dataset, name: str) -> str:
    said = stored.attrs.get(name)
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    if not isinstance(said, str):
        raise FileError(
            stored.file.filename, problem=f"{stored.name} has no {name}", remedy=f"Set the attribute {name}."
        )
    return said


def _coordinate(file: h5py.File, name: str, size: int) -> xr.Variable:
    values = numbers(file, name).astype(float) * scale(dataset(file, name), unit=SI[name])
    problem = _axis_problem(name, values)
    if values.size != size or problem:
        said = problem or f"of {values.size} values for {size}"
        raise FileError(file.filename, problem=f"coordinate {name} is {said}", remedy="Compare with the instrument.")
    return xr.Variable((name,), values, {"units": SI[name]})
