"""Susceptibility of every particle of a known geometry from a magnetic map, and whether the map tells it at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.ndimage import center_of_mass, find_objects

from operando.errors import InputError
from operando.frames import COMPONENTS, Grid, grid_of
from operando.magnetism.particle_fields import (
    Magnetised,
    MapPixels,
    body_fields,
    labels_from_labelled,
    pixels_from_map,
)
from operando.magnetism.particle_outlines import outlines_from_labels
from operando.magnetism.particle_prior import Prior, independent_prior, smooth_prior
from operando.magnetism.particle_solver import Design, Solution, solve_particles
from operando.magnetism.particle_verdict import ParticleVerdict, verdicts_from_information
from operando.units import Measured, in_units

Array = npt.NDArray[Any]

_DEPTHS = 3
"""Planes at which a layer of centres is sampled, by Gauss and Legendre."""


@dataclass(frozen=True)
class Exposure:
    """How a section was magnetised and seen, and how well that is known.

    Attributes
    ----------
    applied_field:
        ``(x, y, z)`` [T], each with its error.
    standoff:
        From the section's surface to the nearest centres of the sensor [m].
    threshold:
        Standard deviation of a displacement that all outlines share, outward [m].
    outline, outline_length:
        Standard deviation of an outline's displacement from place to place, and the distance over which it is alike
        [m]. Labels on voxels err by some 0.3 voxels by themselves.
    thickness:
        Of the layer of centres [m].
    point_spread, mean_over_pixel:
        See `operando.magnetism.particle_fields.MapPixels`.
    """

    applied_field: tuple[Measured, Measured, Measured]
    standoff: Measured
    threshold: float = 0.0
    outline: float = 0.0
    outline_length: float = 0.0
    thickness: float = 0.0
    point_spread: float = 0.0
    mean_over_pixel: bool = False

    def __post_init__(self) -> None:
        if not any(b.value for b in self.applied_field):
            raise InputError("applied field", must="not zero", received=self.applied_field)
        if not self.standoff.value > 3 * self.standoff.sigma:
            raise InputError("stand-off", must="above zero by three standard deviations", received=self.standoff)
        for name in ("threshold", "outline", "outline_length", "thickness", "point_spread"):
            if not getattr(self, name) >= 0:
                raise InputError(name.replace("_", " "), must="zero or more [m]", received=getattr(self, name))

    def cases(self) -> dict[str, Magnetised]:
        """Ways of magnetising and seeing: as stated, with the stand-off one standard deviation off, and by axis."""
        applied = np.array([b.value for b in self.applied_field])
        height, error = self.standoff.value, self.standoff.sigma
        found = {"stated": self._seen(applied, height)}
        if error > 0:
            found |= {"near": self._seen(applied, height - error), "far": self._seen(applied, height + error)}
        for axis, b in zip(np.eye(3), self.applied_field, strict=True):
            if b.sigma > 0:
                found[f"applied field {'xyz'[int(axis @ [0, 1, 2])]}"] = self._seen(axis * b.sigma, height)
        return found

    def _seen(self, applied: Array, height: float) -> Magnetised:
        if not self.thickness:
            return Magnetised(applied, (height,))
        nodes, shares = np.polynomial.legendre.leggauss(_DEPTHS)
        heights = tuple(float(height + self.thickness * (1 + node) / 2) for node in nodes)
        return Magnetised(applied, heights, tuple(float(share / 2) for share in shares))


LITHIUM_COBALT_OXIDE = Measured(2.2e-4, 0.9e-4)
"""Volume susceptibility of LixCoO2 of which nothing is known but its curve: mean and spread over x."""

VACUUM = Measured(0.0)


def particle_susceptibility(
    field: xr.DataArray,
    *,
    covariance: xr.DataArray,
    labels: xr.DataArray,
    exposure: Exposure,
    axis: Sequence[float] | Array | None = None,
    surroundings: Measured = VACUUM,
    expected: Measured = LITHIUM_COBALT_OXIDE,
    known: Mapping[int, Measured] | None = None,
    smooth: bool = False,
) -> xr.Dataset:
    """Find the susceptibility of every labelled particle.

    ``B = sum_p (chi_p - chi_0) F_p + offset + gradient`` with the field F_p of each particle alone, weighted by the
    map's covariance. Stand-off, applied field, threshold and local outlines are unknowns with their stated errors: what
    the map itself tells of them is used, and what it does not goes into the errors of all particles together.

    Parameters
    ----------
    field:
        ``(component, y, x)``, or the projection ``(y, x)`` on `axis` [T]; pixels that are NaN are left out. The bias
        may be left in.
    covariance:
        ``(component, component_2, y, x)``, or the variance ``(y, x)`` [T^2].
    labels:
        ``(z, y, x)``: a whole number for each particle, 0 for the surroundings. The last face along z is the surface,
        which the sensor looks down on. Particles beyond the map's edge that reach into it should be labelled too.
    axis:
        Unit vector that a projection was measured along.
    surroundings:
        Susceptibility of what fills the gaps; it extends beyond the labels on all sides.
    expected:
        Susceptibility of a particle before the map. It decides little of what the map determines, is the answer for
        what it does not, and its standard deviation is the measure of what was unknown.
    known:
        Susceptibility of labels that are no particles of this kind, such as a metal foil in view.
    smooth:
        Learn from the map how alike neighbours are, and use it (see `operando.magnetism.particle_prior`). Verdicts
        do not use it.

    Returns
    -------
    By ``particle`` (its label): ``susceptibility``, ``susceptibility_var`` (by noise alone),
    ``susceptibility_systematic`` with dim term (one standard deviation of each named cause, signed where it moves all
    particles together), ``susceptibility_cov`` (particle, particle_2; every cause), ``expected`` and ``expected_sd``,
    ``verdict`` with ``left``, ``left_alone``, ``partner`` and ``correlation`` (see
    `operando.magnetism.particle_verdict`), ``depth`` of the uppermost voxel below the surface, ``volume``. By
    ``nuisance_name``: ``nuisance`` and ``nuisance_sd``, what the map says of each shared error, in its standard
    deviations. Attributes ``chi_squared``, ``freedom``, ``smooth``, ``prior_spread`` and ``prior_length``.

    Raises
    ------
    InputError
        If map, covariance, labels and axis do not belong together, or every pixel is missing.
    """
    for of, value in {"particles": expected, **{f"label {k}": v for k, v in (known or {}).items()}}.items():
        if not value.sigma > 0:
            raise InputError(f"expected susceptibility of {of}", must="given with its spread", received=value)
    directions = _directions(field, axis)
    values, cov = _measured(field, covariance, len(directions))
    grid = grid_of(labels)
    names, bodies = _numbered(labels_from_labelled(labels))
    pixels = pixels_from_map(
        field,
        directions=directions,
        point_spread=exposure.point_spread,
        mean_over_pixel=exposure.mean_over_pixel,
    )
    terms, design = _design(values, cov, bodies, grid, pixels, exposure)
    before = [(known or {}).get(int(name), expected) for name in names]
    start = independent_prior(expected=[Measured(e.value - surroundings.value, e.sigma) for e in before])
    learn: Callable[[Array, Array], Prior] | None = None
    if smooth:
        alike = np.array([int(name) not in (known or {}) for name in names])
        learn = partial(_learnt, start, alike, _centres(bodies, grid))
    solved = solve_particles(design, start=start, learn=learn)
    judged = verdicts_from_information(
        information=solved.information,
        expected_sd=np.array([e.sigma for e in before]),
        within_reach=_depths(bodies, grid) <= exposure.standoff.value,
    )
    return _labelled(solved, names, terms, before, surroundings, judged, bodies, grid, smooth=smooth)


def _learnt(start: Prior, alike: Array, centres: Array, information: Array, weighted: Array) -> Prior:
    return smooth_prior(start=start, alike=alike, centres=centres, information=information, weighted=weighted)


def _directions(field: xr.DataArray, axis: Sequence[float] | Array | None) -> Array:
    if set(field.dims) == {"component", "y", "x"} and axis is None:
        return np.eye(3)
    unit = np.asarray(axis if axis is not None else np.nan, dtype=float)
    if set(field.dims) == {"y", "x"} and unit.shape == (3,) and np.isclose(np.linalg.norm(unit), 1.0, atol=1e-6):
        return unit[None]
    must = "a vector field (component, y, x), or a projection (y, x) with the unit vector it was measured along"
    raise InputError("field", must=must, received=f"dims {tuple(field.dims)}, axis {axis}")


def _measured(field: xr.DataArray, covariance: xr.DataArray, count: int) -> tuple[Array, Array]:
    """Return values ``(pixel, direction)`` and covariances ``(pixel, direction, direction)``."""
    tesla = in_units(field, unit="T", name="field")
    squared = in_units(covariance, unit="T^2", name="covariance")
    dims = {"y", "x"} if count == 1 else {"component", "component_2", "y", "x"}
    if set(squared.dims) != dims:
        raise InputError("covariance", must=f"with dims {', '.join(sorted(dims))}", received=f"dims {squared.dims}")
    if count > 1:
        tesla = tesla.sel(component=list(COMPONENTS)).transpose("component", "y", "x")
        squared = squared.transpose("component", "component_2", "y", "x")
    else:
        tesla, squared = tesla.transpose("y", "x"), squared.transpose("y", "x")
    if squared.shape[-2:] != tesla.shape[-2:]:
        raise InputError("covariance", must=f"of the map's shape {tesla.shape[-2:]}", received=squared.shape[-2:])
    values = tesla.values.reshape(count, -1).T
    cov = np.moveaxis(squared.values.reshape(count, count, -1), -1, 0)
    good = np.isfinite(values).all(axis=1) & np.isfinite(cov).all(axis=(1, 2))
    if good.sum() * count < 4 * count + 4:
        raise InputError("field", must="measured in more than a few pixels", received=f"{int(good.sum())} good pixels")
    if not (np.linalg.eigvalsh(cov[good]) > 0).all():
        raise InputError("covariance", must="positive in every good pixel", received="a variance of zero or less")
    return np.where(good[:, None], values, np.nan), cov


def _numbered(labels: Array) -> tuple[Array, Array]:
    """Return the labels that occur, and the volume with these numbered from 1."""
    names = np.unique(labels)
    numbered = np.searchsorted(names, labels) + (0 if names[0] == 0 else 1)
    return names[names > 0], numbered


def _design(
    values: Array, cov: Array, bodies: Array, grid: Grid, pixels: MapPixels, exposure: Exposure
) -> tuple[list[str], Design]:
    good = np.isfinite(values).all(axis=1)
    whitener = np.linalg.inv(np.linalg.cholesky(cov[good]))

    def rows(fields: Array) -> Array:
        """Bring fields ``(column, direction, y, x)`` to the rows of the map, in units of its noise."""
        by_pixel = fields.reshape(*fields.shape[:2], -1)[:, :, good]
        return np.asarray(np.einsum("pij,cjp->pic", whitener, by_pixel).reshape(-1, len(fields)))

    cases = exposure.cases()
    seen = dict(zip(cases, body_fields(bodies, grid=grid, pixels=pixels, cases=list(cases.values())), strict=True))
    fields = rows(seen["stated"])
    shifts: dict[str, Array] = {}
    bends: dict[str, Array] = {}
    if "near" in seen:
        shifts["stand-off"] = rows(seen["far"] - seen["near"]) / 2
        bends["stand-off"] = rows(seen["far"] + seen["near"]) / 2 - fields
    shifts |= {name: rows(seen[name]) for name in cases if name.startswith("applied")}
    patches, owner = np.zeros((len(fields), 0)), np.zeros(0, dtype=int)
    if exposure.threshold > 0 or exposure.outline > 0:
        length = max(exposure.outline_length, *grid.spacing)
        outlines = outlines_from_labels(bodies, grid=grid, length=length)
        displaced = body_fields(
            outlines.patches, grid=grid, pixels=pixels, cases=[cases["stated"]], filling=outlines.area
        )[0]
        patches, owner = rows(displaced), outlines.owner
        if exposure.threshold > 0:
            shifts["threshold"] = np.zeros_like(fields)
            np.add.at(shifts["threshold"].T, owner, exposure.threshold * patches.T)
        patches = patches * (exposure.outline * outlines.quiet)
        if not exposure.outline > 0:
            patches, owner = patches[:, :0], owner[:0]
    return list(shifts), Design(
        data=np.einsum("pij,pj->pi", whitener, values[good]).ravel(),
        fields=fields,
        shifts=_stacked(list(shifts.values()), fields),
        bends=_stacked([bends.get(name, np.zeros_like(fields)) for name in shifts], fields),
        patches=patches,
        owner=owner,
        background=rows(_background(pixels)),
    )


def _stacked(arrays: list[Array], like: Array) -> Array:
    return np.array(arrays) if arrays else np.zeros((0, *like.shape))


def _background(pixels: MapPixels) -> Array:
    """Offset and gradient of each direction, ``(column, direction, y, x)``."""
    y, x = np.meshgrid(*((at - at.mean()) / np.ptp(at) for at in (pixels.y, pixels.x)), indexing="ij")
    shapes = np.stack([np.ones_like(y), y, x])
    count = len(pixels.directions)
    return np.asarray(np.einsum("syx,ij->isjyx", shapes, np.eye(count)).reshape(-1, count, *y.shape))


def _centres(bodies: Array, grid: Grid) -> Array:
    index = np.array(center_of_mass(bodies > 0, bodies, np.arange(1, bodies.max() + 1)))
    return np.asarray(grid.origin + index * grid.spacing)


def _depths(bodies: Array, grid: Grid) -> Array:
    """Depth of each body's uppermost voxel below the surface [m]."""
    top = [found[0].stop for found in find_objects(bodies)]
    return (grid.shape[0] - np.array(top)) * grid.spacing[0]


