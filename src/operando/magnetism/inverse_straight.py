"""A source that runs on straight beyond the frame to infinity, as leads do.

A kernel's far part is added to where the continuation begins. The modes are cosines, those of a source that runs on
straight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from operando.magnetism.inverse_system import SheetSystem, Transfer
from operando.magnetism.sheet import HalfSpectrum

Array = npt.NDArray[Any]

WIDER = 3
"""How many times wider the torus is on which kernels are computed, than the one that they act on."""

LONGER = 81
"""How many times longer the line is on which the sums of kernels are."""


@dataclass(frozen=True)
class StraightSheet(SheetSystem):
    """What the maps see of a source on the frame and of its straight continuation.

    Attributes
    ----------
    modes:
        Of the domain mirrored along both axes.
    beyond:
        Modes of the domain with its straight continuation on all sides.
    transfers:
        Factor of each map at each mode of `beyond` ``(map, ky, kx)``.
    """

    beyond: HalfSpectrum
    transfers: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels of the domain along ``(y, x)``."""
        return self.modes.shape[0] // 2, self.modes.shape[1] // 2

    @property
    def wavenumbers(self) -> Array:
        """Of each cosine [rad/m]."""
        ny, nx = self.shape
        return self.modes.k[:ny, :nx]

    @property
    def periodic(self) -> bool:
        """No: derivatives vanish across an edge."""
        return False

    def filtered(self, image: Array, factors: Array) -> Array:
        """Multiply an image by one factor for each cosine."""
        return np.asarray(scipy.fft.idctn(factors * scipy.fft.dctn(image, norm="ortho"), norm="ortho"))

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

    def spectrum(self, source: Array) -> Array:
        """Spectrum of the mirrored source, at `modes`."""
        ny, nx = self.shape
        return self.modes.spectrum(np.pad(source, [(0, ny), (0, nx)], mode="symmetric"))

    @cached_property
    def _widths(self) -> list[tuple[int, int]]:
        return [((b - n) // 2, b - n - (b - n) // 2) for b, n in zip(self.beyond.shape, self.shape, strict=True)]

    @cached_property
    def _window(self) -> tuple[slice, slice]:
        rows, columns = (slice(w[0] + f.start, w[0] + f.stop) for w, f in zip(self._widths, self.frame, strict=True))
        return rows, columns


def straight_sheet(
    *, transfer: Transfer, shape: tuple[int, int], pixel: tuple[float, float], precision: Array
) -> StraightSheet:
    """Set up the system of a frame.

    Parameters
    ----------
    transfer:
        Of the maps.
    shape, pixel:
        Of the frame, along ``(y, x)`` [pixels], [m].
    precision:
        Inverse variance of each pixel ``(map, y, x)``.
    """
    ny, nx = shape
    wide = [scipy.fft.next_fast_len(3 * n, real=True) for n in shape]
    modes = HalfSpectrum(shape=(2 * ny, 2 * nx), pixel=pixel)
    beyond = HalfSpectrum(shape=(wide[0], wide[1]), pixel=pixel)
    squared = np.abs(transfer(modes)[..., :nx]) ** 2
    mirrored = squared[:, -np.arange(ny)]
    return StraightSheet(
        modes=modes,
        frame=(slice(0, ny), slice(0, nx)),
        precision=precision,
        squared_transfers=(squared[:, :ny] + mirrored) / 2,
        beyond=beyond,
        transfers=_straight(transfer, beyond, shape),
    )


def _straight(transfer: Transfer, modes: HalfSpectrum, reach: tuple[int, int]) -> Array:
    """Factors of kernels whose part beyond `reach` is moved there.

    A frame's own size from any of its pixels, the source no longer changes: the sum stays the same.
    """
    wide = HalfSpectrum(shape=(WIDER * modes.shape[0], WIDER * modes.shape[1]), pixel=modes.pixel)
    lines = [_line_kernels(transfer, modes, axis=axis, reach=reach[axis]) for axis in (0, 1)]
    factors = []
    for number, one in enumerate(transfer(wide)):
        kernel = np.fft.fftshift(wide.image(one))
        for axis, r in enumerate(reach):
            kernel = _to_edges(kernel, axis, r)
        # what the images of the torus bring in: the sums along lines are known without them
        for axis in (0, 1):
            missing = lines[axis][number] - kernel.sum(axis=1 - axis)
            edges = np.moveaxis(kernel, axis, 0)
            edges[:, 0] += missing / 2
            edges[:, -1] += missing / 2
        whole = np.zeros(modes.shape)
        whole[: 2 * reach[0] + 1, : 2 * reach[1] + 1] = kernel
        factors.append(modes.spectrum(np.roll(whole, (-reach[0], -reach[1]), axis=(0, 1))))
    return np.stack(factors)


def _line_kernels(transfer: Transfer, modes: HalfSpectrum, *, axis: int, reach: int) -> list[Array]:
    """Kernels along one axis of what does not change along the other, for each map."""
    count = LONGER * modes.shape[axis]
    line = HalfSpectrum(shape=(count, 1) if axis == 0 else (1, count), pixel=modes.pixel)
    return [_to_edges(np.fft.fftshift(line.image(one).ravel()), 0, reach) for one in transfer(line)]


def _to_edges(kernel: Array, axis: int, reach: int) -> Array:
    """Move what lies further than `reach` from a kernel's centre to that distance, along one axis."""
    centre = kernel.shape[axis] // 2
    folded = _folded(np.moveaxis(kernel, axis, 0), centre - reach, kernel.shape[axis] - centre - reach - 1)
    return np.moveaxis(folded, 0, axis)


def _folded(image: Array, before: int, after: int) -> Array:
    """Adjoint of the continuation along the first axis: what fell beyond an edge is added to the edge."""
    inner = image[before : len(image) - after].copy()
    inner[0] += image[:before].sum(axis=0)
    inner[-1] += image[len(image) - after :].sum(axis=0)
    return inner
