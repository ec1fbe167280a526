"""Inversion of maps that see a sheet through any Fourier factors: prior from the data, estimate, error, resolution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.magnetism.inverse_edges import EdgePrior, derivatives, estimate_with_edges
from operando.magnetism.inverse_smooth import ITERATIONS, SmoothEstimate, estimate_past_holes, smooth_estimate
from operando.magnetism.inverse_source import SheetSource
from operando.magnetism.inverse_spectrum import learnt_spectrum
from operando.magnetism.inverse_system import SheetSystem, SmoothPrior, Transfer
from operando.magnetism.regularisation import Choice, SourceSpectrum
from operando.magnetism.resolution import point_response, width_at_half_maximum
from operando.magnetism.sheet_maps import FieldMaps

Array = npt.NDArray[Any]
Edges = Literal["smooth", "sharp"]

ROUNDS, ROUND_ITERATIONS = 10, 40
"""Reweightings for sharp edges, and most steps of conjugate gradients in each."""

PASSES = 4
"""How often a spectrum is learnt from a map with missing pixels, in which the last estimate's field stands."""

LEAST_PIXELS = 8
"""Along both axes of a map: a spectrum is learnt from it."""


@dataclass(frozen=True)
class Inversion:
    """What one inversion found.

    Attributes
    ----------
    maps:
        What was inverted.
    system, prior:
        Of the last estimate.
    spectrum:
        What was learnt of the source and of the noise.
    source:
        Posterior mean.
    errors:
        Draws from the posterior about it.
    misfit:
        Mean squared residual over its variance; less than 1 by the share of pixels that the source takes up.
    """

    maps: FieldMaps
    system: SheetSystem
    prior: SmoothPrior | EdgePrior
    spectrum: SourceSpectrum
    source: SheetSource
    errors: list[SheetSource]
    misfit: float

    @property
    def margin(self) -> float:
        """Width of free surroundings, zero where the source runs on straight [m]."""
        return float(min(f.start * p for f, p in zip(self.system.frame, self.maps.pixel, strict=True)))

    def resolution(self, *, at: tuple[int, int] | None = None) -> float:
        """Width at half maximum of the image of a point at a pixel, the frame's centre where None [m]."""
        ny, nx = self.maps.shape
        response = point_response(self.system, self.prior, at=at or (ny // 2, nx // 2), iterations=ITERATIONS)
        return width_at_half_maximum(response=response, pixel=self.maps.pixel)


def invert_sheet(
    maps: FieldMaps,
    *,
    transfer: Transfer,
    order: int,
    noise: Array | None,
    edges: Edges,
    choice: Choice,
    margin: float | None,
    samples: int,
    seed: int,
) -> Inversion:
    """Invert maps.

    Parameters
    ----------
    transfer:
        Signal of each map per unit of source, for given modes ``(map, ky, kx)``.
    order:
        2 where the source is a stream function, whose slope is to be found; 1 where it is a magnetisation.
    noise:
        Standard deviation of each pixel ``(map, y, x)``; None where it has to be estimated.
    edges:
        ``smooth`` for sources that spread, ``sharp`` for those with edges.
    choice:
        How the prior's spectrum is learnt; see `spectrum_from_periodogram`.
    margin:
        Width of free surroundings [m], or zero for a source that runs on straight beyond the frame. Where None, zero
        if that explains the maps, else an eighth of the frame.
    samples:
        Draws from the posterior; 0, or 2 and more.
    seed:
        Of those draws.

    Raises
    ------
    InputError
        If a setting or a map cannot be used.
    RunError
        If the map holds nothing but noise.
    """
    _check(maps, edges, samples)
    random = np.random.default_rng(seed)
    spectrum, smooth = _smooth(maps, transfer=transfer, order=order, noise=noise, choice=choice, margin=margin)
    prior: SmoothPrior | EdgePrior = smooth.prior
    source = smooth.source
    if edges == "sharp":
        operators = derivatives(smooth.system, order=order)
        source, prior, _ = estimate_with_edges(
            smooth.system,
            smooth.values,
            operators=operators,
            start=source,
            begun=smooth.steps_begun(operators),
            random=random,
            rounds=ROUNDS,
            iterations=ROUND_ITERATIONS,
        )
    draws = [_error(smooth.system, prior, random) for _ in range(samples)]
    return Inversion(
        maps=maps,
        system=smooth.system,
        prior=prior,
        spectrum=spectrum,
        source=smooth.whole(source),
        errors=[SheetSource(((smooth.system, draw),)) for draw in draws],
        misfit=smooth.system.misfit(smooth.values, source),
    )


def _check(maps: FieldMaps, edges: str, samples: int) -> None:
    if edges not in ("smooth", "sharp"):
        raise InputError("edges", must="smooth or sharp", received=edges)
    if samples < 0 or samples == 1:
        raise InputError("samples", must="0, or 2 and more", received=samples)
    if min(maps.shape) < LEAST_PIXELS:
        ny, nx = maps.shape
        raise InputError("map", must=f"at least {LEAST_PIXELS} pixels along both axes", received=f"{ny} x {nx}")


def _smooth(
    maps: FieldMaps, *, transfer: Transfer, order: int, noise: Array | None, choice: Choice, margin: float | None
) -> tuple[SourceSpectrum, SmoothEstimate]:
    """Learn the spectrum and estimate with it; again where pixels are missing, with what the source makes there."""
    whole, missing = maps.filled(), np.isnan(maps.values)
    for _ in range(PASSES if missing.any() else 1):
        known = replace(maps, values=whole)
        spectrum = learnt_spectrum(known, transfer=transfer, order=order, noise=noise, choice=choice)
        deviation = np.full(whole.shape, spectrum.noise) if noise is None else noise
        precision = np.where(missing, 0.0, 1 / deviation**2)
        found = smooth_estimate(maps, spectrum=spectrum, transfer=transfer, precision=precision, margin=margin)
        # a patch passes for a rough source; what a source makes in the hole does not
        whole = np.where(missing, found.whole().predicted(), maps.values)
    return spectrum, found


def _error(system: SheetSystem, prior: SmoothPrior | EdgePrior, random: np.random.Generator) -> Array:
    """Draw from the posterior about its mean."""
    if isinstance(prior, EdgePrior):
        right = system.back(system.weighed(_noise_draw(system, random))) + prior.pull(random)
        return system.solve(right, prior, iterations=ITERATIONS)
    # the error of the inversion on a source drawn from the prior, incomplete steps included
    truth = prior.sample(random, system.shape)
    seen = system.predict(truth) + _noise_draw(system, random)
    return estimate_past_holes(system, seen, prior, iterations=ITERATIONS) - truth


def _noise_draw(system: SheetSystem, random: np.random.Generator) -> Array:
    weight = np.sqrt(system.precision)
    draw = random.standard_normal(system.precision.shape)
    return np.where(weight > 0, draw / np.where(weight > 0, weight, 1.0), 0.0)
