import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.tomography.filters import angle_weights, ramp_from_length, squared_from_ramp


def test_the_ramp_is_its_frequency_but_for_the_mean():
    ramp, frequency = ramp_from_length(length=4096), np.fft.rfftfreq(4096)
    np.testing.assert_allclose(ramp[1:], frequency[1:], atol=2e-4)
    assert 0 < ramp[0] < 2e-4


@pytest.mark.parametrize(("name", "power"), [("ram-lak", 1 / 12), ("hann", 1 / 32 - 15 / (64 * np.pi**2))])
def test_the_squared_kernel_sums_to_the_integral_of_the_squared_ramp(name, power):
    """Integral of f^2 over the band, times cos^4(pi f) = (3 + 4 cos 2 pi f + cos 4 pi f) / 8 with the window."""
    ramp = ramp_from_length(length=8192, filter=name)
    frequency = np.linspace(-0.5, 0.5, 200_001)
    window = np.cos(np.pi * frequency) ** 4 if name == "hann" else 1.0
    assert np.trapezoid(frequency**2 * window, frequency) == pytest.approx(power, rel=1e-6)
    assert squared_from_ramp(ramp, 8192)[0] == pytest.approx(power, rel=1e-3)


@given(st.integers(30, 400), st.integers(0, 2**32 - 1), st.sampled_from([np.pi, 2 * np.pi]))
def test_angle_weights_sum_to_the_period_in_any_order(count, seed, period):
    rng = np.random.default_rng(seed)
    angle = rng.permutation(
        period * (np.arange(count) + 0.5 * rng.random(count)) / count + rng.integers(-3, 4, count) * period
    )
    weights = angle_weights(angle, period=period)
    assert weights.sum() == pytest.approx(period)
    assert weights.min() >= 0


def test_the_first_and_last_view_of_a_closed_scan_share_their_weight():
    weights = angle_weights(np.linspace(0, np.pi, 181), period=np.pi)
    np.testing.assert_allclose(weights[1:-1], np.pi / 180)
    assert weights[0] + weights[-1] == pytest.approx(np.pi / 180)


def test_missing_wedges_and_unknown_filters_are_refused():
    with pytest.raises(InputError, match="gap"):
        angle_weights(np.linspace(0, 2.5, 100), period=np.pi)
    with pytest.raises(InputError, match="spread over"):
        angle_weights(np.array([0.1]), period=np.pi)
    with pytest.raises(InputError, match="ram-lak, hann"):
        ramp_from_length(length=16, filter="shepp")
