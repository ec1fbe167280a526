"""A source that is free beyond the frame, on a margin that closes on itself.

The modes are plane waves, on which the field is exactly diagonal; only the frame's edge is not. Sources in the margin
stand for all that lies outside, and what the maps do not tell of them is left to the prior: conjugate gradients settle
the inside of the frame in a few steps, and its edge in some hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from operando.magnetism.inverse_system import SheetSystem, Transfer
from operando.magnetism.sheet import HalfSpectrum

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class OpenSheet(SheetSystem):
    """What the maps see of a source on the frame and around it.

    Attributes
    ----------
    modes:
        Of the frame with its margin.
    transfers:
        Factor of each map at each of them ``(map, ky, kx)``.
    """

    transfers: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels of the frame with its margin along ``(y, x)``."""
        return self.modes.shape

    @property
    def wavenumbers(self) -> Array:
        """Of each wave [rad/m]."""
        return self.modes.k

    @property
    def periodic(self) -> bool:
        """Yes: the margin closes on itself."""
        return True

    def filtered(self, image: Array, factors: Array) -> Array:
        """Multiply an image by one factor for each wave."""
        return self.modes.image(factors * self.modes.spectrum(image))

    def predict(self, source: Array) -> Array:
        """Noiseless maps ``(map, y, x)`` of a source, H s."""
        seen = self.transfers * self.modes.spectrum(source)
        return np.stack([self.crop(self.modes.image(s)) for s in seen])

    def back(self, maps: Array) -> Array:
        """Adjoint of `predict`, H^T d."""
        total = np.zeros(self.modes.spectral_shape, complex)
        whole = np.zeros(self.shape)
        for one, factors in zip(maps, self.transfers, strict=True):
            whole[self.frame] = one
            total += factors.conj() * self.modes.spectrum(whole)
        return self.modes.image(total)

    def spectrum(self, source: Array) -> Array:
        """Spectrum of the source, at `modes`."""
        return self.modes.spectrum(source)


def open_sheet(
    *, transfer: Transfer, shape: tuple[int, int], pixel: tuple[float, float], margin: float, precision: Array
) -> OpenSheet:
    """Set up the system of a frame.

    Parameters
    ----------
    transfer:
        Of the maps.
    shape, pixel:
        Of the frame, along ``(y, x)`` [pixels], [m].
    margin:
        Least width of the surroundings on each side [m].
    precision:
        Inverse variance of each pixel ``(map, y, x)``.
    """
    ny, nx = (
        scipy.fft.next_fast_len(n + 2 * int(np.ceil(margin / p)), real=True) for n, p in zip(shape, pixel, strict=True)
    )
    modes = HalfSpectrum(shape=(ny, nx), pixel=pixel)
    rows, columns = (slice((a - n) // 2, (a - n) // 2 + n) for a, n in zip((ny, nx), shape, strict=True))
    transfers = transfer(modes)
    return OpenSheet(
        modes=modes,
        frame=(rows, columns),
        precision=precision,
        squared_transfers=np.abs(transfers) ** 2,
        transfers=transfers,
    )
