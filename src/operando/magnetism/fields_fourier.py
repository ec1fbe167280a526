"""Sums over a layer of voxels as convolutions in Fourier space, without periodic images.

One layer of the source is in memory at a time. Each plane of observation accumulates a half-spectrum, which is
transformed back once; arrays are zero-padded so far that no image of the source reaches the frame.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

Array = npt.NDArray[Any]

WORKERS = os.cpu_count() or 1


@dataclass(frozen=True)
class Frame:
    """Pixels of observation, registered with the voxels of a layer, and the padded arrays that serve them.

    Attributes
    ----------
    shape:
        Voxels of a layer along ``(y, x)``.
    margin:
        Pixels of observation beyond the layer on every side.
    """

    shape: tuple[int, int]
    margin: int

    @property
    def reach(self) -> tuple[int, int]:
        """Largest displacement between a voxel and a pixel along ``(y, x)`` [voxels]."""
        return self.shape[0] - 1 + self.margin, self.shape[1] - 1 + self.margin

    @property
    def padded(self) -> tuple[int, int]:
        """Lengths of the transforms, even, for which wrapped displacements stay apart."""
        ny, nx = (2 * scipy.fft.next_fast_len(reach + 1, real=True) for reach in self.reach)
        return ny, nx

    def spectrum(self, layer: Array) -> Array:
        """Transform one layer ``(y, x)``, zero beyond its edges."""
        return np.asarray(scipy.fft.rfft2(layer, s=self.padded, workers=WORKERS))

    def empty_spectrum(self, count: int) -> Array:
        """Zeros to accumulate `count` components in."""
        ny, nx = self.padded
        return np.zeros((count, ny, nx // 2 + 1), dtype=complex)

    def kernel_spectrum(self, kernel: Array) -> Array:
        """Transform a kernel given at the displacements ``-reach .. reach`` along both axes."""
        wrapped = np.zeros(self.padded)
        rows, columns = self.reach
        wrapped[: kernel.shape[0], : kernel.shape[1]] = kernel
        wrapped = np.roll(wrapped, (-rows, -columns), axis=(0, 1))
        return np.asarray(scipy.fft.rfft2(wrapped, workers=WORKERS))

    def octant_spectrum(self, octant: Array, *, odd_y: bool = False, odd_x: bool = False) -> Array:
        """Transform a kernel of known parity given at the displacements ``0 .. reach`` along both axes.

        Cosine and sine transforms of the quarter that is given; the result is real, or imaginary if one axis is odd.
        """
        ny, nx = self.padded
        values = np.zeros((ny // 2 + 1, nx // 2 + 1))
        values[: octant.shape[0], : octant.shape[1]] = octant
        for axis, odd in enumerate((odd_y, odd_x)):
            values = _half_transform(values, axis, odd)
        below = np.flip(values[1:-1], axis=0)
        whole = np.concatenate([values, -below if odd_y else below])
        return whole * (1, -1j, -1)[odd_y + odd_x]

    def image(self, spectrum: Array) -> Array:
        """Transform back and cut out the frame, margin included."""
        full = scipy.fft.irfft2(spectrum, s=self.padded, workers=WORKERS)
        full = np.roll(full, (self.margin, self.margin), axis=(-2, -1))
        return np.ascontiguousarray(full[..., : self.shape[0] + 2 * self.margin, : self.shape[1] + 2 * self.margin])


def _half_transform(values: Array, axis: int, odd: bool) -> Array:
    """Transform the half of an even or odd array along one axis; of an odd one, without the factor -i."""
    if not odd:
        return np.asarray(scipy.fft.dct(values, type=1, axis=axis, workers=WORKERS))
    inner = [slice(None), slice(None)]
    inner[axis] = slice(1, -1)
    transformed = np.zeros_like(values)
    transformed[tuple(inner)] = scipy.fft.dst(values[tuple(inner)], type=1, axis=axis, workers=WORKERS)
    return transformed
