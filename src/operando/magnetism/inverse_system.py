"""Linear inversion of maps that see a sheet through Fourier factors.

The source is free on the frame, and on a margin around it; beyond, it runs on straight to infinity, as leads do: a
kernel's far part is added to where the continuation ends. A uniform offset of each map is free: a bias field, a
lock-in's zero. The normal equations ``(H^T N^-1 H + R) s = H^T N^-1 d`` are
solved by conjugate gradients, preconditioned on cosines, the modes of a source that runs on straight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import scipy.fft

from operando.magnetism.sheet import HalfSpectrum

Array = npt.NDArray[Any]

TOLERANCE = 1e-6
"""Of the preconditioned residual, relative to the right-hand side's."""

WIDER = 3
"""How many times wider the torus is on which kernels are computed, than the one that they act on."""

Transfer = Callable[[HalfSpectrum], Array]
"""Signal of each map per unit of source, at given modes ``(map, ky, kx)``."""


class Prior(Protocol):
    """Inverse covariance R of the source."""

    def apply(self, source: Array) -> Array:
        """R s."""
        ...

    def diagonal(self) -> Array:
        """R on cosines, exactly or nearly, for the preconditioner."""
        ...


@dataclass(frozen=True)
class SmoothPrior:
    """A Gaussian source of known power per pixel at each cosine."""

    power: Array

    def apply(self, source: Array) -> Array:
        """R s."""
        return from_cosines(to_cosines(source) * self.diagonal())

    def diagonal(self) -> Array:
        """R on cosines: the inverse power."""
        return np.asarray(1 / self.power)

    def sample(self, random: np.random.Generator) -> Array:
        """Draw a source."""
        return from_cosines(np.sqrt(self.power) * random.standard_normal(self.power.shape))


