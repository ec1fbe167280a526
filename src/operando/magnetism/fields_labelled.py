"""Vector fields as labelled arrays: dims ``(component, z, y, x)``, component named x, y, z in the world frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.frames import COMPONENTS, Grid, grid_of
from operando.units import in_units

Array = npt.NDArray[Any]


def vectors_from_labelled(
    vectors: xr.DataArray, *, units: str, name: str, grid: Grid | None = None
) -> tuple[Array, Grid]:
    """Read vectors ``(3, z, y, x)`` in the order x, y, z, and their grid.

    Parameters
    ----------
    vectors:
        Dims component, z, y, x in any order; component labelled x, y, z.
    units:
        Wanted; others of the same dimension are converted.
    grid:
        Needed where an axis has a single voxel, whose size no coordinate tells.

    Raises
    ------
    InputError
        If an axis, a component, the units or a voxel size is missing, or a value is not finite.
    """
    if set(vectors.dims) != {"component", "z", "y", "x"}:
        raise InputError(name, must="labelled with dims component, z, y, x", received=f"dims {tuple(vectors.dims)}")
    named = [str(c) for c in vectors.coords["component"].values] if "component" in vectors.coords else []
    if sorted(named) != sorted(COMPONENTS):
        raise InputError(f"{name} component", must="labelled x, y, z", received=named or "no coordinate")
    ordered = in_units(vectors, unit=units, name=name).sel(component=list(COMPONENTS))
    values = ordered.transpose("component", "z", "y", "x").values.astype(float)
    if not np.isfinite(values).all():
        raise InputError(name, must="finite everywhere", received="NaN or infinity", remedy="Put 0 outside the source.")
    if grid is None and min(values.shape[1:]) == 1:
        raise InputError(
            f"{name} grid",
            must="given for a source that is one voxel thick along an axis",
            received=values.shape[1:],
            remedy="Its coordinates do not tell the voxel's size: pass grid=Grid(...).",
        )
    known = grid or grid_of(vectors)
    if known.shape != values.shape[1:]:
        raise InputError(f"{name} grid", must=f"of shape {values.shape[1:]}", received=known.shape)
    return values, known


def field_on_planes(
    values: Array, grid: Grid, *, heights: float | Sequence[float] | Array, margin: int, name: str, units: str
) -> xr.DataArray:
    """Label a field ``(height, 3, y, x)`` on planes registered with a grid, `margin` pixels larger on every side."""
    planes = np.atleast_1d(np.asarray(heights, dtype=float))
    _, ny, nx = grid.shape
    (_, dy, dx), (_, y0, x0) = grid.spacing, grid.origin
    y, x = y0 + dy * np.arange(-margin, ny + margin), x0 + dx * np.arange(-margin, nx + margin)
    coords: dict[str, Any] = {"component": list(COMPONENTS)}
    coords |= {axis: xr.Variable(axis, c, {"units": "m"}) for axis, c in (("z", planes), ("y", y), ("x", x))}
    labelled = xr.DataArray(
        np.moveaxis(values, 0, 1),
        dims=("component", "z", "y", "x"),
        coords=coords,
        name=name,
        attrs={"units": units},
    )
    return labelled.isel(z=0) if np.ndim(heights) == 0 else labelled


def along_axis(field: xr.DataArray, axis: Sequence[float] | Array) -> xr.DataArray:
    """Project a vector field on a direction, ``B_u = u . B``, such as the axis of a nitrogen-vacancy centre.

    Parameters
    ----------
    field:
        With a dim component labelled x, y, z.
    axis:
        Unit vector ``(x, y, z)`` in the world frame.

    Raises
    ------
    InputError
        If the axis is no unit vector or the field has no components.
    """
    unit = np.asarray(axis, dtype=float)
    if unit.shape != (3,) or not np.isclose(np.linalg.norm(unit), 1.0, rtol=0, atol=1e-6):
        raise InputError(
            "axis", must="a unit vector (x, y, z)", received=axis, remedy="Divide it by its length, such as sqrt(3)."
        )
    if "component" not in field.dims:
        raise InputError("field", must="labelled with a dim component", received=f"dims {tuple(field.dims)}")
    weights = xr.DataArray(unit, dims="component", coords={"component": list(COMPONENTS)})
    projected = (field * weights).sum("component", skipna=False)
    return projected.rename(f"{field.name}_along_axis").assign_attrs({**field.attrs, "axis": tuple(unit.tolist())})
