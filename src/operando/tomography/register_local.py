"""Last refinement of a registration: each modality as a locally linear function of the other.

Mutual information finds the place but is biased by tenths of a voxel, because partly filled voxels count as classes
of their own. Across one interface, however, both modalities are mixtures of the same two materials in the same
shares, so one is a linear function of the other there, whatever the contrasts and their signs. Fitting that function
in a small window around every voxel leaves a residual that vanishes where the volumes match.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from operando.frames import Array, Grid, transformed

WINDOW = 1.5
"""Standard deviation of the window, in the larger voxel: wide enough for one interface, too narrow for two."""

ITERATIONS = 20


def locally_refined(
    *,
    fixed: Array,
    fixed_grid: Grid,
    moving: Array,
    moving_grid: Grid,
    where: Array,
    use: Array,
    start: Array,
    scale: bool,
) -> Array:
    """Refine `start`, an affine from fixed to moving world points [m], by Gauss-Newton steps.

    Parameters
    ----------
    where:
        Valid voxels of the fixed volume.
    use:
        Those of them whose residuals count.
    """
    target = np.asarray(fixed, dtype=np.float32)
    spline = ndimage.spline_filter(np.asarray(moving, dtype=np.float32), order=3, output=np.float32)
    voxel = max(*fixed_grid.spacing, *moving_grid.spacing)
    sigma = [WINDOW * voxel / s for s in fixed_grid.spacing]
    middle = transformed((np.array(fixed_grid.shape[::-1]) - 1) / 2, fixed_grid.index_to_world())
    length = float(max(np.array(fixed_grid.shape) * fixed_grid.spacing)) / 4
    z, y, x = np.meshgrid(
        *((fixed_grid.coordinate(a) - m) / length for a, m in zip("zyx", middle[::-1], strict=True)),
        indexing="ij",
        sparse=True,
    )
    weight = where.astype(np.float32)
    norm = np.maximum(ndimage.gaussian_filter(weight, sigma, truncate=2.5), 1e-3)

    def mean(values: Array) -> Array:
        return np.asarray(ndimage.gaussian_filter(values * weight, sigma, truncate=2.5) / norm)

    mean_f = mean(target)
    affine = start
    mean_f = mean(target)
    for _ in range(ITERATIONS):
        to_index = np.linalg.inv(moving_grid.index_to_world()) @ affine @ fixed_grid.index_to_world()
        moved = ndimage.affine_transform(
            spline, to_index[2::-1, 2::-1], to_index[2::-1, 3], fixed.shape, order=3, prefilter=False, mode="nearest"
        )
        mean_m = mean(moved)
        variance = np.maximum(mean(moved**2) - mean_m**2, 0)
        # where the moving volume is flat it says nothing, and its noise must not pass for a relation
        gain = (mean(moved * target) - mean_m * mean_f) / (variance + 1e-3 * float(variance[where].mean()))
        residual = (target - mean_f - gain * (moved - mean_m))[use]
        sz, sy, sx = ((gain * slope)[use] for slope in np.gradient(moved, *fixed_grid.spacing))
        zu, yu, xu = (np.broadcast_to(lever, fixed.shape)[use] for lever in (z, y, x))
        columns = [sx, sy, sz, sz * yu - sy * zu, sx * zu - sz * xu, sy * xu - sx * yu]
        if scale:
            columns.append(sx * xu + sy * yu + sz * zu)
        design = np.stack(columns, axis=1)
        limit = 3 * 1.4826 * float(np.median(np.abs(residual)))
        robust = np.minimum(1.0, limit / np.maximum(np.abs(residual), 1e-30))
        step = np.linalg.lstsq(design.T @ (robust[:, None] * design), design.T @ (robust * residual), rcond=None)[0]
        affine = affine @ _change(step, middle, length)
        if np.abs(step).max() < 5e-3 * min(fixed_grid.spacing):
            break
    return affine


def _change(step: Array, middle: Array, length: float) -> Array:
    """Affine of a small rotation and scale about `middle`, and a shift."""
    change = np.eye(4)
    factor = np.exp(step[6] / length) if step.size > 6 else 1.0
    change[:3, :3] = factor * Rotation.from_rotvec(step[3:6] / length).as_matrix()
    change[:3, 3] = middle - change[:3, :3] @ middle + step[:3]
    return change