@dataclass(frozen=True)
class SheetSystem:
    """What the maps see of the source.

    Attributes
    ----------
    modes:
        Of the domain mirrored along both axes, the first `crop` of which is the frame.
    frame:
        Rows and columns of the domain that the maps cover.
    beyond:
        Modes of the domain with its straight continuation on all sides.
    transfers:
        Factor of each map at each mode of `beyond` ``(map, ky, kx)``.
    squared_transfers:
        Squared magnitude of each map's factor on the domain's cosines ``(map, y, x)``.
    precision:
        Inverse variance of each pixel ``(map, y, x)``; zero where it is missing.
    """

    modes: HalfSpectrum
    frame: tuple[slice, slice]
    beyond: HalfSpectrum
    transfers: Array
    squared_transfers: Array
    precision: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels of the domain along ``(y, x)``."""
        return self.modes.shape[0] // 2, self.modes.shape[1] // 2

    def predict(self, source: Array) -> Array:
        """Noiseless maps ``(map, y, x)`` of a source, H s."""
        seen = self.transfers * self.beyond.spectrum(np.pad(source, self._widths, mode="edge"))
        return np.stack([self.beyond.image(s)[self._window] for s in seen])

    def back(self, maps: Array) -> Array:
        """Adjoint of `predict`, H^T d."""
        total = np.zeros(self.beyond.spectral_shape, complex)
        for one, factors in zip(maps, self.transfers, strict=True):
            whole = np.zeros(self.beyond.shape)
            whole[self._window] = one
            total += factors.conj() * self.beyond.spectrum(whole)
        image = self.beyond.image(total)
        for axis, (before, after) in enumerate(self._widths):
            image = _folded(np.moveaxis(image, axis, 0), before, after)
            image = np.moveaxis(image, 0, axis)
        return np.ascontiguousarray(image)

    def weighed(self, maps: Array) -> Array:
        """N^-1 d, with a uniform offset of each map free."""
        weighed = self.precision * maps
        offset = weighed.sum(axis=(1, 2)) / self.precision.sum(axis=(1, 2))
        return np.asarray(weighed - offset[:, None, None] * self.precision)

    def crop(self, images: Array) -> Array:
        """Cut the frame out of images ``(..., y, x)`` of the domain, mirrored or not."""
        return np.ascontiguousarray(images[(..., *self.frame)])

    def spectrum(self, source: Array) -> Array:
        """Spectrum of the mirrored source, at `modes`."""
        ny, nx = self.shape
        return self.modes.spectrum(np.pad(source, [(0, ny), (0, nx)], mode="symmetric"))

    def information(self) -> Array:
        """H^T N^-1 H on cosines, as if the maps covered everything."""
        seen = self.precision > 0
        weights = np.array([p[s].mean() if s.any() else 0.0 for p, s in zip(self.precision, seen, strict=True)])
        return np.asarray(np.tensordot(weights, self.squared_transfers, axes=1))

    def misfit(self, maps: Array, source: Array) -> float:
        """Mean squared residual over its variance."""
        residual = maps - self.predict(source)
        return float((residual * self.weighed(residual)).sum() / (self.precision > 0).sum())

    def estimate(
        self,
        maps: Array,
        prior: Prior,
        *,
        start: Array | None = None,
        iterations: int,
        tolerance: float = TOLERANCE,
    ) -> Array:
        """Posterior mean of the source."""
        right = self.back(self.weighed(maps))
        return self.solve(right, prior, start=start, iterations=iterations, tolerance=tolerance)

    def solve(
        self,
        right: Array,
        prior: Prior,
        *,
        start: Array | None = None,
        iterations: int,
        tolerance: float = TOLERANCE,
    ) -> Array:
        """Solve ``(H^T N^-1 H + R) s = right`` by conjugate gradients."""
        inverse = 1 / (self.information() + prior.diagonal())

        def preconditioned(image: Array) -> Array:
            return from_cosines(inverse * to_cosines(image))

        source = np.zeros(self.shape) if start is None else start.copy()
        residual = right.copy() if start is None else right - self._normal(source, prior)
        direction = step = preconditioned(residual)
        gain = float((residual * step).sum())
        goal = tolerance**2 * float((right * preconditioned(right)).sum())
        for _ in range(iterations):
            if gain <= goal:
                break
            pushed = self._normal(direction, prior)
            length = gain / float((direction * pushed).sum())
            source += length * direction
            residual -= length * pushed
            step = preconditioned(residual)
            before, gain = gain, float((residual * step).sum())
            direction = step + (gain / before) * direction
        return source

    def _normal(self, source: Array, prior: Prior) -> Array:
        return self.back(self.weighed(self.predict(source))) + prior.apply(source)

    @cached_property
    def _widths(self) -> list[tuple[int, int]]:
        return [((b - n) // 2, b - n - (b - n) // 2) for b, n in zip(self.beyond.shape, self.shape, strict=True)]

    @cached_property
    def _window(self) -> tuple[slice, slice]:
        rows, columns = (slice(w[0] + f.start, w[0] + f.stop) for w, f in zip(self._widths, self.frame, strict=True))
        return rows, columns


def sheet_system(
    *, transfer: Transfer, shape: tuple[int, int], pixel: tuple[float, float], margin: float, precision: Array
) -> SheetSystem:
    """Set up the system of a frame.

    Parameters
    ----------
    transfer:
        Of the maps.
    shape, pixel:
        Of the frame, along ``(y, x)`` [pixels], [m].
    margin:
        Width beyond the frame in which the source is still free, before it runs on straight [m].
    precision:
        Inverse variance of each pixel ``(map, y, x)``.
    """
    widths = [int(np.ceil(margin / p)) for p in pixel]
    ny, nx = (n + 2 * w for n, w in zip(shape, widths, strict=True))
    wide = [scipy.fft.next_fast_len(3 * n, real=True) for n in (ny, nx)]
    rows, columns = (slice(w, w + n) for n, w in zip(shape, widths, strict=True))
    modes = HalfSpectrum(shape=(2 * ny, 2 * nx), pixel=pixel)
    beyond = HalfSpectrum(shape=(wide[0], wide[1]), pixel=pixel)
    squared = np.abs(transfer(modes)[..., :nx]) ** 2
    mirrored = squared[:, -np.arange(ny)]
    return SheetSystem(
        modes,
        (rows, columns),
        beyond,
        _straight(transfer, beyond, (ny, nx)),
        (squared[:, :ny] + mirrored) / 2,
        precision,
    )


def _straight(transfer: Transfer, modes: HalfSpectrum, reach: tuple[int, int]) -> Array:
    """Factors of kernels whose part beyond `reach` is moved there.

    A domain's own size from any of its pixels, the source no longer changes: the sum stays the same.
    """
    wide = HalfSpectrum(shape=(WIDER * modes.shape[0], WIDER * modes.shape[1]), pixel=modes.pixel)
    factors = []
    for one in transfer(wide):
        kernel = np.fft.fftshift(wide.image(one))
        for axis, r in enumerate(reach):
            centre = kernel.shape[axis] // 2
            kernel = _folded(np.moveaxis(kernel, axis, 0), centre - r, kernel.shape[axis] - centre - r - 1)
            kernel = np.moveaxis(kernel, 0, axis)
        whole = np.zeros(modes.shape)
        whole[: 2 * reach[0] + 1, : 2 * reach[1] + 1] = kernel
        factors.append(modes.spectrum(np.roll(whole, (-reach[0], -reach[1]), axis=(0, 1))))
    return np.stack(factors)


def to_cosines(image: Array) -> Array:
    """Orthonormal cosine transform."""
    return np.asarray(scipy.fft.dctn(image, norm="ortho"))


def from_cosines(amplitudes: Array) -> Array:
    """Transform back."""
    return np.asarray(scipy.fft.idctn(amplitudes, norm="ortho"))


def _folded(image: Array, before: int, after: int) -> Array:
    """Adjoint of the continuation along the first axis: what fell beyond an edge is added to the edge."""
    inner = image[before : len(image) - after].copy()
    inner[0] += image[:before].sum(axis=0)
    inner[-1] += image[len(image) - after :].sum(axis=0)
    return inner
