"""X-ray to neutron registration with a verdict of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from operando.errors import InputError
from operando.frames import Array, Grid, grid_of, transformed
from operando.tomography.marks import MarkedRegistration
from operando.tomography.register_refine import image_from_volume, refined, simple_itk
from operando.tomography.register_search import Search, coarse, search_about_axis, search_about_centre
from operando.tomography.verdict import Evidence, Status, status_from_evidence


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
    search_voxels:
        Longest side of the coarse volumes on which rotations are searched.
    seed:
        Of the voxels that are sampled.
    """

    rotations: Literal["about_z", "all"] = "about_z"
    scale: bool = True
    height_search: float = 0.2
    starts: int = 5
    search_voxels: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        if self.starts < 3:
            raise InputError("registration starts", must="at least 3, to see whether they agree", received=self.starts)
        if not 0 <= self.height_search <= 1:
            raise InputError("registration height_search", must="between 0 and 1", received=self.height_search)


@dataclass(frozen=True)
class Registration:
    """Where the moving volume lies in the fixed one's frame, and whether that can be believed.

    Attributes
    ----------
    affine:
        Moving to fixed world points ``(x, y, z, 1)`` [m], 4 x 4: it takes the moving frame into the fixed frame.
    scale:
        True size over stated size of the moving volume's voxels (1 where it was not fitted).
    uncertainty:
        One standard deviation of a mapped point, from the scatter of the starts [m].
    status, evidence:
        The verdict and what it rests on. Do not use `affine` unless ``status.succeeded``.
    """

    affine: Array
    scale: float
    uncertainty: float
    status: Status
    evidence: Evidence

    @property
    def angle_about_z(self) -> float:
        """Turn about z that takes the moving frame into the fixed one [rad], for volumes the same way up."""
        return float(np.arctan2(self.affine[1, 0], self.affine[0, 0]))


def registration_from_volumes(
    fixed: xr.DataArray,
    moving: xr.DataArray,
    *,
    settings: RegistrationSettings | None = None,
    mask: xr.DataArray | None = None,
) -> Registration:
    """Find the rotation, shift and scale between two volumes of one sample, of the same or of different modality.

    A global search over rotations gives the start; several neighbouring starts are refined, and their consensus is
    the result. The same search on the mirrored moving volume shows what a wrong pair would reach.

    Parameters
    ----------
    fixed, moving:
        Volumes with dims ``(z, y, x)`` and coordinates in metres; any unit.
    mask:
        Where the fixed volume is valid, on its grid. The cylinder inscribed in the field of view if absent.

    Raises
    ------
    InputError
        If a volume is not labelled, holds values that are not finite, or is constant.
    """
    settings = settings or RegistrationSettings()
    fixed_values, fixed_grid = _checked(fixed, "fixed volume")
    moving_values, moving_grid = _checked(moving, "moving volume")
    found = _search(fixed_values, fixed_grid, moving_values, moving_grid, settings)
    mirrored = _search(fixed_values, fixed_grid, moving_values[:, :, ::-1], moving_grid, settings)

    length = min(fixed_grid.spacing)
    where = _valid(fixed_grid) if mask is None else np.asarray(mask.values, dtype=bool)
    if where.shape != fixed_grid.shape:
        raise InputError("mask", must=f"of the fixed volume's shape {fixed_grid.shape}", received=where.shape)
    images = [
        image_from_volume(values.astype(np.float32, copy=False), grid, length=length)
        for values, grid in ((fixed_values, fixed_grid), (moving_values, moving_grid))
    ]
    image_mask = image_from_volume(where.astype(np.uint8), fixed_grid, length=length)
    results = [
        refined(
            fixed=images[0],
            moving=images[1],
            mask=image_mask,
            start=start,
            length=length,
            scale=settings.scale,
            seed=settings.seed + 1 + k,
        )
        for k, start in enumerate(_neighbours(found.affine, fixed_grid, settings))
    ]
    affine, distances = _consensus(results, fixed_grid)
    agreeing = distances < length
    scatter = float(np.sqrt(np.mean(distances[agreeing] ** 2))) if agreeing.any() else float(distances.min())
    evidence = Evidence(
        score=found.score,
        runner_up=found.runner_up,
        mirrored=mirrored.score,
        background=found.background,
        background_spread=found.background_spread,
        refined=found.scorer.score(affine),
        starts=len(results),
        agreeing=int(agreeing.sum()),
        disagreement=scatter / length,
        overlap=_overlap(affine, fixed_grid, moving_grid, where),
    )
    inverse = np.linalg.inv(affine)
    return Registration(
        affine=inverse,
        scale=float(np.cbrt(np.linalg.det(inverse[:3, :3]))),
        uncertainty=scatter,
        status=status_from_evidence(evidence=evidence),
        evidence=evidence,
    )


