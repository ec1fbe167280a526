"""What a taper mixes between rings of wavenumber, and the prior learnt through it."""

import numpy as np
import pytest

from operando.magnetism.regularisation import (
    SourceSpectrum,
    mixing_by_taper,
    periodogram,
    spectrum_from_periodogram,
    taper,
)

SIZE, PIXEL, HEIGHT = 64, 0.1e-6, 1.5e-6
ALONG = 2 * np.pi * np.fft.fftfreq(SIZE, PIXEL)
K = np.hypot(ALONG[:, None], ALONG)
WIDTH = 2 * np.pi / SIZE / PIXEL
RING = np.rint(K / WIDTH).astype(int)
TRUE = SourceSpectrum(amplitude=1.0, wavenumber=2e6, exponent=2.0, slope=0, noise=1e-8)
GAIN = K * np.exp(-K * HEIGHT) / K.max()


def tapered_power(seed: int) -> np.ndarray:
    """Periodogram of a tapered piece of a periodic random field four times as large, seen from a height."""
    rng = np.random.default_rng(seed)
    along = 2 * np.pi * np.fft.fftfreq(4 * SIZE, PIXEL)
    k = np.hypot(along[:, None], along)
    transfer = k * np.exp(-k * HEIGHT) / K.max()
    spectrum = np.fft.fft2(rng.standard_normal(k.shape)) * transfer * np.sqrt(TRUE.power(np.maximum(k, 1.0)))
    field = np.fft.ifft2(spectrum).real[:SIZE, :SIZE] + TRUE.noise * rng.standard_normal((SIZE, SIZE))
    return np.abs(np.fft.fft2(field * taper(field.shape))) ** 2 / field.size


def rings(power: np.ndarray, *, mixed: bool):
    mixing = mixing_by_taper(ring=RING) if mixed else None
    return periodogram(k=K, power=power, gain=GAIN**2, count=np.ones(K.shape), width=WIDTH, mixing=mixing)


def test_a_taper_keeps_the_power():
    mixing = mixing_by_taper(ring=RING)
    assert mixing.sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    assert (mixing >= 0).all()


def test_what_leaks_outwards_is_expected():
    """Where the kernel has fallen by ten orders of magnitude, the taper still shows what it brought there."""
    found = rings(np.mean([tapered_power(seed) for seed in range(40)], axis=0), mixed=True)
    alone = found.gain * TRUE.power(found.k)
    leaked = (found.signal(TRUE) > 2 * alone) & (found.signal(TRUE) > 1e3 * TRUE.noise**2)
    assert leaked.sum() > 3
    # 40 maps of few modes a ring, and rings a mode wide across which the power falls by ten
    assert found.power[leaked] == pytest.approx(found.signal(TRUE)[leaked], rel=0.5)


def test_a_rough_source_is_not_invented():
    """Read without the mixing, the same maps tell of more power at large wavenumbers than there is."""
    power = tapered_power(1)
    far = np.array([8e6])
    through, bare = (
        spectrum_from_periodogram(rings(power, mixed=mixed), slopes=(0,), noise=TRUE.noise, choice="likelihood")
        for mixed in (True, False)
    )
    assert through.power(far) < 3 * TRUE.power(far)
    assert bare.power(far) > 10 * TRUE.power(far)
