"""What a map tells of its source before it is inverted: power against wavenumber, and the noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from operando.magnetism.inverse_system import Transfer
from operando.magnetism.regularisation import (
    Choice,
    SourceSpectrum,
    mixing_by_taper,
    periodogram,
    spectrum_from_periodogram,
    taper,
)
from operando.magnetism.sheet import HalfSpectrum
from operando.magnetism.sheet_maps import FieldMaps

Array = npt.NDArray[Any]


def learnt_spectrum(
    maps: FieldMaps, *, transfer: Transfer, order: int, noise: Array | None, choice: Choice
) -> SourceSpectrum:
    """Prior of the source's spectrum and the noise, from the tapered maps combined as they see the source best.

    Parameters
    ----------
    maps:
        Without missing pixels.
    transfer, order, noise, choice:
        As in `inverse_sheet.invert_sheet`.
    """
    modes = HalfSpectrum(shape=maps.shape, pixel=maps.pixel)
    factors = transfer(modes)
    whole = maps.values
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
    level = None if noise is None else float(np.sqrt(np.nanmean(noise**2)))
    return spectrum_from_periodogram(rings, slopes=(0, 1) if order == 2 else (0,), noise=level, choice=choice)
