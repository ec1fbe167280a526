"""Volumes as OME-Zarr (https://ngff.openmicroscopy.org/0.5): written with a checksum on every chunk, none left out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from operando.errors import FileError, UnitError
from operando.frames import Grid, grid_of
from operando.io.beside import check_folder, unfinished
from operando.io.recorded import reading
from operando.units import in_units, quantity

if TYPE_CHECKING:
    import zarr

CHUNK = 64
"""Voxels along each side of a chunk."""

MAX_COMPRESSION = 100_000
"""The most that a chunk of one value shrinks; a larger claim is not backed by the files."""

_MICROMETRE = 1e-6


def write_ome_zarr(path: Path, volume: xr.DataArray) -> None:
    """Write a volume with coordinates z, y, x in metres; the folder appears whole or not at all.

    Raises
    ------
    FileError
        If `path` exists already, or its folder does not.
    """
    import zarr
    from zarr.codecs import ZstdCodec

    check_folder(path)
    if path.exists():
        raise FileError(path, problem="exists already", remedy="Remove it, or choose another name.")
    grid, beside = grid_in_metres(volume), unfinished(path)
    try:
        group = zarr.open_group(beside, mode="w", zarr_format=3)
        group.create_array(
            "0",
            data=np.ascontiguousarray(volume.transpose("z", "y", "x").values),
            chunks=tuple(min(CHUNK, size) for size in grid.shape),
            compressors=ZstdCodec(level=1, checksum=True),
            dimension_names=("z", "y", "x"),
            config={"write_empty_chunks": True},
        )
        group.attrs["ome"] = {"version": "0.5", "multiscales": [_multiscale(grid, str(volume.name or path.stem))]}
        group.attrs["units"] = volume.attrs.get("units", "")
        beside.rename(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def is_ome_zarr(path: Path) -> bool:
    """Tell whether a folder is a Zarr group; what it holds is checked on reading."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup"))


def read_ome_zarr(path: Path) -> xr.DataArray:
    """Read the finest level of a volume, with its place in metres; versions 0.4 and 0.5.

    Raises
    ------
    FileError
        If metadata, a unit or a chunk is missing or damaged.
    """
    import zarr

    with reading(path):
        group = zarr.open_group(path, mode="r")
        attributes = dict(group.attrs)
        ome: Any = attributes.get("ome", attributes)
        scales = ome.get("multiscales")
        if not scales:
            raise FileError(path, problem="no OME multiscales metadata", remedy="Export it as OME-Zarr 0.4 or 0.5.")
        level = scales[0]["datasets"][0]
        array = group[level["path"]]
        if not isinstance(array, zarr.Array):
            raise FileError(path, problem=f"{level['path']} is no array", remedy="Copy the volume again.")
        _check_chunks(path, array)
        axes = [axis["name"] for axis in scales[0]["axes"]]
        spare = tuple(i for i, axis in enumerate(axes) if axis not in "zyx")
        if [a for a in axes if a in "zyx"] != list("zyx") or any(array.shape[i] != 1 for i in spare):
            problem = f"axes {axes} with shape {array.shape}"
            raise FileError(path, problem=problem, remedy="Export one channel and time, with axes z, y, x.")
        grid = _grid(path, scales[0], level, array.shape, spare)
        values = np.asarray(array[...]).squeeze(spare)
    units = attributes.get("units", "")
    return grid.array(
        values, name=str(scales[0].get("name") or path.stem), units=units if isinstance(units, str) else ""
    )


def grid_in_metres(volume: xr.DataArray) -> Grid:
    """Read the grid of a volume whose coordinates carry any unit of length."""
    axes = {
        axis: in_units(volume.coords[axis].variable, unit="m", name=axis) for axis in "zyx" if axis in volume.coords
    }
    return grid_of(volume.assign_coords(axes))


def _multiscale(grid: Grid, name: str) -> dict[str, Any]:
    def micrometres(lengths: tuple[float, float, float]) -> list[float]:
        return [float(np.round(length / _MICROMETRE, 12)) for length in lengths]

    place = [
        {"type": "scale", "scale": micrometres(grid.spacing)},
        {"type": "translation", "translation": micrometres(grid.origin)},
    ]
    return {
        "name": name,
        "axes": [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"],
        "datasets": [{"path": "0", "coordinateTransformations": place}],
    }


def _check_chunks(path: Path, array: zarr.Array[Any]) -> None:
    """Refuse an array of which a chunk is missing: it would read as zeros without a word."""
    if array.dtype.kind not in "iuf":
        raise FileError(path, problem=f"holds values of type {array.dtype}", remedy="Export plain numbers.")
    missing = array.nchunks - array.nchunks_initialized
    if missing:
        remedy = "Copy the volume again; or, if its writer left out empty chunks, tell it to write them."
        raise FileError(path, problem=f"{missing} of {array.nchunks} chunks are missing", remedy=remedy)
    if array.nbytes > MAX_COMPRESSION * array.nbytes_stored():
        problem = f"claims {array.nbytes} bytes, more than its files can back"
        raise FileError(path, problem=problem, remedy="Copy the volume again.")


def _grid(path: Path, scale: Any, level: Any, shape: tuple[int, ...], spare: tuple[int, ...]) -> Grid:
    """Place of the voxels; a transformation of the whole image acts after that of its level."""
    kept = [i for i in range(len(shape)) if i not in spare]
    spacing, origin = np.ones(len(shape)), np.zeros(len(shape))
    for step in [*level["coordinateTransformations"], *scale.get("coordinateTransformations", ())]:
        if step["type"] == "scale":
            factor = np.array(step["scale"], dtype=float)
            spacing, origin = spacing * factor, origin * factor
        elif step["type"] == "translation":
            origin = origin + np.array(step["translation"], dtype=float)
        else:
            raise FileError(path, problem=f'transformation "{step["type"]}"', remedy="Only scale and translation.")
    metres = np.array([_metres(path, scale["axes"][i]) for i in kept])
    spacing, origin = spacing[kept] * metres, origin[kept] * metres
    if not (np.isfinite(origin).all() and np.isfinite(spacing).all() and (spacing > 0).all()):
        raise FileError(path, problem=f"voxels of {spacing.tolist()} m", remedy="State a positive scale.")
    z, y, x = kept
    sizes, starts = spacing.tolist(), origin.tolist()
    return Grid(
        shape=(shape[z], shape[y], shape[x]),
        spacing=(sizes[0], sizes[1], sizes[2]),
        origin=(starts[0], starts[1], starts[2]),
    )


def _metres(path: Path, axis: Any) -> float:
    unit = axis.get("unit")
    try:
        return quantity(f"1 {unit or ''}", unit="m", name=f"axis {axis['name']}")
    except UnitError as error:
        problem = f"axis {axis['name']} has the unit {unit!r}"
        raise FileError(path, problem=problem, remedy='Add its unit, such as "micrometer".') from error