def resampled(
    moving: xr.DataArray, registration: Registration | MarkedRegistration, grid: Grid, *, outside: float = 0.0
) -> xr.DataArray:
    """Bring the moving volume onto a grid of the fixed frame by linear interpolation.

    Raises
    ------
    InputError
        If the registration failed, or no voxel of the grid falls into the moving volume.
    """
    sitk = simple_itk()

    if not registration.status.succeeded:
        raise InputError("registration", must="one that succeeded", received=registration.status.value)
    moving_grid = grid_of(moving)
    affine = np.linalg.inv(registration.affine)
    if _overlap(affine, grid, moving_grid, np.ones(grid.shape, dtype=bool)) == 0:
        raise InputError("grid", must="one that the moving volume covers in part", received="no common voxel")
    length = min(grid.spacing)
    transform = sitk.AffineTransform(affine[:3, :3].ravel().tolist(), (affine[:3, 3] / length).tolist())
    image = image_from_volume(np.asarray(moving.values), moving_grid, length=length)
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize([int(n) for n in grid.shape[::-1]])
    resampler.SetOutputSpacing([s / length for s in grid.spacing[::-1]])
    resampler.SetOutputOrigin([o / length for o in grid.origin[::-1]])
    resampler.SetTransform(transform)
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetDefaultPixelValue(outside)
    values = sitk.GetArrayFromImage(resampler.Execute(image))
    return grid.array(values, name=str(moving.name), units=moving.attrs.get("units", ""))


def _checked(volume: xr.DataArray, name: str) -> tuple[Array, Grid]:
    if tuple(volume.dims) != ("z", "y", "x"):
        raise InputError(name, must="an array with dims (z, y, x)", received=f"dims {tuple(volume.dims)}")
    grid = grid_of(volume)
    values = np.asarray(volume.values)
    if min(values.shape) < 8:
        raise InputError(name, must="at least 8 voxels along every axis", received=values.shape)
    if not np.isfinite(values).all():
        raise InputError(
            name,
            must="finite everywhere",
            received=f"{int((~np.isfinite(values)).sum())} voxels that are not",
            remedy="Fill them before registration and leave them out with a mask.",
        )
    if values.min() == values.max():
        raise InputError(name, must="an image of something", received=f"the constant {values.flat[0]}")
    return values, grid


def _search(fixed: Array, fixed_grid: Grid, moving: Array, moving_grid: Grid, settings: RegistrationSettings) -> Search:
    small_fixed, small_fixed_grid = coarse(fixed, fixed_grid, voxels=settings.search_voxels)
    small_moving, small_moving_grid = coarse(moving, moving_grid, voxels=settings.search_voxels)
    search = search_about_axis if settings.rotations == "about_z" else search_about_centre
    return search(
        fixed=small_fixed,
        fixed_grid=small_fixed_grid,
        moving=small_moving,
        moving_grid=small_moving_grid,
        height_search=settings.height_search * fixed_grid.shape[0] * fixed_grid.spacing[0],
        seed=settings.seed,
    )


def _valid(grid: Grid) -> Array:
    """Cylinder about z that the field of view contains."""
    x, y = (2 * np.arange(n) / (n - 1) - 1 for n in grid.shape[:0:-1])
    return np.broadcast_to(np.hypot(*np.meshgrid(x, y)) <= 0.95, grid.shape)


def _neighbours(start: Array, grid: Grid, settings: RegistrationSettings) -> list[Array]:
    """Return the start itself, then starts turned about z and shifted by up to half a step of the search."""
    rng = np.random.default_rng(settings.seed)
    coarse_voxel = max(grid.spacing) * max(1, -(-max(grid.shape) // settings.search_voxels))
    centre = transformed(np.array([(n - 1) / 2 for n in grid.shape[::-1]]), grid.index_to_world())
    starts = [start]
    for _ in range(settings.starts - 1):
        angle = np.deg2rad(rng.uniform(-1.5, 1.5))
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        turn[:3, 3] = centre - turn[:3, :3] @ centre + rng.uniform(-0.5, 0.5, 3) * coarse_voxel
        starts.append(start @ turn)
    return starts


def _consensus(affines: list[Array], grid: Grid) -> tuple[Array, Array]:
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


def _overlap(affine: Array, fixed_grid: Grid, moving_grid: Grid, where: Array) -> float:
    """Fraction of the fixed volume (every few voxels) that falls inside the moving one."""
    stride = tuple(slice(None, None, max(1, n // 32)) for n in fixed_grid.shape)
    index = np.argwhere(where[stride])[:, ::-1] * [s.step for s in stride[::-1]]
    world = transformed(index.astype(float), fixed_grid.index_to_world())
    inside = transformed(world, np.linalg.inv(moving_grid.index_to_world()) @ affine)
    limit = np.array(moving_grid.shape[::-1]) - 0.5
    return float(np.mean(((inside > -0.5) & (inside < limit)).all(axis=1))) if len(index) else 0.0
