"""How strongly to smooth, learnt from the map itself: the source's power spectrum and the noise.

The prior is a stationary random source whose power per pixel is ``A k^-2m (1 + (k/q)^2 / p)^-p``, a power law below
the wavenumber q that falls faster, by 2p, above it (a Gaussian for large p). Its numbers and, where it is not known,
the noise come from the periodogram of the tapered map. Of a stream function, m = 0 says that currents close within
about 1/q, and m = 1 that they run on; whichever is likelier is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize

from operando.errors import InputError, RunError

Array = npt.NDArray[Any]
Choice = Literal["likelihood", "gcv", "discrepancy"]

SMOOTHEST = 200.0
"""Largest exponent p: a Gaussian spectrum for every practical purpose."""

MOST_SCALED = 12.0
"""Largest correction of the amplitude's logarithm by cross-validation or discrepancy."""

REACH = 6
"""Modes on either side that the taper mixes; its spectrum is below 1e-9 beyond."""

TAPER_LOSS = 4.5
"""Modes of a tapered map for each independent one, in two dimensions."""


LEAST_EVIDENCE = 21.0
"""Twice the logarithm of the likelihood that a source must gain over noise alone: by chance once in 10 000 maps, as
its spectrum has three numbers."""


@dataclass(frozen=True)
class SourceSpectrum:
    """Prior power of the source and the noise of the map.

    Attributes
    ----------
    amplitude:
        Power A per pixel, in the source's unit squared where m is 0.
    wavenumber:
        Where it begins to fall, q [rad/m].
    exponent:
        How fast it falls, p.
    slope:
        Of the power at small wavenumbers, m.
    noise:
        Standard deviation of a pixel of the map.
    """

    amplitude: float
    wavenumber: float
    exponent: float
    slope: int
    noise: float

    def power(self, k: Array) -> Array:
        """Power per pixel at wavenumber k > 0 [rad/m]."""
        decay = self.exponent * np.log1p((k / self.wavenumber) ** 2 / self.exponent)
        return np.asarray(self.amplitude * k ** (-2.0 * self.slope) * np.exp(-decay))


@dataclass(frozen=True)
class Periodogram:
    """Power of a map in rings of wavenumber, beside what one unit of source power would make.

    Attributes
    ----------
    k, power, gain, count:
        Mean wavenumber [rad/m], mean power per pixel, mean squared transfer, and number of modes of each ring.
    mixing:
        What the taper brings into each ring from each ring of `source_k`, whose squared transfer is `source_gain`. A
        kernel that falls by orders of magnitude from ring to ring is seen through it: without it, what leaks
        outwards passes for a rough source. Where None, nothing is mixed.
    """

    k: Array
    power: Array
    gain: Array
    count: Array
    mixing: Array | None = None
    source_k: Array | None = None
    source_gain: Array | None = None

    def signal(self, spectrum: SourceSpectrum) -> Array:
        """Power of a source's field in each ring, as the tapered map shows it."""
        if self.mixing is None or self.source_k is None or self.source_gain is None:
            return np.asarray(self.gain * spectrum.power(self.k))
        return np.asarray(self.mixing @ (self.source_gain * spectrum.power(self.source_k)))

    def __post_init__(self) -> None:
        if self.k.size < 4:
            raise InputError("map", must="at least 8 pixels along both axes", received=f"{self.k.size} rings")


def taper(shape: tuple[int, int]) -> Array:
    """Four-term Blackman-Harris window of unit mean square, whose side lobes lie 92 dB below its peak."""
    windows = []
    for n in shape:
        phase = 2 * np.pi * (np.arange(n) + 0.5) / n
        windows.append(0.35875 - 0.48829 * np.cos(phase) + 0.14128 * np.cos(2 * phase) - 0.01168 * np.cos(3 * phase))
    window = np.outer(windows[0], windows[1])
    return np.asarray(window / np.sqrt((window**2).mean()))


def mixing_by_taper(*, ring: Array) -> Array:
    """Share of each ring's power that the taper brings into each other one ``(seen, source)``.

    Parameters
    ----------
    ring:
        Number of the ring of each mode of a full spectrum ``(ky, kx)``.
    """
    window = np.abs(np.fft.fft2(taper((ring.shape[0], ring.shape[1])))) ** 2 / ring.size**2
    number = int(ring.max()) + 1
    total = np.zeros(number * number)
    for y in range(-REACH, REACH + 1):
        for x in range(-REACH, REACH + 1):
            pairs = np.bincount((ring * number + np.roll(ring, (y, x), axis=(0, 1))).ravel(), minlength=total.size)
            total += window[y, x] * pairs
    return np.asarray(total.reshape(number, number) / np.bincount(ring.ravel())[:, None])


def periodogram(
    *, k: Array, power: Array, gain: Array, count: Array, width: float, mixing: Array | None = None
) -> Periodogram:
    """Average over rings `width` [rad/m] wide.

    Left out are the two innermost, where the taper mixes in the mean, and those in which nothing is seen: an odd factor
    vanishes at the Nyquist corner.
    """
    ring = np.rint(k / width).astype(int).ravel()
    total = np.bincount(ring, count.ravel())
    kept = (np.arange(total.size) >= 2) & (np.bincount(ring, (count * gain).ravel()) > 0)
    mean = [np.bincount(ring, (count * v).ravel()) / total for v in (k, power, gain)]
    seen = [m[kept] for m in mean]
    if mixing is None:
        return Periodogram(k=seen[0], power=seen[1], gain=seen[2], count=total[kept])
    # the mean alone is no source: its share was taken off the map
    return Periodogram(seen[0], seen[1], seen[2], total[kept], mixing[kept, 1:], mean[0][1:], mean[2][1:])


