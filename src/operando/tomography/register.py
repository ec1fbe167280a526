"""X-ray to neutron registration with a verdict of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import xarray as xr

from operando.errors import InputError
from operando.frames import Array, Grid, grid_of, transformed
from operando.tomography.marks import MarkedRegistration
from operando.tomography.register_refine import image_from_volume, simple_itk
from operando.tomography.register_search import Search, advantage, coarse, search_about_axis, search_about_centre
from operando.tomography.register_starts import RegistrationSettings, consensus, refinements
from operando.tomography.verdict import (
    RefinementEvidence,
    SearchEvidence,
    Status,
    status_from_evidence,
    status_from_search,
)

SYSTEMATIC = 0.05
"""Bias that partly filled voxels leave, in fixed voxels, as found on drawn cells of known position."""


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
        One standard deviation of a mapped point, from the scatter of the starts and `SYSTEMATIC` [m].
    status, search, refinement:
        The verdict and what it rests on; nothing was refined where the search had failed already. Do not use
        `affine` unless ``status.succeeded``.
    """

    affine: Array
    scale: float
    uncertainty: float
    status: Status
    search: SearchEvidence
    refinement: RefinementEvidence | None

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

    A global search over rotations gives the start; several neighbouring starts are refined, each on another random
    half of the volume, so that their scatter about the consensus is its standard error (half-sampling). The same
    search on the mirrored moving volume shows what a wrong pair would reach.

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
    if mask is not None and mask.shape != fixed_grid.shape:
        raise InputError("mask", must=f"of the fixed volume's shape {fixed_grid.shape}", received=mask.shape)
    flipped = moving_values[:, :, ::-1]
    where = _inscribed(fixed_grid) if mask is None else np.asarray(mask.values, dtype=bool)
    found = _search(fixed_values, fixed_grid, moving_values, moving_grid, settings)
    mirrored = _search(fixed_values, fixed_grid, flipped, moving_grid, settings)
    judged = partial(_judged, fixed=fixed_values, fixed_grid=fixed_grid, moving_grid=moving_grid, where=where)
    registration = judged(found, mirrored, moving=moving_values, settings=settings)
    if registration.status is Status.MIRRORED:
        # strangers can look alike at one angle by chance; a true mirror image also passes what follows the search
        image = judged(mirrored, found, moving=flipped, settings=settings)
        if not image.status.succeeded:
            return replace(registration, status=Status.AMBIGUOUS)
    return registration


def _judged(
    found: Search,
    mirrored: Search,
    *,
    fixed: Array,
    fixed_grid: Grid,
    moving: Array,
    moving_grid: Grid,
    where: Array,
    settings: RegistrationSettings,
) -> Registration:
    """Refine what a search found, unless it is condemned already, and judge it."""
    search = SearchEvidence(
        score=found.scorer.score(found.best),
        runner_up=found.scorer.score(found.rival),
        mirrored=mirrored.scorer.score(mirrored.best),
        over_runner_up=advantage(found.scorer, found.best, found.scorer, found.rival),
        over_mirrored=advantage(found.scorer, found.best, mirrored.scorer, mirrored.best),
    )
    objection = status_from_search(evidence=search)
    if objection is not None:
        return _registration(found.best, float("nan"), objection, search, None)

    affines = refinements(
        fixed=fixed,
        fixed_grid=fixed_grid,
        moving=moving,
        moving_grid=moving_grid,
        where=where,
        start=found.best,
        settings=settings,
    )
    voxel = min(fixed_grid.spacing)
    affine, distances = consensus(affines, fixed_grid)
    agreeing = distances < voxel
    scatter = float(np.sqrt(np.mean(distances[agreeing] ** 2))) if agreeing.any() else float(distances.min())
    refinement = RefinementEvidence(
        refined=found.scorer.score(affine),
        starts=len(affines),
        agreeing=int(agreeing.sum()),
        disagreement=scatter / voxel,
        overlap=_overlap(affine, fixed_grid, moving_grid, where),
    )
    status = status_from_evidence(search=search, refinement=refinement)
    return _registration(affine, float(np.hypot(scatter, SYSTEMATIC * voxel)), status, search, refinement)


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


def _registration(
    fixed_to_moving: Array,
    uncertainty: float,
    status: Status,
    search: SearchEvidence,
    refinement: RefinementEvidence | None,
) -> Registration:
    affine = np.linalg.inv(fixed_to_moving)
    scale = float(np.cbrt(np.linalg.det(affine[:3, :3])))
    return Registration(affine, scale, uncertainty, status, search, refinement)


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


def _inscribed(grid: Grid) -> Array:
    """Cylinder about z that the field of view contains."""
    x, y = (2 * np.arange(n) / (n - 1) - 1 for n in grid.shape[:0:-1])
    return np.broadcast_to(np.hypot(*np.meshgrid(x, y)) <= 0.95, grid.shape)


def _overlap(affine: Array, fixed_grid: Grid, moving_grid: Grid, where: Array) -> float:
    """Fraction of the fixed volume (every few voxels) that falls inside the moving one."""
    stride = tuple(slice(None, None, max(1, n // 32)) for n in fixed_grid.shape)
    index = np.argwhere(where[stride])[:, ::-1] * [s.step for s in stride[::-1]]
    world = transformed(index.astype(float), fixed_grid.index_to_world())
    inside = transformed(world, np.linalg.inv(moving_grid.index_to_world()) @ affine)
    limit = np.array(moving_grid.shape[::-1]) - 0.5
    return float(np.mean(((inside > -0.5) & (inside < limit)).all(axis=1))) if len(index) else 0.0
