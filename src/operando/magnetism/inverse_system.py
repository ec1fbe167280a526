"""Linear inversion of maps that see a sheet through Fourier factors.

A uniform offset of each map is free: a bias field, a lock-in's zero. The normal equations
``(H^T N^-1 H + R) s = H^T N^-1 d`` are solved by conjugate gradients, preconditioned on the modes of the domain, on
which both terms are diagonal but for the frame's edges. What a source does beyond the frame is told by
`inverse_straight` and `inverse_open`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from operando.magnetism.sheet import HalfSpectrum

Array = npt.NDArray[Any]

TOLERANCE = 1e-6
"""Of the preconditioned residual, relative to the right-hand side's."""

Transfer = Callable[[HalfSpectrum], Array]
"""Signal of each map per unit of source, at given modes ``(map, ky, kx)``."""

Filter = Callable[[Array, Array], Array]
"""Multiply an image ``(y, x)`` by one factor for each mode of the domain."""


class Prior(Protocol):
    """Inverse covariance R of the source."""

    def apply(self, source: Array) -> Array:
        """R s."""
        ...

    def diagonal(self) -> Array:
        """R on the domain's modes, exactly or nearly, for the preconditioner."""
        ...


@dataclass(frozen=True)
class SmoothPrior:
    """A Gaussian source of known power per pixel at each mode of its domain."""

    power: Array
    filtered: Filter

    def apply(self, source: Array) -> Array:
        """R s."""
        return self.filtered(source, self.diagonal())

    def diagonal(self) -> Array:
        """R on modes: the inverse power."""
        return np.asarray(1 / self.power)

    def sample(self, random: np.random.Generator, shape: tuple[int, int]) -> Array:
        """Draw a source ``(y, x)``."""
        return self.filtered(random.standard_normal(shape), np.sqrt(self.power))


@dataclass(frozen=True)
class SheetSystem(ABC):
    """What the maps see of the source.

    Attributes
    ----------
    modes:
        In which a source is handed on as a spectrum.
    frame:
        Rows and columns of the domain that the maps cover.
    precision:
        Inverse variance of each pixel ``(map, y, x)``; zero where it is missing.
    squared_transfers:
        Squared magnitude of each map's factor on the domain's modes ``(map, ...)``.
    """

    modes: HalfSpectrum
    frame: tuple[slice, slice]
    precision: Array
    squared_transfers: Array

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Pixels of the domain along ``(y, x)``."""

    @property
    @abstractmethod
    def wavenumbers(self) -> Array:
        """Magnitude of the wavevector of each mode of the domain [rad/m]."""

    @property
    @abstractmethod
    def periodic(self) -> bool:
        """Whether derivatives at one edge of the domain reach across to the other."""

    @abstractmethod
    def filtered(self, image: Array, factors: Array) -> Array:
        """Multiply an image by one factor for each mode of the domain."""

    @abstractmethod
    def predict(self, source: Array) -> Array:
        """Noiseless maps ``(map, y, x)`` of a source, H s."""

    @abstractmethod
    def back(self, maps: Array) -> Array:
        """Adjoint of `predict`, H^T d."""

    @abstractmethod
    def spectrum(self, source: Array) -> Array:
        """Spectrum of a source at `modes`."""

    def weighed(self, maps: Array) -> Array:
        """N^-1 d, with a uniform offset of each map free."""
        weighed = self.precision * maps
        offset = weighed.sum(axis=(1, 2)) / self.precision.sum(axis=(1, 2))
        return np.asarray(weighed - offset[:, None, None] * self.precision)

    def crop(self, images: Array) -> Array:
        """Cut the frame out of images ``(..., y, x)`` of the domain, or of the larger one of `modes`."""
        return np.ascontiguousarray(images[(..., *self.frame)])

    def information(self) -> Array:
        """H^T N^-1 H on modes, as if the maps covered everything."""
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
            return self.filtered(image, inverse)

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