def spectrum_from_periodogram(
    rings: Periodogram, *, slopes: tuple[int, ...], noise: float | None, choice: Choice
) -> SourceSpectrum:
    """Learn the prior, and the noise where it is not known.

    Parameters
    ----------
    rings:
        Of the tapered map.
    slopes:
        Values of m to choose from.
    noise:
        Standard deviation of a pixel; None where it has to be estimated from the map's large wavenumbers.
    choice:
        ``likelihood`` (Whittle's) for everything; or the amplitude again by ``gcv`` (least error of prediction, which
        needs no noise) or ``discrepancy`` (the largest smoothing whose residual the noise explains to two sigma).

    Raises
    ------
    InputError
        If the noise is not positive, or the choice is unknown.
    RunError
        If the map holds nothing but noise.
    """
    if noise is not None and not (np.isfinite(noise) and noise > 0):
        raise InputError("noise", must="positive, in the map's unit", received=noise)
    likely = min((_most_likely(rings, m, noise) for m in slopes), key=lambda s: _unlikelihood(rings, s))
    if _evidence(rings, likely) < LEAST_EVIDENCE or rings.signal(likely).max() < 0.1 * likely.noise**2:
        raise RunError("The map holds nothing that rises above its noise: no source can be recovered from it.")
    if choice == "likelihood":
        return likely
    if choice == "gcv":
        return _least_gcv(rings, likely)
    if choice == "discrepancy":
        return _at_discrepancy(rings, likely)
    raise InputError("choice", must="likelihood, gcv or discrepancy", received=choice)


def gcv_score(rings: Periodogram, spectrum: SourceSpectrum) -> float:
    """Generalised cross-validation, ``mean (1 - f)^2 |d|^2 / (mean (1 - f))^2``, in the map's unit squared."""
    left = _left(rings, spectrum)
    return float(_mean(rings, left**2 * rings.power) / _mean(rings, left) ** 2)


def _left(rings: Periodogram, spectrum: SourceSpectrum) -> Array:
    """Fraction ``1 - f`` of each ring that the optimal filter leaves as noise."""
    return np.asarray(1 / (1 + rings.gain * spectrum.power(rings.k) / spectrum.noise**2))


def _mean(rings: Periodogram, values: Array) -> float:
    return float((rings.count * values).sum() / rings.count.sum())


def _scaled(spectrum: SourceSpectrum, log_scale: float) -> SourceSpectrum:
    return replace(spectrum, amplitude=spectrum.amplitude * float(np.exp(log_scale)))


def _unlikelihood(rings: Periodogram, spectrum: SourceSpectrum) -> float:
    """Minus twice the logarithm of Whittle's likelihood, but for a constant."""
    expected = rings.signal(spectrum) + spectrum.noise**2
    return float((rings.count * (np.log(expected) + rings.power / expected)).sum())


def _evidence(rings: Periodogram, spectrum: SourceSpectrum) -> float:
    """How much likelier the source is than white noise of any level, of modes that the taper leaves independent."""
    level = _mean(rings, rings.power)
    white = float((rings.count * (np.log(level) + rings.power / level)).sum())
    return (white - _unlikelihood(rings, spectrum)) / TAPER_LOSS


def _most_likely(rings: Periodogram, slope: int, noise: float | None) -> SourceSpectrum:
    floor = noise**2 if noise is not None else float(rings.power[-max(3, rings.k.size // 5) :].mean())

    def spectrum(logs: Array) -> SourceSpectrum:
        amplitude, wavenumber, exponent = np.exp(np.clip(logs[:3], -600, 600))
        return SourceSpectrum(
            amplitude=float(amplitude),
            wavenumber=float(wavenumber),
            exponent=float(np.clip(exponent, 1.0, SMOOTHEST)),
            slope=slope,
            noise=noise if noise is not None else float(np.exp(np.clip(logs[3], -600, 600) / 2)),
        )

    def cost(logs: Array) -> float:
        return _unlikelihood(rings, spectrum(logs))

    first = float((rings.power / rings.gain * rings.k ** (2 * slope))[:3].max())
    starts = [
        np.log([first, q * rings.k[-1], p, floor][: 3 if noise is not None else 4])
        for q in (0.01, 0.03, 0.1, 0.3)
        for p in (1.5, 6.0)
    ]
    coarse = [minimize(cost, s, method="Nelder-Mead", options={"maxiter": 200}) for s in starts]
    best = min(coarse, key=lambda r: float(r.fun)).x
    options = {"maxiter": 4000, "xatol": 1e-3, "fatol": 1e-3}
    found: Array = np.asarray(minimize(cost, best, method="Nelder-Mead", options=options).x)
    return spectrum(found)


def _least_gcv(rings: Periodogram, start: SourceSpectrum) -> SourceSpectrum:
    scales = np.linspace(-MOST_SCALED, MOST_SCALED, 241)
    best = scales[int(np.argmin([gcv_score(rings, _scaled(start, s)) for s in scales]))]
    return _scaled(start, float(best))


def _at_discrepancy(rings: Periodogram, start: SourceSpectrum) -> SourceSpectrum:
    allowed = start.noise**2 * (1 + 2 * np.sqrt(2 * TAPER_LOSS / rings.count.sum()))

    def excess(log_scale: float) -> float:
        left = _left(rings, _scaled(start, log_scale))
        return float(_mean(rings, left**2 * rings.power) / allowed - 1)

    if excess(-MOST_SCALED) <= 0 or excess(MOST_SCALED) >= 0:
        raise RunError(f"No smoothing leaves a residual of {start.noise:.3g}: the stated noise is not this map's.")
    return _scaled(start, float(brentq(excess, -MOST_SCALED, MOST_SCALED)))
