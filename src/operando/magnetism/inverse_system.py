"""Linear inversion of maps that see a sheet through Fourier factors, on a domain wider than the map.

The source lives on a torus with a margin around the frame, so that neither the field's tails nor a current that
leaves the frame are folded back in; only pixels of the frame are data, and missing pixels weigh nothing. The normal
equations ``(H^T N^-1 H + R) s = H^T N^-1 d`` are solved by conjugate gradients, preconditioned in Fourier space.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import scipy.fft

from operando.magnetism.sheet import HalfSpectrum

Array = npt.NDArray[Any]

TOLERANCE = 1e-6
"""Of the preconditioned residual, relative to the right-hand side's."""


Transfer = Callable[[HalfSpectrum], Array]
"""Signal of each map per unit of source, at given modes ``(map, ky, kx)``."""

WIDER = 3
"""How many times wider than the domain the torus is on which kernels are computed."""


class Prior(Protocol):
    """Inverse covariance R of the source."""

    def apply(self, source: Array) -> Array:
        """R s, from and to spectra."""
        ...

    def diagonal(self) -> Array:
        """R in Fourier space, exactly or nearly, for the preconditioner."""
        ...


@dataclass(frozen=True)
class SmoothPrior:
    """A stationary Gaussian source of known power per pixel at each mode; a mode of zero power is free."""

    power: Array

    def apply(self, source: Array) -> Array:
        """R s, from and to spectra."""
        return np.asarray(self.diagonal() * source)

    def diagonal(self) -> Array:
        """R: the inverse power."""
        return np.where(self.power > 0, 1 / np.where(self.power > 0, self.power, 1.0), 0.0)

    def sample(self, modes: HalfSpectrum, random: np.random.Generator) -> Array:
        """Draw a source; returns its spectrum."""
        return np.asarray(np.sqrt(self.power) * modes.spectrum(random.standard_normal(modes.shape)))


@dataclass(frozen=True)
class SheetSystem:
    """What the maps see of the source.

    Attributes
    ----------
    modes:
        Of the extended domain.
    frame:
        Rows and columns of the domain that the maps cover.
    transfers:
        Factor of each map and mode ``(map, ky, kx)``.
    precision:
        Inverse variance of each pixel ``(map, y, x)``; zero where it is missing.
    """

    modes: HalfSpectrum
    frame: tuple[slice, slice]
    transfers: Array
    precision: Array

    def predict(self, source: Array) -> Array:
        """Noiseless maps ``(map, y, x)`` of a source, H s."""
        return self.crop(self.modes.image(self.transfers * source))

    def back(self, maps: Array) -> Array:
        """Adjoint of `predict`, H^T d, as a spectrum."""
        whole = np.zeros((len(maps), *self.modes.shape))
        whole[(slice(None), *self.frame)] = maps
        return np.asarray((self.transfers.conj() * self.modes.spectrum(whole)).sum(axis=0))

    def crop(self, images: Array) -> Array:
        """Cut the frame out of images ``(..., y, x)``."""
        return np.ascontiguousarray(images[(..., *self.frame)])

    def information(self) -> Array:
        """H^T N^-1 H in Fourier space, as if the maps covered the domain."""
        seen = self.precision > 0
        weights = np.array([p[s].mean() if s.any() else 0.0 for p, s in zip(self.precision, seen, strict=True)])
        return np.asarray((np.abs(self.transfers) ** 2 * weights[:, None, None]).sum(axis=0))

    def estimate(self, maps: Array, prior: Prior, *, start: Array | None = None, iterations: int) -> Array:
        """Posterior mean of the source's spectrum."""
        return self.solve(self.back(self.precision * maps), prior, start=start, iterations=iterations)

    def solve(self, right: Array, prior: Prior, *, start: Array | None = None, iterations: int) -> Array:
        """Solve ``(H^T N^-1 H + R) s = right`` by conjugate gradients.

        What is not converged after `iterations` stays near `start` (zero): sources outside the frame, which the maps
        hardly see.
        """
        diagonal = self.information() + prior.diagonal()
        inverse = np.where(diagonal > 0, 1 / np.where(diagonal > 0, diagonal, 1.0), 0.0)
        inverse[0, 0] = inverse[0, 0] if prior.diagonal()[0, 0] > 0 else 0.0
        source = np.zeros(self.modes.spectral_shape, complex) if start is None else start.copy()
        residual = right - self._normal(source, prior) if start is not None else right.copy()
        step = inverse * residual
        direction = step
        gain = self.modes.product(residual, step)
        goal = TOLERANCE**2 * self.modes.product(right, inverse * right)
        for _ in range(iterations):
            if gain <= goal:
                break
            pushed = self._normal(direction, prior)
            length = gain / self.modes.product(direction, pushed)
            source += length * direction
            residual -= length * pushed
            step = inverse * residual
            before, gain = gain, self.modes.product(residual, step)
            direction = step + (gain / before) * direction
        return source

    def _normal(self, source: Array, prior: Prior) -> Array:
        return self.back(self.precision * self.predict(source)) + prior.apply(source)


def extended(
    *, shape: tuple[int, int], pixel: tuple[float, float], margin: float
) -> tuple[HalfSpectrum, tuple[slice, slice]]:
    """Place a frame in the middle of a domain.

    Parameters
    ----------
    shape, pixel:
        Of the frame, along ``(y, x)`` [pixels], [m].
    margin:
        Least width of the domain beyond the frame on each side [m].

    Returns
    -------
    The domain's modes, and the frame's rows and columns within it.
    """
    sizes = [
        scipy.fft.next_fast_len(n + 2 * int(np.ceil(margin / p)), real=True) for n, p in zip(shape, pixel, strict=True)
    ]
    starts = [(size - n) // 2 for size, n in zip(sizes, shape, strict=True)]
    rows, columns = (slice(s, s + n) for s, n in zip(starts, shape, strict=True))
    return HalfSpectrum(shape=(sizes[0], sizes[1]), pixel=pixel), (rows, columns)


def free_space(transfer: Transfer, modes: HalfSpectrum) -> Array:
    """Factors whose kernel ends at half the domain, so that periodic images of the frame do not act on it.

    The kernel is computed on a wider torus, where its images are weaker by the cube of the distance, and cut.
    """
    ny, nx = modes.shape
    wide = HalfSpectrum(shape=(WIDER * ny, WIDER * nx), pixel=modes.pixel)
    cut = []
    for factors in transfer(wide):
        kernel = np.fft.fftshift(wide.image(factors))
        y, x = WIDER * ny // 2 - ny // 2, WIDER * nx // 2 - nx // 2
        cut.append(modes.spectrum(np.fft.ifftshift(kernel[y : y + ny, x : x + nx])))
    return np.stack(cut)
