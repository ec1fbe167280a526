"""How the sample has moved between two scans."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from operando.lithium.interfaces import blurred_power
from operando.study.structure import MARGIN, REACH, slice_means
from operando.tomography.drift import drift_from_volumes
from operando.tomography.stack import edge_shift_from_contrast

if TYPE_CHECKING:
    import xarray as xr

    from operando.study.structure import Structure

Array = npt.NDArray[np.float64]
Array3 = tuple[float, float, float]

INTERIOR = 0.5
"""Share of the cathode's thickness, from its collector, over which its change is taken to be a polynomial."""

UNEVEN = 0.5
"""How far a motion of less than a voxel may be misread: pixels sample a face unevenly (relative)."""

STEPS = 5
"""Of Gauss and Newton."""


def motion_of(volume: xr.Dataset, *, reference: xr.Dataset, structure: Structure) -> tuple[Array3, Array3]:
    """How the sample has moved since the reference scan, ``(x, y, z)`` and its standard deviation [m].

    Across the axis by comparing volumes, along it by the cathode's face on its collector.
    """
    across = drift_from_volumes(reference.attenuation, volume.attenuation, rotation=False)
    before, after = (slice_means(v, radius=structure.radius - MARGIN * structure.voxel) for v in (reference, volume))
    along, error = motion_along_axis(before=before, after=after, structure=structure)
    shift, sigma = across.shift, across.shift_sigma
    return (float(shift[0]), float(shift[1]), along), (float(sigma[0]), float(sigma[1]), error)


def motion_along_axis(*, before: xr.Dataset, after: xr.Dataset, structure: Structure) -> tuple[float, float]:
    """Motion along the axis from two axial profiles, and its standard deviation [m].

    Only the layers show it, and they change: isotopes cross the face on the separator, indium swells. The collector
    does not change, and no lithium passes it, so that the cathode's change begins there without a slope,
    ``c_0 + c_2 h^2`` at the distance h. It moves with the face; a scan that is brighter by a share adds that share of
    the profile. All four follow by least squares.

    The error is that of the fit, half of what ``c_0 + c_1 h`` in place of the square would change, and a share of the
    motion that the sampling of the face leaves open.
    """
    face, voxel = structure.collector, structure.voxel
    z = before.z.values
    top = face.position + max(INTERIOR * structure.cathode_thickness, 3 * voxel)
    used = (z > face.position - REACH * voxel) & (z < top)
    ends = z[used, None] + np.array([-0.5, 0.5]) * voxel - face.position
    profile = before.attenuation.values[used]
    change = after.attenuation.values[used] - profile
    variance = (after.attenuation_var.values + before.attenuation_var.values)[used]
    moved, sigma, lost = _face_moved(ends, profile, change, variance, structure=structure, powers=(0, 2))
    other, _, _ = _face_moved(ends, profile, change, variance, structure=structure, powers=(0, 1))
    found = moved - _seen_nearer(lost, structure)
    return found, math.hypot(sigma, (moved - other) / 2, UNEVEN * min(abs(found), structure.voxel))


def _face_moved(
    ends: Array, profile: Array, change: Array, variance: Array, *, structure: Structure, powers: tuple[int, int]
) -> tuple[float, float, float]:
    """Motion of the face, its standard deviation, and the cathode's change beside it, by Gauss-Newton steps."""
    blur = max(structure.collector.blur, 0.05 * structure.voxel)
    contrast = structure.collector.above - structure.collector.below
    at_rest = _cell_mean(ends, 0, blur)
    moved = sigma = step = 0.0
    for _ in range(STEPS):
        now = ends - moved
        slope = (contrast + step) * np.diff(ndtr(now / blur), axis=1)[:, 0] / structure.voxel
        shapes = [_cell_mean(now, power, blur) / structure.voxel**power for power in powers]
        design = np.stack([-slope, profile, *shapes], axis=1)
        found, sigma = _fitted(design, change - contrast * (shapes[0] - at_rest), variance)
        moved, step = moved + float(found[0]), float(found[2])
    return moved, sigma, step


def _cell_mean(ends: Array, power: int, blur: float) -> Array:
    """Mean over each voxel of the blurred power of the distance beyond the face."""
    integral = blurred_power(distance=ends, power=power + 1, blur=blur) / (power + 1)
    return np.asarray(np.diff(integral, axis=1)[:, 0] / np.diff(ends, axis=1)[:, 0])


def _fitted(design: Array, values: Array, variance: Array) -> tuple[Array, float]:
    """Coefficients, and the first one's standard deviation, by the residuals where they exceed the noise."""
    weight = 1 / np.sqrt(np.maximum(variance, 1e-30))
    scale = np.abs(design).max(axis=0)
    inverse = np.linalg.pinv(design / scale * weight[:, None])
    found = inverse @ (values * weight)
    left = values * weight - design / scale * weight[:, None] @ found
    spread = max(float(left @ left) / max(values.size - found.size, 1), 1.0)
    return found / scale, float(np.linalg.norm(inverse[0]) * math.sqrt(spread) / scale[0])


def _seen_nearer(change: float, structure: Structure) -> float:
    """How far a face seems to move because the cathode behind it has changed; see `edge_shift_from_contrast`."""
    spread = math.hypot(structure.blur, structure.voxel / math.sqrt(12))
    chord = math.pi / 2 * structure.radius
    contrast = structure.collector.above - structure.collector.below

    def shift(contrast: float) -> float:
        return math.copysign(edge_shift_from_contrast(contrast=contrast, chord=chord, spread=spread), contrast)

    return shift(contrast + change) - shift(contrast)
