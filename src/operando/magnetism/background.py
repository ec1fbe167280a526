"""What lies under a field map: the bias field, its gradients, and structures too long to be the sample's."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.magnetism.continuation import upward_continued

Array = npt.NDArray[Any]

_POWERS: dict[str, tuple[tuple[int, int], ...]] = {
    "level": ((0, 0),),
    "plane": ((0, 0), (1, 0), (0, 1)),
    "quadratic": ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)),
}
_ROUNDS = 20
_TUKEY = 4.685
"""Tuning of Tukey's weights: 95 % efficient on Gaussian noise; farther outliers count for nothing."""

_MAD_TO_SIGMA = 1.4826


def background_from_map(
    field: xr.DataArray,
    *,
    kind: Literal["level", "plane", "quadratic", "upward"],
    source: xr.DataArray | None = None,
    distance: float | None = None,
) -> xr.DataArray:
    """Smooth part of a map, to be subtracted from it.

    Parameters
    ----------
    field:
        Dims y, x and any others before them, each map of which has a background of its own; NaN where masked.
    kind:
        A polynomial, fitted so that pixels which stand out (the sources) count little or nothing; or the map itself
        continued upwards by `distance`, which keeps structures longer than about 2 pi times that.
    source:
        True where a source is known to lie, dims y, x; left out of a polynomial.
    distance:
        For `upward` [m].

    Raises
    ------
    InputError
        If too few pixels are left, or `upward` lacks its distance.
    """
    if kind == "upward":
        if distance is None or not distance > 0:
            raise InputError("distance", must="positive for an upward-continued background", received=distance)
        kept = field.coords.get("z")
        raised = upward_continued(field, distance=distance)
        return raised if kept is None else raised.assign_coords(z=kept)
    if kind not in _POWERS:
        raise InputError("background", must="level, plane, quadratic or upward", received=kind)
    ordered = field.transpose(..., "y", "x")
    ny, nx = ordered.shape[-2:]
    y, x = np.meshgrid(np.linspace(-1, 1, ny), np.linspace(-1, 1, nx), indexing="ij")
    terms = np.stack([(x**i * y**j).ravel() for i, j in _POWERS[kind]], axis=1)
    out = np.zeros(ny * nx, bool) if source is None else source.transpose("y", "x").values.astype(bool).ravel()
    maps = ordered.values.reshape(-1, ny * nx)
    under = np.stack([terms @ _robust_fit(terms, one, ~out & np.isfinite(one)) for one in maps])
    return ordered.copy(data=under.reshape(ordered.shape))


def _robust_fit(terms: Array, values: Array, use: Array) -> Array:
    """Coefficients by least squares reweighted after Tukey."""
    if use.sum() < 3 * terms.shape[1]:
        raise InputError("map", must=f"of {3 * terms.shape[1]} pixels or more outside sources", received=int(use.sum()))
    a, b = terms[use], values[use]
    coefficients = np.linalg.lstsq(a, b, rcond=None)[0]
    for _ in range(_ROUNDS):
        rest = b - a @ coefficients
        spread = _MAD_TO_SIGMA * np.median(np.abs(rest))
        if spread <= 1e-12 * np.abs(b).max():
            break
        root = np.clip(1 - (rest / (_TUKEY * spread)) ** 2, 0.0, None)
        coefficients = np.linalg.lstsq(a * root[:, None], b * root, rcond=None)[0]
    return np.asarray(coefficients)
