"""Sub-voxel drift of the sample between scans of one modality."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import xarray as xr
from scipy import ndimage

from operando.errors import InputError
from operando.frames import Array, Grid, grid_of, transformed

POINTS = 120_000
"""Voxels that are compared; those with the steepest grey values tell most."""

BLOCK = 8
"""Voxels along a block; residuals in one block count as correlated, those of different blocks as independent."""

INTERPOLATION = 0.01
"""Error of interpolating an interface as sharp as a voxel, in voxels; all blocks share it, so it does not average."""


class DriftStatus(StrEnum):
    """Outcome of a drift estimate; the value is the message for people."""

    FOUND = "The drift was found."
    NOT_CONVERGED = "Drift estimate failed: it did not settle. The volumes may show different things."
    NO_EDGES = "Drift estimate failed: the mask holds too little that a shift would change."

    @property
    def succeeded(self) -> bool:
        """Whether the affine may be used."""
        return self is DriftStatus.FOUND


@dataclass(frozen=True)
class Drift:
    """Rigid motion between two scans.

    Attributes
    ----------
    affine:
        Moving to reference world points ``(x, y, z, 1)`` [m], 4 x 4.
    shift, shift_sigma:
        Motion of the sample's centre from reference to moving, ``(x, y, z)``, and its standard deviation [m].
    angle, angle_sigma:
        Turn about z from reference to moving, and its standard deviation [rad].
    """

    affine: Array
    shift: Array
    shift_sigma: Array
    angle: float
    angle_sigma: float
    status: DriftStatus


def drift_from_volumes(
    reference: xr.DataArray,
    moving: xr.DataArray,
    *,
    mask: xr.DataArray | None = None,
    rotation: bool = True,
) -> Drift:
    """Estimate how the sample moved between two volumes on one grid.

    Phase correlation gives the shift to a voxel; Gauss-Newton steps on ``moving(T x) - reference(x)``, with Huber
    weights against what changed in the cell, give the rest. The errors come from the scatter between blocks of
    voxels (a sandwich estimate), and so hold for noise that is correlated as reconstruction leaves it.

    Parameters
    ----------
    reference, moving:
        Volumes with dims ``(z, y, x)`` on the same grid, in the same unit.
    mask:
        Voxels to compare: best the casing and the pins, which cycling leaves alone. Everything if absent.
    rotation:
        Whether a small turn about z is estimated besides the shift.

    Raises
    ------
    InputError
        If the grids differ, a volume holds values that are not finite, or the mask is empty.
    """
    grid = _common_grid(reference, moving)
    first, second = (ndimage.gaussian_filter(np.asarray(v.values, dtype=np.float32), 1.0) for v in (reference, moving))
    where = np.ones(grid.shape, bool) if mask is None else np.asarray(mask.values, dtype=bool)
    if where.shape != grid.shape or not where.any():
        raise InputError("mask", must=f"true somewhere, of shape {grid.shape}", received=f"shape {where.shape}")
    shift = _whole_voxels(np.where(where, first, 0.0), np.where(where, second, 0.0))
    index, slopes, blocks = _points(first, where, np.abs(shift) + 3)
    parameters = np.zeros(4 if rotation else 3)
    parameters[:3] = shift
    if index.shape[1] < 1000:
        return _drift(parameters, np.full((4, 4), np.inf), grid, DriftStatus.NO_EDGES)

    spline = ndimage.spline_filter(second, order=3, output=np.float32)
    centre = (np.array(grid.shape) - 1)[:, None] / 2
    design = _design(slopes, index - centre, parameters.size)
    values = first[tuple(index)]
    converged = False
    for _ in range(30):
        moved = ndimage.map_coordinates(spline, _moved(index, centre, parameters), order=3, prefilter=False)
        residual = moved - values
        weight = _huber(residual)
        normal = design.T @ (weight[:, None] * design)
        step = np.linalg.lstsq(normal, design.T @ (weight * residual), rcond=None)[0]
        parameters = parameters - step
        if np.abs(step[:3]).max() < 1e-4 and (not rotation or abs(step[3]) * max(grid.shape) / 2 < 1e-4):
            converged = True
            break
    where_to = _moved(index, centre, parameters)
    slopes = np.stack([ndimage.map_coordinates(slope, where_to, order=1) for slope in np.gradient(second)])
    # the noise of one volume inflates its slopes' squares but not the product with the other volume's slopes
    normal = design.T @ (weight[:, None] * _design(slopes, index - centre, parameters.size))
    covariance = _sandwich(design, weight * residual, normal, blocks)
    settled = converged and np.abs(parameters[:3] - shift).max() < 3
    return _drift(parameters, covariance, grid, DriftStatus.FOUND if settled else DriftStatus.NOT_CONVERGED)


def _common_grid(reference: xr.DataArray, moving: xr.DataArray) -> Grid:
    for name, volume in (("reference", reference), ("moving", moving)):
        if tuple(volume.dims) != ("z", "y", "x"):
            raise InputError(name, must="an array with dims (z, y, x)", received=f"dims {tuple(volume.dims)}")
        if not np.isfinite(volume.values).all():
            raise InputError(name, must="finite everywhere", received="NaN or infinity")
    grid, other = grid_of(reference), grid_of(moving)
    if grid.shape != other.shape or not np.allclose(
        [*grid.spacing, *grid.origin], [*other.spacing, *other.origin], rtol=1e-6, atol=1e-6 * min(grid.spacing)
    ):
        raise InputError(
            "moving",
            must="on the grid of the reference, as scans of one instrument are",
            received=f"shape {other.shape}, origin {other.origin}",
            remedy="Use registration_from_volumes for different frames.",
        )
    return grid


def _whole_voxels(reference: Array, moving: Array) -> Array:
    """Shift from reference to moving in whole voxels, by phase correlation."""
    a, b = np.fft.rfftn(reference - reference.mean()), np.fft.rfftn(moving - moving.mean())
    cross = np.conj(a) * b
    magnitude = np.abs(cross)
    if not magnitude.any():
        return np.zeros(3)
    peak = np.fft.irfftn(cross / (magnitude + 1e-3 * magnitude.max()), reference.shape, axes=(0, 1, 2))
    index = np.array(np.unravel_index(peak.argmax(), peak.shape))
    return np.where(index > np.array(peak.shape) // 2, index - np.array(peak.shape), index).astype(float)


def _points(reference: Array, where: Array, margin: Array) -> tuple[Array, Array, Array]:
    """Indices (3, n) of the steepest voxels in the mask, their slopes (3, n), and the block each belongs to."""
    slopes = np.stack(list(np.gradient(reference)))
    steepness = np.where(where, (slopes**2).sum(axis=0), 0.0)
    inside = np.zeros(reference.shape, dtype=bool)
    inside[tuple(slice(int(m), n - int(m)) for m, n in zip(margin, reference.shape, strict=True))] = True
    candidates = np.flatnonzero(inside & (steepness > 0))
    chosen = np.sort(candidates[np.argsort(-steepness.ravel()[candidates], kind="stable")[:POINTS]])
    index = np.stack(np.unravel_index(chosen, reference.shape)).astype(np.intp)
    blocks = np.ravel_multi_index(tuple(index // BLOCK), [n // BLOCK + 1 for n in reference.shape])
    return index, slopes.reshape(3, -1)[:, chosen].astype(float), np.unique(blocks, return_inverse=True)[1]


def _design(slopes: Array, lever: Array, count: int) -> Array:
    """Change of the grey value with each of `count` parameters (n, count): shifts along z, y, x and a turn about z."""
    turn = slopes[1] * lever[2] - slopes[2] * lever[1]
    return np.vstack([slopes, turn])[:count].T


def _moved(index: Array, centre: Array, parameters: Array) -> Array:
    """Voxel indices after a turn about z through the grid's centre, and a shift."""
    angle = parameters[3] if parameters.size > 3 else 0.0
    c, s = np.cos(angle), np.sin(angle)
    z, y, x = index - centre
    return np.stack([z, s * x + c * y, c * x - s * y]) + centre + parameters[:3, None]


