"""Measured maps of a field as the inversions take them: stacked, along known axes, x and y growing with the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import sparse
from scipy.sparse.linalg import spsolve

from operando.errors import InputError
from operando.magnetism.sheet import unit_vector
from operando.units import in_units

Array = npt.NDArray[Any]

UNIT_AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}


@dataclass(frozen=True)
class FieldMaps:
    """Maps of the same pixels.

    Attributes
    ----------
    values:
        ``(map, y, x)``; NaN where a pixel is missing.
    axes:
        Unit vector ``(x, y, z)`` that each map is the projection on.
    y, x:
        Pixel centres, growing [m].
    """

    values: Array
    axes: Array
    y: Array
    x: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels along ``(y, x)``."""
        return self.y.size, self.x.size

    @property
    def pixel(self) -> tuple[float, float]:
        """Pixel size along ``(y, x)`` [m]."""
        return float(np.diff(self.y).mean()), float(np.diff(self.x).mean())

    def filled(self) -> Array:
        """Values with missing pixels patched by the surface of least bending."""
        return np.stack([patched(one) for one in self.values])


def patched(values: Array) -> Array:
    """Replace NaN in an image ``(y, x)`` so that the sum of squared Laplacians is least; the frame's edge is free."""
    missing = np.isnan(values).ravel()
    if not missing.any():
        return values
    second = [_second_difference(n) for n in values.shape]
    laplacian = sparse.kronsum(second[1], second[0], format="csr")
    bending = (laplacian.T @ laplacian).tocsr()[missing]
    whole = np.where(missing, 0.0, values.ravel())
    whole[missing] = spsolve(bending[:, missing].tocsc(), -(bending @ whole))
    return whole.reshape(values.shape)


def field_maps(
    field: xr.DataArray, *, axis: Sequence[float] | Array | None, unit: str = "T", name: str = "field"
) -> FieldMaps:
    """Read one component ``(y, x)``, the world's components ``(component, y, x)``, or several axes ``(axis, y, x)``.

    Parameters
    ----------
    field:
        With coordinates y, x in metres, evenly spaced, in either direction. Component labelled among x, y, z.
    axis:
        Unit vector ``(x, y, z)`` of a single map, or one for each map ``(axis, 3)``; an attribute ``axis`` of the
        field serves where None.

    Raises
    ------
    InputError
        If dims, coordinates, units or axes are missing or wrong, or a map holds no finite pixel.
    """
    extra = [d for d in field.dims if d not in ("y", "x")]
    if not {"y", "x"} <= set(field.dims) or extra not in ([], ["component"], ["axis"]):
        raise InputError(
            name, must="labelled with dims (y, x), (component, y, x) or (axis, y, x)", received=tuple(field.dims)
        )
    ordered = in_units(field, unit=unit, name=name).transpose(*extra, "y", "x")
    for dim in ("y", "x"):
        ordered = _growing(ordered, dim, name)
    values = np.atleast_3d(ordered.values.astype(float)) if extra else ordered.values.astype(float)[None]
    values = np.where(np.isfinite(values), values, np.nan)
    if np.isnan(values).all(axis=(1, 2)).any():
        raise InputError(name, must="a map with finite pixels", received="NaN throughout")
    return FieldMaps(values=values, axes=_axes(field, extra, axis, name), y=ordered.y.values, x=ordered.x.values)


def _second_difference(count: int) -> Any:
    inner = np.ones(count)
    inner[[0, -1]] = 0.0
    return sparse.diags(inner) @ sparse.diags([1.0, -2.0, 1.0], [-1, 0, 1], shape=(count, count))


def _growing(field: xr.DataArray, dim: str, name: str) -> xr.DataArray:
    if dim not in field.coords or field.sizes[dim] < 8:
        received = f"{field.sizes[dim]} pixels" + ("" if dim in field.coords else " without coordinates")
        raise InputError(f"{name} {dim}", must="at least 8 pixels with coordinates in metres", received=received)
    along = in_units(field.coords[dim].variable, unit="m", name=f"{name} coordinate {dim}").astype(float)
    steps = np.diff(along.values)
    if not (np.isfinite(steps).all() and steps.mean() != 0 and np.allclose(steps, steps.mean(), rtol=1e-3, atol=0)):
        raise InputError(f"{name} coordinate {dim}", must="evenly spaced", received=along.values[:4])
    labelled = field.assign_coords({dim: along})
    return labelled if steps[0] > 0 else labelled.isel({dim: slice(None, None, -1)})


def _axes(field: xr.DataArray, extra: list[Any], axis: Any, name: str) -> Array:
    if extra == ["component"]:
        named = [str(c) for c in field.coords["component"].values] if "component" in field.coords else []
        if axis is not None or not named or any(c not in UNIT_AXES for c in named):
            raise InputError(
                f"{name} component", must="labelled among x, y, z, and no axis given", received=named or "no labels"
            )
        return np.array([UNIT_AXES[c] for c in named])
    given = field.attrs.get("axis") if axis is None else axis
    if given is None:
        raise InputError(
            "axis",
            must="given for a map of one component",
            received=None,
            remedy="Pass axis=(0, 0, 1) for Bz, or the direction of the nitrogen-vacancy centre.",
        )
    axes = np.atleast_2d(np.asarray(given, dtype=float))
    count = field.sizes["axis"] if extra else 1
    if axes.shape != (count, 3):
        raise InputError("axis", must=f"{count} unit vectors (x, y, z)", received=np.shape(given))
    return np.stack([unit_vector(a, name="axis") for a in axes])
