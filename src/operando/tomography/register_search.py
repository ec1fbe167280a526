"""Global search for the rotation between two volumes of one sample.

A cell is nearly a body of revolution, and its outline dominates any similarity of images whatever the angle. What
knows the angle is what is left after subtracting the average over all turns about the axis: wrinkled foils, seams,
grains. The search therefore compares these residuals, by their mutual information, over all angles, both ways up.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from operando.frames import Array, Grid, transformed

LEVELS = 16
"""Equally populated grey levels in which mutual information is counted."""


PEAK = np.deg2rad(15.0)
"""Rotations closer than this belong to one peak."""

BLOCK = 4
"""Coarse voxels along a block; what the image says in one block counts as one statement."""


@dataclass(frozen=True)
class Search:
    """What a search over rotations found.

    Attributes
    ----------
    best, rival:
        Fixed to moving world points of the best start, and of the best one whose rotation differs by more than
        `PEAK`, 4 x 4 [m].
    scorer:
        Scores any other affine in the same way.
    """

    best: Array
    rival: Array
    scorer: Scorer


class Scorer:
    """Mutual information between samples of a fixed volume and a moving volume under an affine."""

    def __init__(self, fixed: Array, fixed_grid: Grid, moving: Array, moving_grid: Grid, *, weight: Array, seed: int):
        rng = np.random.default_rng(seed)
        candidates = np.flatnonzero(weight)
        share = weight.ravel()[candidates] / weight.sum()
        count = min(12_000, candidates.size)
        chosen = np.sort(rng.choice(candidates, count, replace=False, p=share))
        index = np.stack(np.unravel_index(chosen, fixed.shape)[::-1], axis=-1).astype(float)
        self.points = transformed(index, fixed_grid.index_to_world())
        self._rows = LEVELS * _levels(fixed.ravel()[chosen], fixed.ravel()[chosen]).astype(np.intp)
        self._moving = np.pad(_levels(moving, moving), 1, constant_values=_levels(np.zeros(1), moving)[0])
        blocks = np.ravel_multi_index((index.T[::-1] // BLOCK).astype(int), [n // BLOCK + 1 for n in fixed.shape])
        self._blocks = np.unique(blocks, return_inverse=True)[1]
        self._to_index = np.linalg.inv(moving_grid.index_to_world())
        self._limit = np.array(moving.shape[::-1]) + 1

    def after(self, affine: Array) -> Scorer:
        """Return the scorer of the moving volume as it was before `affine` brought it here."""
        other = copy(self)
        other._to_index = self._to_index @ np.linalg.inv(affine)
        return other

    def score(self, affine: Array) -> float:
        """Return the mutual information [nat] for an affine from fixed to moving world points."""
        joint, information = self._information(affine)
        return float(np.bincount(joint, minlength=LEVELS * LEVELS) @ information / joint.size)

    def statements(self, affine: Array) -> Array:
        """Return what each block of the fixed volume adds to the mutual information [nat]."""
        joint, information = self._information(affine)
        return np.bincount(self._blocks, information[joint]) / joint.size

    def _information(self, affine: Array) -> tuple[Array, Array]:
        """Pair of levels at each point, and the pointwise information of each pair."""
        index = np.rint(transformed(self.points, self._to_index @ affine)).astype(np.intp) + 1
        x, y, z = np.clip(index, 0, self._limit).T
        joint = self._rows + self._moving[z, y, x]
        p = np.bincount(joint, minlength=LEVELS * LEVELS).reshape(LEVELS, LEVELS) / joint.size
        independent = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
        seen = p > 0
        return joint, np.log(p, out=np.zeros_like(p), where=seen).ravel() - np.log(
            independent, out=np.zeros_like(p), where=seen
        ).ravel()


def advantage(one: Scorer, affine: Array, other: Scorer, rival: Array) -> float:
    """By how many standard deviations the blocks of the fixed volume prefer one affine to another.

    A paired test: the difference of the two scores over its error from the scatter between blocks.
    """
    difference = one.statements(affine) - other.statements(rival)
    error = np.sqrt(((difference - difference.mean()) ** 2).sum())
    return float(difference.sum() / max(error, 1e-300))


def polished(scorer: Scorer, start: Array, *, grid: Grid) -> Array:
    """Climb to the nearest maximum of the score, in shifts and turns that halve down to a quarter of a voxel."""
    step = max(grid.spacing)
    extent = np.array(grid.shape[::-1]) * grid.spacing[::-1]
    middle = transformed((np.array(grid.shape[::-1]) - 1) / 2, grid.index_to_world())
    best, highest = start, scorer.score(start)
    moves = np.vstack([np.eye(6), -np.eye(6)]) * ([1.0] * 3 + [3.0 / float(extent.max())] * 3)
    while step >= max(grid.spacing) / 4:
        trials = []
        for move in moves * step:
            change = np.eye(4)
            change[:3, :3] = Rotation.from_rotvec(move[3:]).as_matrix()
            change[:3, 3] = middle - change[:3, :3] @ middle + move[:3]
            trials.append(best @ change)
        scores = [scorer.score(trial) for trial in trials]
        if max(scores) > highest:
            best, highest = trials[int(np.argmax(scores))], max(scores)
        else:
            step /= 2
    return best


def search_about_axis(
    *, fixed: Array, fixed_grid: Grid, moving: Array, moving_grid: Grid, height_search: float, seed: int
) -> Search:
    """Search all angles about z, both ways up, and shifts along z of up to `height_search` [m].

    Parameters
    ----------
    fixed, moving:
        Coarse volumes ``(z, y, x)``.
    """
    centres = [axis_centre(fixed, fixed_grid), axis_centre(moving, moving_grid)]
    details = [asymmetry(fixed, fixed_grid, centres[0]), asymmetry(moving, moving_grid, centres[1])]
    weight = np.minimum(np.abs(details[0]), np.quantile(np.abs(details[0]), 0.95))
    scorer = Scorer(details[0], fixed_grid, details[1], moving_grid, seed=seed, weight=weight * _inscribed(fixed_grid))
    step = max(fixed_grid.spacing[0], moving_grid.spacing[0])
    lifts = step * np.arange(-int(height_search / step), int(height_search / step) + 1)
    angles = np.deg2rad(np.arange(0.0, 360.0, 3.0))
    scores = np.empty((2, angles.size, lifts.size))
    for up in range(2):
        for a, angle in enumerate(angles):
            for k, lift in enumerate(lifts):
                scores[up, a, k] = scorer.score(affine_about(*centres, angle=angle, upside_down=bool(up), lift=lift))
    peaks = [
        polished(scorer, affine_about(*centres, angle=angles[a], upside_down=bool(up), lift=lifts[k]), grid=fixed_grid)
        for up, a, k in _peaks(scores, angles)
    ]
    peaks.sort(key=scorer.score, reverse=True)
    rivals = [peak for peak in peaks if _angle_between(peaks[0], peak) > PEAK]
    return Search(peaks[0], rivals[0], scorer)


def search_about_centre(
    *, fixed: Array, fixed_grid: Grid, moving: Array, moving_grid: Grid, height_search: float, seed: int
) -> Search:
    """Search all orientations, then all angles about the fixed volume's axis from the best of them.

    The outline gives the orientation of the axis, and what is left of it gives the angle, as in `search_about_axis`.
    """
    centres = [_centroid(fixed, fixed_grid), _centroid(moving, moving_grid)]
    scorer = Scorer(fixed, fixed_grid, moving, moving_grid, weight=_inscribed(fixed_grid), seed=seed)
    candidates = []
    for rotation in _orientations(6000):
        affine = np.eye(4)
        affine[:3, :3] = rotation
        affine[:3, 3] = centres[1] - rotation @ centres[0]
        candidates.append(affine)
    candidates.sort(key=scorer.score, reverse=True)
    apart: list[Array] = []
    for affine in candidates:
        if all(_angle_between(affine, other) > PEAK for other in apart):
            apart.append(affine)
        if len(apart) == 12:
            break
    upright = max((polished(scorer, affine, grid=fixed_grid) for affine in apart), key=scorer.score)
    to_index = np.linalg.inv(moving_grid.index_to_world()) @ upright @ fixed_grid.index_to_world()
    turned = ndimage.affine_transform(
        moving, to_index[2::-1, 2::-1], to_index[2::-1, 3], fixed.shape, order=1, mode="nearest"
    )
    found = search_about_axis(
        fixed=fixed,
        fixed_grid=fixed_grid,
        moving=turned,
        moving_grid=fixed_grid,
        height_search=height_search,
        seed=seed,
    )
    return Search(upright @ found.best, upright @ found.rival, found.scorer.after(upright))


def affine_about(fixed_centre: Array, moving_centre: Array, *, angle: float, upside_down: bool, lift: float) -> Array:
    """Affine from fixed to moving points: a turn about z through the centres, after one about x if upside down."""
    c, s = np.cos(angle), np.sin(angle)
    rotation = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    if upside_down:
        rotation = rotation @ np.diag([1.0, -1.0, -1.0])
    affine = np.eye(4)
    affine[:3, :3] = rotation
    affine[:3, 3] = moving_centre - rotation @ fixed_centre + [0.0, 0.0, lift]
    return affine


def axis_centre(volume: Array, grid: Grid) -> Array:
    """World point on the symmetry axis, half-way up.

    The centre c of a body of revolution is where the mean slice equals its own point reflection best: the
    maximum of its convolution with itself lies at 2 c.
    """
    image = volume.mean(axis=0)
    image = image - np.median(image)
    transform = np.fft.rfft2(image, [2 * n for n in image.shape])
    reflected = np.fft.irfft2(transform * transform, [2 * n for n in image.shape])
    row, column = np.unravel_index(reflected.argmax(), reflected.shape)
    index = np.array([column / 2, row / 2, (volume.shape[0] - 1) / 2])
    return transformed(index, grid.index_to_world())


def asymmetry(volume: Array, grid: Grid, centre: Array) -> Array:
    """Volume less its average over all turns about the axis through `centre`."""
    x, y = np.meshgrid(grid.coordinate("x") - centre[0], grid.coordinate("y") - centre[1])
    radius = np.hypot(x, y).ravel() / max(grid.spacing[1:])
    inner = radius.astype(int)
    share = radius - inner
    count = np.bincount(inner, 1 - share, inner.max() + 2) + np.bincount(inner + 1, share, inner.max() + 2)
    residual = np.empty_like(volume)
    for k, values in enumerate(volume.reshape(volume.shape[0], -1)):
        total = np.bincount(inner, (1 - share) * values, count.size) + np.bincount(
            inner + 1, share * values, count.size
        )
        ring = total / np.maximum(count, 1e-9)
        residual[k] = (values - (1 - share) * ring[inner] - share * ring[inner + 1]).reshape(volume.shape[1:])
    return residual


def coarse(volume: Array, grid: Grid, *, voxels: int) -> tuple[Array, Grid]:
    """Average cubes of voxels until the longest side has about as many as `voxels`."""
    factor = max(1, round(max(volume.shape) / voxels))
    nz, ny, nx = (max(1, n // factor) for n in volume.shape)
    fz, fy, fx = (min(factor, n) for n in volume.shape)
    cut = volume[: nz * fz, : ny * fy, : nx * fx].reshape(nz, fz, ny, fy, nx, fx)
    spacing = tuple(s * f for s, f in zip(grid.spacing, (fz, fy, fx), strict=True))
    origin = tuple(o + s * (f - 1) / 2 for o, s, f in zip(grid.origin, grid.spacing, (fz, fy, fx), strict=True))
    mean = cut.mean(axis=(1, 3, 5), dtype=np.float64)
    return mean, Grid(shape=(nz, ny, nx), spacing=spacing, origin=origin)


def _peaks(scores: Array, angles: Array, count: int = 8) -> list[tuple[int, int, int]]:
    """Indices of the highest scores, each more than `PEAK` from those before it; at least one for each way up."""
    left = scores.copy()
    found: list[tuple[int, int, int]] = []
    for turn in range(count):
        eligible = left[turn % 2 : turn % 2 + 1] if turn < 2 else left
        up, a, k = (int(i) for i in np.unravel_index(eligible.argmax(), eligible.shape))
        up = turn if turn < 2 else up
        found.append((up, a, k))
        left[up, np.abs((angles - angles[a] + np.pi) % (2 * np.pi) - np.pi) <= PEAK] = -np.inf
    return found


def _angle_between(one: Array, other: Array) -> float:
    """Angle of the rotation that leads from one affine to the other [rad]."""
    return float(Rotation.from_matrix(one[:3, :3].T @ other[:3, :3]).magnitude())


def _centroid(volume: Array, grid: Grid) -> Array:
    """Centre of what differs from the background, the grey value at the border of the volume."""
    border = np.ones(volume.shape, dtype=bool)
    border[1:-1, 1:-1, 1:-1] = False
    index = ndimage.center_of_mass(np.abs(volume - np.median(volume[border])))
    return transformed(np.array(index[::-1]), grid.index_to_world())


def _orientations(count: int) -> Array:
    """Rotations spread evenly over all orientations: the super-Fibonacci spiral (doi:10.1109/CVPR52688.2022.00811)."""
    s = (np.arange(count) + 0.5) / count
    first, second = 2 * np.pi * count * s / np.sqrt(2), 2 * np.pi * count * s / 1.533751168755204288118041
    quaternions = np.stack(
        [
            np.sqrt(s) * np.sin(first),
            np.sqrt(s) * np.cos(first),
            np.sqrt(1 - s) * np.sin(second),
            np.sqrt(1 - s) * np.cos(second),
        ],
        axis=-1,
    )
    return np.asarray(Rotation.from_quat(quaternions).as_matrix())


def _inscribed(grid: Grid) -> Array:
    """Weight one inside the cylinder about z that the grid contains, outside of which no parallel beam has looked."""
    x, y = (2 * np.arange(n) / (n - 1) - 1 if n > 1 else np.zeros(1) for n in grid.shape[:0:-1])
    inside = np.hypot(*np.meshgrid(x, y)) <= 0.95
    return np.broadcast_to(inside, grid.shape).astype(float)


def _levels(values: Array, population: Array) -> Array:
    cuts = np.quantile(population, np.linspace(0, 1, LEVELS + 1)[1:-1])
    return np.searchsorted(cuts, values).astype(np.uint8)
