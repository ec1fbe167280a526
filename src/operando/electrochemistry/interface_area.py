"""The area of interfaces between phases on voxels, whose staircase of faces is too large at every resolution.

A face of a staircase stands for less than its own area: for its projection along the true normal of the interface,
``A_face |n . e|``. The normal is that of the phase's indicator, smoothed over a few voxels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from operando.electrochemistry.finite_volume import Faces, face_areas
from operando.errors import InputError

Array = npt.NDArray[Any]

SMOOTHING = 2.0
"""Standard deviation of the indicator's smoothing, in the coarsest voxel's size: less keeps steps, more rounds."""


def interface_weights(*, phase: Array, spacing: tuple[float, float, float], inside: Array | None = None) -> Faces:
    """Share of its area with which each face between a phase and the rest counts; 0 for all other faces.

    ``w = |n . e|`` with n from the gradient of the smoothed phase, e the face's axis. For a plane of any direction the
    weights of its staircase add up to its area; for a closed surface they do but for its curvature.

    Parameters
    ----------
    phase:
        Boolean ``(z, y, x)``.
    spacing:
        Voxel size ``(z, y, x)``, in any unit.
    inside:
        Boolean ``(z, y, x)``: other voxels take no part, neither in faces nor in the normal. By default all do.

    Raises
    ------
    InputError
        If the phase is not boolean ``(z, y, x)``.
    """
    if phase.dtype != bool or phase.ndim != 3:
        raise InputError("phase", must="boolean (z, y, x)", received=f"{phase.dtype} of shape {phase.shape}")
    taken = np.ones_like(phase) if inside is None else inside
    smooth = _smoothed(phase & taken, taken, spacing)
    slopes = [slope_along(smooth, axis, spacing[axis]) for axis in range(3)]
    weights = []
    for axis in range(3):
        low, high = _pairs(phase, axis)
        used = (low != high) & np.logical_and(*_pairs(taken, axis))
        normal = [sum(_pairs(slope, axis)) for slope in slopes]
        length = np.sqrt(sum(n * n for n in normal))
        share = np.divide(np.abs(normal[axis]), length, out=np.zeros(low.shape), where=used & (length > 0))
        weights.append(np.pad(share, [(1, 1) if a == axis else (0, 0) for a in range(3)]))
    return Faces(*weights)


def interface_area(*, phase: Array, spacing: tuple[float, float, float], inside: Array | None = None) -> float:
    """Area between a phase and the rest [square of the spacing's unit]; see `interface_weights`."""
    weights = interface_weights(phase=phase, spacing=spacing, inside=inside)
    return sum(float(w.sum()) * area for w, area in zip(weights, face_areas(spacing), strict=True))


def _smoothed(phase: Array, taken: Array, spacing: tuple[float, float, float]) -> Array:
    """Share of the phase near each voxel, among the voxels that take part."""
    from scipy import ndimage

    width = smoothing_width(spacing, phase.shape)
    share, weight = (ndimage.gaussian_filter(a.astype(float), width, mode="nearest") for a in (phase, taken))
    return np.asarray(np.divide(share, weight, out=np.zeros_like(share), where=weight > 0))


def smoothing_width(spacing: tuple[float, float, float], shape: tuple[int, ...]) -> list[float]:
    """Standard deviation of the smoothing along each axis, in voxels."""
    coarsest = max((s for s, n in zip(spacing, shape, strict=True) if n > 1), default=max(spacing))
    return [SMOOTHING * coarsest / s for s in spacing]


def slope_along(smooth: Array, axis: int, step: float) -> Array:
    """Slope by central differences at voxel centres."""
    return np.gradient(smooth, step, axis=axis) if smooth.shape[axis] > 1 else np.zeros_like(smooth)


def _pairs(array: Array, axis: int) -> tuple[Array, Array]:
    """The voxels before and after each inner face."""
    moved = np.moveaxis(array, axis, 0)
    return np.moveaxis(moved[:-1], 0, axis), np.moveaxis(moved[1:], 0, axis)
