import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.magnetism.nv import NV
from operando.magnetism.odmr import contrast_from_power, fluorescence_from_lines, linewidth_from_power
from operando.magnetism.sensitivity import (
    SLOPES,
    field_error_from_sensitivity,
    sensitivity_from_hahn_echo,
    sensitivity_from_odmr,
    sensitivity_from_ramsey,
    sensitivity_from_sweep,
    time_from_signal,
)

ODMR = {"linewidth": 1e6, "contrast": 0.02, "photon_rate": 1e8}
RAMSEY = {"precession": 1e-6, "dephasing_time": 1e-6, "contrast": 0.1, "photons": 0.05}


@pytest.mark.parametrize("shape", ["lorentzian", "gaussian"])
def test_slope_factor_is_that_of_the_steepest_point(shape):
    f = np.linspace(-2, 2, 400_001)
    dip = fluorescence_from_lines(frequency=f, lines=np.array([0.0]), width=1.0, contrast=1.0, shape=shape)
    assert 1 / np.abs(np.gradient(dip, f)).max() == pytest.approx(SLOPES[shape], rel=1e-6)


def test_microwave_on_the_slope_scatters_as_the_formula_says():
    rng, time = np.random.default_rng(1), 0.01
    steepest = 1e6 / (2 * np.sqrt(3))
    at = np.array([steepest, steepest + 1.0])
    level, above = fluorescence_from_lines(frequency=at, lines=np.array([0.0]), width=1e6, contrast=0.02)
    photons = rng.poisson(level * 1e8 * time, 40_000)
    field = (photons / (1e8 * time) - level) / (above - level) / NV.gyromagnetic_ratio
    expected = field_error_from_sensitivity(sensitivity=sensitivity_from_odmr(**ODMR), time=time)
    # noise of the dimmed light, 1.5 % of contrast, is 0.8 % less than that of the full light of the formula
    assert field.std() == pytest.approx(expected, rel=0.02)


def test_ramsey_scatters_as_the_formula_says():
    rng, spins, tau, t2 = np.random.default_rng(2), 50, 0.6e-6, 1e-6
    bright, dark = 0.06, 0.04
    contrast, photons = (bright - dark) / (bright + dark), (bright + dark) / 2
    decay = np.exp(-tau / t2)

    def signal(field, shots):
        up = 0.5 * (1 + decay * np.sin(2 * np.pi * NV.gyromagnetic_ratio * field * tau))
        counts = rng.binomial(spins, up, shots)
        return rng.poisson(counts * bright + (spins - counts) * dark)

    shots = 200_000
    slope = decay * np.pi * NV.gyromagnetic_ratio * tau * spins * (bright - dark)
    estimate = (signal(0.0, shots) - spins * photons) / slope
    eta = sensitivity_from_ramsey(
        precession=tau, dephasing_time=t2, contrast=contrast, photons=photons, spins=spins, dead_time=2e-6
    )
    expected = field_error_from_sensitivity(sensitivity=eta, time=tau + 2e-6)
    assert estimate.std() == pytest.approx(expected, rel=0.01)
    assert estimate.mean() == pytest.approx(0.0, abs=4 * expected / np.sqrt(shots))


def test_echo_gathers_a_sine_whose_zeros_meet_the_pulses_and_no_cosine():
    t = (np.arange(100_000) + 0.5) / 100_000
    turned = np.where(t < 0.5, 1.0, -1.0)
    gathered = [np.mean(turned * wave(2 * np.pi * t)) for wave in (np.sin, np.cos)]
    echo = sensitivity_from_hahn_echo(precession=1e-6, coherence_time=1e-6, contrast=0.1, photons=0.05)
    assert echo / sensitivity_from_ramsey(**RAMSEY) == pytest.approx(1 / gathered[0], rel=1e-6)
    assert gathered[1] == pytest.approx(0.0, abs=1e-12)


def test_ramsey_is_best_at_half_its_dephasing_time_without_waiting_and_at_all_of_it_with():
    tau = np.geomspace(1e-8, 1e-5, 4001)
    common = {"dephasing_time": 1e-6, "contrast": 0.1, "photons": 0.05}
    assert tau[sensitivity_from_ramsey(precession=tau, **common).argmin()] == pytest.approx(0.5e-6, rel=0.01)
    idle = sensitivity_from_ramsey(precession=tau, dead_time=1e-2, **common)
    assert tau[idle.argmin()] == pytest.approx(1e-6, rel=0.01)


def test_perfect_readout_leaves_projection_noise():
    eta = sensitivity_from_ramsey(precession=1e-6, dephasing_time=1e3, contrast=1.0, photons=1e12)
    assert eta == pytest.approx(1 / (2 * np.pi * NV.gyromagnetic_ratio * np.sqrt(1e-6)), rel=1e-6)


def test_sweep_costs_what_it_spends_beside_the_line():
    sweep = sensitivity_from_sweep(**ODMR, span=100e6)
    assert sweep / sensitivity_from_odmr(**ODMR) == pytest.approx(np.sqrt(100 / np.pi) / SLOPES["lorentzian"], rel=1e-9)


def test_published_orders_of_magnitude_are_met():
    # a scanning tip by continuous waves: about 1 uT/sqrt(Hz) (Pollok et al. 2025)
    tip = sensitivity_from_odmr(linewidth=8e6, contrast=0.2, photon_rate=1e6)
    assert 0.5e-6 < tip < 2e-6
    # pulses: tens of nT/sqrt(Hz)
    pulsed = sensitivity_from_ramsey(
        precession=3e-6, dephasing_time=3e-6, contrast=0.15, photons=0.2, dead_time=2e-6, exponent=2
    )
    assert 5e-9 < pulsed < 200e-9


@given(signal=st.floats(1e-12, 1e-3), eta=st.floats(1e-12, 1e-3), k=st.floats(0.1, 10))
def test_time_and_error_are_inverse(signal, eta, k):
    time = time_from_signal(signal=signal, sensitivity=eta, significance=k)
    assert k * field_error_from_sensitivity(sensitivity=eta, time=time) == pytest.approx(signal, rel=1e-9)


def test_microwave_power_buys_contrast_and_costs_width():
    rabi = np.geomspace(1e5, 1e9, 50)
    contrast = contrast_from_power(rabi=rabi, saturation=0.1)
    width = linewidth_from_power(rabi=rabi, saturation=0.1, inhomogeneous=2e5)
    assert (np.diff(contrast) > 0).all()
    assert (np.diff(width) > 0).all()
    assert contrast[-1] == pytest.approx(0.2, rel=1e-2)
    # well above the optical rates the width grows as the Rabi frequency does
    assert width[-1] / width[-11] == pytest.approx(rabi[-1] / rabi[-11], rel=0.01)
    eta = sensitivity_from_odmr(linewidth=width, contrast=contrast, photon_rate=1e5)
    assert 0 < eta.argmin() < 49


@pytest.mark.parametrize("name", list(ODMR))
def test_what_is_not_positive_is_refused(name):
    with pytest.raises(InputError, match=name.replace("_", " ")):
        sensitivity_from_odmr(**ODMR | {name: 0.0})


@pytest.mark.parametrize("wrong", [{"width": 0.0}, {"contrast": 1.5}, {"contrast": -0.1}])
def test_spectra_without_sense_are_refused(wrong):
    right = {"frequency": np.linspace(0, 1, 5), "lines": np.array([0.5]), "width": 0.1, "contrast": 0.1}
    with pytest.raises(InputError):
        fluorescence_from_lines(**right | wrong)