def _labelled(
    solved: Solution,
    names: Array,
    terms: list[str],
    before: Sequence[Measured],
    surroundings: Measured,
    judged: Mapping[str, Array],
    bodies: Array,
    grid: Grid,
    *,
    smooth: bool,
) -> xr.Dataset:
    everywhere = np.full(len(names), surroundings.sigma)
    systematic = {
        **dict(zip(terms, solved.shifts, strict=True)),
        "outlines": np.sqrt(solved.outlines),
        "surroundings": everywhere,
        "prior": np.sqrt(solved.prior),
    }
    volume = np.bincount(bodies.ravel(), minlength=len(names) + 1)[1:] * grid.voxel_volume
    flags = {
        "flag_values": [int(v) for v in ParticleVerdict],
        "flag_meanings": " ".join(v.name.lower() for v in ParticleVerdict),
    }
    one, both = "particle", ("particle", "particle_2")
    plain = {"units": ""}
    return xr.Dataset(
        {
            "susceptibility": (one, solved.susceptibility + surroundings.value, plain),
            "susceptibility_var": (one, solved.noise, plain),
            "susceptibility_systematic": (("term", one), np.stack(list(systematic.values())), plain),
            "susceptibility_cov": (both, solved.covariance + np.outer(everywhere, everywhere), plain),
            "expected": (one, np.array([e.value for e in before]), plain),
            "expected_sd": (one, np.array([e.sigma for e in before]), plain),
            "verdict": (one, judged["verdict"], plain | flags),
            "left": (one, judged["left"], plain),
            "left_alone": (one, judged["left_alone"], plain),
            "partner": (one, names[judged["partner"]], plain),
            "correlation": (one, judged["correlation"], plain),
            "depth": (one, _depths(bodies, grid), {"units": "m"}),
            "volume": (one, volume, {"units": "m^3"}),
            "nuisance": ("nuisance_name", solved.errors, plain),
            "nuisance_sd": ("nuisance_name", solved.errors_sd, plain),
        },
        coords={"particle": names, "particle_2": names, "term": list(systematic), "nuisance_name": terms},
        attrs={
            "chi_squared": solved.chi_squared,
            "freedom": solved.freedom,
            "smooth": int(smooth),
            "prior_spread": solved.learnt.spread,
            "prior_length": solved.learnt.length,
        },
    )
