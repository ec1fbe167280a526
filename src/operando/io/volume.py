"""Volumes that were reconstructed elsewhere, and volumes for the viewers that people already have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from operando.errors import FileError, InputError, UnitError
from operando.frames import Grid, grid_of
from operando.io import hdf5
from operando.io.beside import written_beside
from operando.io.ome_zarr import grid_in_metres, is_ome_zarr, read_ome_zarr
from operando.io.recorded import Array, reading
from operando.io.stack import check_alike, frames_of, numbered_files
from operando.io.tiff import tiff_pages
from operando.units import quantity

Voxel = tuple[float, float, float]
"""Voxel size along ``(z, y, x)`` [m]."""

_MICROMETRE = 1e-6
_UNITS_OF_IMAGEJ = {"micron": "um", "microns": "um", "\\u00B5m": "um"}
_NO_SIZE = "Give the voxel size; the file does not state one with a unit."


def read_volume(path: Path, *, voxel: Voxel | None = None, units: str = "") -> xr.DataArray:
    """Read a TIFF stack, a folder of TIFF slices, OME-Zarr, or HDF5 with one volume; coordinates in metres.

    Parameters
    ----------
    voxel:
        Voxel size [m], for a file that does not state it; it wins over one that the file states.
    units:
        Of the values, for example ``"1/m"``; grey values have none.

    Raises
    ------
    FileError
        If the file is missing, damaged, in no known format, not finite, or states no voxel size and none is given.
    """
    if is_ome_zarr(path):
        volume = read_ome_zarr(path)
        values, units = volume.values, units or volume.attrs["units"]
        stated: Voxel | None = grid_of(volume).spacing
        origin = grid_of(volume).origin
    else:
        values, stated = _read_hdf5(path) if hdf5.is_hdf5(path) else _read_tiff(path)
        origin = (0.0, 0.0, 0.0)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise FileError(path, problem="holds values that are not finite", remedy="Fill them before export.")
    size = voxel or stated
    if size is None:
        raise FileError(path, problem="no voxel size", remedy=_NO_SIZE)
    z, y, x = values.shape
    return Grid(shape=(z, y, x), spacing=size, origin=origin).array(values, name=path.stem, units=units)


def write_tiff_volume(path: Path, volume: xr.DataArray) -> None:
    """Write a volume as a TIFF stack with its voxel size, as ImageJ and Fiji read it.

    Numbers of 64 bits are written as 32-bit floats. The place of the first voxel has no room in the format.

    Raises
    ------
    InputError
        If a type of value is not known to ImageJ.
    """
    import tifffile

    values = volume.transpose("z", "y", "x").values
    values = values.astype(np.float32) if values.dtype == np.float64 else values
    if values.dtype not in (np.uint8, np.uint16, np.float32):
        raise InputError("volume", must="of type uint8, uint16 or float32", received=values.dtype)
    z, y, x = (size / _MICROMETRE for size in grid_in_metres(volume).spacing)
    metadata = {"spacing": z, "unit": "um", "axes": "ZYX"}
    with written_beside(path) as beside:
        tifffile.imwrite(beside, values, imagej=True, resolution=(1 / x, 1 / y), metadata=metadata)


def _read_tiff(path: Path) -> tuple[Array, Voxel | None]:
    files = numbered_files(path, "*.tif*", role="slices") if path.is_dir() else [path]
    if path.is_file() and path.suffix.lower() not in (".tif", ".tiff"):
        raise FileError(path, problem="no volume in a known format", remedy="Give TIFF, OME-Zarr or HDF5.")
    pages = [page for file in files for page in tiff_pages(file)]
    check_alike(pages, pages[0])
    return frames_of(pages, slice(0, pages[0].shape[0])), _voxel_of_imagej(files[0])


def _voxel_of_imagej(path: Path) -> Voxel | None:
    """Voxel size that ImageJ wrote; None where it wrote no unit."""
    import tifffile

    with reading(path), tifffile.TiffFile(path) as file:
        stated: dict[str, Any] = file.imagej_metadata or {}
        tags: Any = file.pages.first.tags
        if not {"unit", "spacing"} <= stated.keys() or "XResolution" not in tags or "YResolution" not in tags:
            return None
        x, y = (_pixel_from_resolution(*tags[name].value) for name in ("XResolution", "YResolution"))
        unit = str(stated["unit"])
        return _in_metres(path, [float(stated["spacing"]), y, x], _UNITS_OF_IMAGEJ.get(unit, unit))


def _pixel_from_resolution(pixels: int, units: int) -> float:
    return units / pixels


def _read_hdf5(path: Path) -> tuple[Array, Voxel | None]:
    with hdf5.opened(path) as file:
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name) if getattr(item, "ndim", 0) == 3 else None)
        if len(names) != 1:
            problem = f"holds {len(names)} volumes ({', '.join(names[:4])})"
            raise FileError(path, problem=problem, remedy="Put one volume in a file.")
        item = hdf5.dataset(file, names[0])
        if item.dtype.kind not in "iuf":
            raise FileError(path, problem=f"{item.name} holds {item.dtype}", remedy="Export plain numbers.")
        return item[...], _voxel_of_attributes(path, item)


def _voxel_of_attributes(path: Path, item: h5py.Dataset) -> Voxel | None:
    """Voxel size from ``element_size_um``, as ilastik and Fiji write it, or ``voxel_size`` with its units."""
    if "element_size_um" in item.attrs:
        return _in_metres(path, item.attrs["element_size_um"], "um")
    if {"voxel_size", "voxel_size_units"} <= item.attrs.keys():
        return _in_metres(path, item.attrs["voxel_size"], str(item.attrs["voxel_size_units"]))
    return None


def _in_metres(path: Path, sizes: Any, unit: str) -> Voxel:
    values = np.broadcast_to(np.asarray(sizes, dtype=float), 3)
    try:
        z, y, x = (values * quantity(f"1 {unit}", unit="m", name="voxel size")).tolist()
    except UnitError as error:
        raise FileError(path, problem=f'the voxel size has the unit "{unit[:20]}"', remedy=_NO_SIZE) from error
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise FileError(path, problem=f"the voxel size is {values.tolist()} {unit}", remedy=_NO_SIZE)
    return z, y, x
