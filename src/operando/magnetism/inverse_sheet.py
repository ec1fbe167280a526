"""Inversion of maps that see a sheet through any Fourier factors: prior from the data, estimate, error, resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.magnetism.inverse_edges import EdgePrior, estimate_with_edges
from operando.magnetism.inverse_system import SheetSystem, SmoothPrior, Transfer, sheet_system
from operando.magnetism.regularisation import (
    Choice,
    SourceSpectrum,
    mixing_by_taper,
    periodogram,
    spectrum_from_periodogram,
    taper,
)
from operando.magnetism.resolution import point_response, width_at_half_maximum
from operando.magnetism.sheet import HalfSpectrum
from operando.magnetism.sheet_maps import FieldMaps

Array = npt.NDArray[Any]
Edges = Literal["smooth", "sharp"]

ITERATIONS = 300
"""Most steps of conjugate gradients for given weights."""

ROUNDS, ROUND_ITERATIONS = 10, 40
"""Reweightings for sharp edges, and most steps of conjugate gradients in each."""

UNEXPLAINED = 2.0
"""Misfit of a smooth source from which its straight continuation is not believed."""


@dataclass(frozen=True)
class Inversion:
    """What one inversion found.

    Attributes
    ----------
    source:
        Spectrum of the posterior mean, at the system's `modes`.
    errors:
        Spectra of draws from the posterior about it.
    """

    maps: FieldMaps
    system: SheetSystem
    prior: SmoothPrior | EdgePrior
    spectrum: SourceSpectrum
    source: Array
    errors: list[Array]

    def image(self, spectrum: Array) -> Array:
        """Image ``(y, x)`` on the frame of a source, or of an error of it."""
        return self.system.crop(self.system.modes.image(spectrum))

    @property
    def misfit(self) -> float:
        """Mean squared residual over its variance; less than 1 by the share of pixels that the source takes up."""
        ny, nx = self.system.shape
        source = self.system.modes.image(self.source)[:ny, :nx]
        return self.system.misfit(np.nan_to_num(self.maps.values), source)

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
        Width beyond the frame in which the source is still free, before it runs on straight [m]. Where None, zero if
        that explains the maps, else a quarter of the frame.
    samples:
        Draws from the posterior; 0, or 2 and more.
    seed:
        Of those draws.

    Raises
    ------
    InputError
        If a setting cannot be used.
    RunError
        If the map holds nothing but noise.
    """
    if edges not in ("smooth", "sharp"):
        raise InputError("edges", must="smooth or sharp", received=edges)
    if samples < 0 or samples == 1:
        raise InputError("samples", must="0, or 2 and more", received=samples)
    random = np.random.default_rng(seed)
    spectrum = learnt_spectrum(maps, transfer=transfer, order=order, noise=noise, choice=choice)
    deviation = np.full(maps.values.shape, spectrum.noise) if noise is None else noise
    precision = np.where(np.isnan(maps.values), 0.0, 1 / deviation**2)
    values = np.nan_to_num(maps.values)
    for width in _margins(maps) if margin is None else [margin]:
        system = sheet_system(transfer=transfer, shape=maps.shape, pixel=maps.pixel, margin=width, precision=precision)
        smooth = SmoothPrior(_cosine_power(spectrum, system))
        source = system.estimate(values, smooth, iterations=ITERATIONS)
        if system.misfit(values, source) < UNEXPLAINED:
            break
    if edges == "smooth":
        errors = [_smooth_error(system, smooth, random) for _ in range(samples)]
        return Inversion(maps, system, smooth, spectrum, system.spectrum(source), [system.spectrum(e) for e in errors])
    source, prior, _ = estimate_with_edges(
        system, values, order=order, start=source, random=random, rounds=ROUNDS, iterations=ROUND_ITERATIONS
    )
    errors = [_edge_error(system, prior, random) for _ in range(samples)]
    return Inversion(maps, system, prior, spectrum, system.spectrum(source), [system.spectrum(e) for e in errors])


def learnt_spectrum(
    maps: FieldMaps, *, transfer: Transfer, order: int, noise: Array | None, choice: Choice
) -> SourceSpectrum:
    """Prior of the source's spectrum and the noise, from the tapered maps combined as they see the source best."""
    modes = HalfSpectrum(shape=maps.shape, pixel=maps.pixel)
    factors = transfer(modes)
    whole = maps.filled()
    tapered = modes.spectrum((whole - whole.mean(axis=(1, 2), keepdims=True)) * taper(maps.shape))
    gain = (np.abs(factors) ** 2).sum(axis=0)
    combined = np.abs((factors.conj() * tapered).sum(axis=0)) ** 2 / np.where(gain > 0, gain, 1.0)
    power = np.where(gain > 0, combined, (np.abs(tapered) ** 2).mean(axis=0)) / whole[0].size
    width = 2 * np.pi / min(n * p for n, p in zip(maps.shape, maps.pixel, strict=True))
    along = [2 * np.pi * np.fft.fftfreq(n, p) for n, p in zip(maps.shape, maps.pixel, strict=True)]
    ring = np.rint(np.hypot(along[0][:, None], along[1]) / width).astype(int)
    rings = periodogram(
        k=modes.k, power=power, gain=gain, count=modes.multiplicity, width=width, mixing=mixing_by_taper(ring=ring)
    )
    level = None if noise is None else float(np.sqrt(np.nanmean(np.where(np.isnan(maps.values), np.nan, noise**2))))
    return spectrum_from_periodogram(rings, slopes=(0, 1) if order == 2 else (0,), noise=level, choice=choice)


def _cosine_power(spectrum: SourceSpectrum, system: SheetSystem) -> Array:
    """Power of the source at each cosine of the domain; that of the mean is taken from the longest wave."""
    ny, nx = system.shape
    k = system.modes.k[:ny, :nx]
    power = spectrum.power(np.maximum(k, k[k > 0].min()))
    return np.asarray(np.maximum(power, 1e-30 * power.max()))


def _margins(maps: FieldMaps) -> tuple[float, float]:
    return 0.0, 0.25 * max(n * p for n, p in zip(maps.shape, maps.pixel, strict=True))


def _noise_draw(system: SheetSystem, random: np.random.Generator) -> Array:
    weight = np.sqrt(system.precision)
    draw = random.standard_normal(system.precision.shape)
    return np.where(weight > 0, draw / np.where(weight > 0, weight, 1.0), 0.0)


def _smooth_error(system: SheetSystem, prior: SmoothPrior, random: np.random.Generator) -> Array:
    """Error of the inversion on a source drawn from the prior: a draw from the posterior, incomplete steps included."""
    truth = prior.sample(random)
    seen = system.predict(truth) + _noise_draw(system, random)
    return system.estimate(seen, prior, iterations=ITERATIONS) - truth


def _edge_error(system: SheetSystem, prior: EdgePrior, random: np.random.Generator) -> Array:
    right = system.back(system.weighed(_noise_draw(system, random))) + prior.pull(random)
    return system.solve(right, prior, iterations=ITERATIONS)