def _huber(residual: Array) -> Array:
    """Weights that bound the pull of voxels whose content changed."""
    limit = 1.5 * 1.4826 * np.median(np.abs(residual))
    return np.minimum(1.0, limit / np.maximum(np.abs(residual), 1e-30)) if limit > 0 else np.ones_like(residual)


def _sandwich(design: Array, weighted: Array, normal: Array, blocks: Array) -> Array:
    """Covariance of the parameters from the scatter of the score between blocks."""
    scores = np.stack([np.bincount(blocks, column * weighted) for column in design.T])
    inverse = np.linalg.pinv(normal)
    return inverse @ (scores @ scores.T) @ inverse.T


def _drift(parameters: Array, covariance: Array, grid: Grid, status: DriftStatus) -> Drift:
    sigma = np.sqrt(np.diag(covariance))
    angle = float(parameters[3]) if parameters.size > 3 else 0.0
    spacing = np.array(grid.spacing)
    shift = (parameters[:3] * spacing)[::-1]
    c, s = np.cos(angle), np.sin(angle)
    forward = np.eye(4)
    forward[:2, :2] = [[c, -s], [s, c]]
    centre = transformed((np.array(grid.shape[::-1]) - 1) / 2, grid.index_to_world())
    forward[:3, 3] = centre + shift - forward[:3, :3] @ centre
    return Drift(
        affine=np.linalg.inv(forward),
        shift=shift,
        shift_sigma=(np.hypot(sigma[:3], INTERPOLATION) * spacing)[::-1],
        angle=angle,
        angle_sigma=float(sigma[3]) if parameters.size > 3 else 0.0,
        status=status,
    )
