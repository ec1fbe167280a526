"""Refinement of a registration from several starts, and what their agreement says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from operando.errors import InputError
from operando.frames import Array, Grid, transformed
from operando.tomography.register_local import locally_refined
from operando.tomography.register_refine import image_from_volume, refined
from operando.tomography.register_search import coarse


@dataclass(frozen=True)
class RegistrationSettings:
    """How to search.

    Attributes
    ----------
    rotations:
        ``"about_z"``: all angles about z, both ways up. ``"all"``: any orientation.
    scale:
        Whether the moving volume's voxel size is in doubt, so that an isotropic scale is fitted.
    height_search:
        Largest shift along z that is tried, as a fraction of the fixed volume's height.
    starts:
        How many starts around the best one are refined; their scatter is the uncertainty.
    search_voxels, refine_voxels:
        Longest side of the volumes on which rotations are searched and refined; larger volumes are averaged down.
    seed:
        Of the voxels that are sampled.
    """

    rotations: Literal["about_z", "all"] = "about_z"
    scale: bool = True
    height_search: float = 0.2
    starts: int = 5
    search_voxels: int = 50
    refine_voxels: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if self.starts < 3:
            raise InputError("registration starts", must="at least 3, to see whether they agree", received=self.starts)
        if not 0 <= self.height_search <= 1:
            raise InputError("registration height_search", must="between 0 and 1", received=self.height_search)


def refinements(
    *,
    fixed: Array,
    fixed_grid: Grid,
    moving: Array,
    moving_grid: Grid,
    where: Array,
    start: Array,
    settings: RegistrationSettings,
) -> list[Array]:
    """Refine several starts near `start` [m], each on another half of the volume; `where` is the valid part."""
    small, grid = coarse(fixed, fixed_grid, voxels=settings.refine_voxels)
    inside = coarse(where, fixed_grid, voxels=settings.refine_voxels)[0] > 0.5
    other, other_grid = coarse(moving, moving_grid, voxels=settings.refine_voxels)
    length = min(grid.spacing)
    images = [
        image_from_volume(values.astype(kind), of, length=length)
        for values, kind, of in ((small, "f4", grid), (other, "f4", other_grid), (inside, "u1", grid))
    ]
    rng = np.random.default_rng(settings.seed)
    results = []
    for k, neighbour in enumerate(_neighbours(start, grid, settings, rng)):
        near = refined(
            fixed=images[0],
            moving=images[1],
            mask=images[2],
            start=neighbour,
            length=length,
            scale=settings.scale,
            seed=settings.seed + 1 + k,
        )
        result = locally_refined(
            fixed=small,
            fixed_grid=grid,
            moving=other,
            moving_grid=other_grid,
            where=inside,
            use=inside & _half(grid.shape, rng),
            start=near,
            scale=settings.scale,
        )
        results.append(result)
    return results


def consensus(affines: list[Array], grid: Grid) -> tuple[Array, Array]:
    """Return the mean of the affines that lie within a voxel of the medoid, and each one's distance from it [m]."""
    ends = [np.array([0.15, 0.85]) * (n - 1) for n in grid.shape[::-1]]
    points = transformed(np.stack(np.meshgrid(*ends), axis=-1).reshape(-1, 3), grid.index_to_world())
    mapped = np.stack([transformed(points, affine) for affine in affines])
    apart = np.sqrt(((mapped[:, None] - mapped[None]) ** 2).sum(axis=-1).mean(axis=-1))
    medoid = int(np.median(apart, axis=1).argmin())
    near = apart[medoid] < min(grid.spacing)
    mean = np.mean([a for a, use in zip(affines, near, strict=True) if use], axis=0)
    u, s, v = np.linalg.svd(mean[:3, :3])
    consensus = mean.copy()
    consensus[:3, :3] = (u @ v) * s.mean()
    consensus[:3, 3] += mean[:3, :3] @ points.mean(axis=0) - consensus[:3, :3] @ points.mean(axis=0)
    distances = np.sqrt(((mapped - transformed(points, consensus)) ** 2).sum(axis=-1).mean(axis=-1))
    return consensus, distances


def _half(shape: tuple[int, int, int], rng: np.random.Generator) -> Array:
    """Choose a random half of the blocks of 8 x 8 x 8 voxels."""
    chosen = rng.random([n // 8 + 1 for n in shape]) < 0.5
    for axis, n in enumerate(shape):
        chosen = np.repeat(chosen, 8, axis=axis).take(range(n), axis=axis)
    return chosen


def _neighbours(start: Array, grid: Grid, settings: RegistrationSettings, rng: np.random.Generator) -> list[Array]:
    """Return the start itself, then starts turned about z and shifted by up to half a step of the search."""
    coarse_voxel = max(grid.spacing) * max(1, round(max(grid.shape) / settings.search_voxels))
    centre = transformed(np.array([(n - 1) / 2 for n in grid.shape[::-1]]), grid.index_to_world())
    starts = [start]
    for _ in range(settings.starts - 1):
        angle = np.deg2rad(rng.uniform(-1.5, 1.5))
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        turn[:3, 3] = centre - turn[:3, :3] @ centre + rng.uniform(-0.5, 0.5, 3) * coarse_voxel
        starts.append(start @ turn)
    return starts
