"""Spectra: moments of the Maxwellian, transmission, hardening."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from operando.errors import InputError
from operando.materials.spectrum import (
    Spectrum,
    effective_attenuation_from_spectrum,
    maxwellian_from_peak,
    spectrum_from_response,
    transmission_from_optical_depth,
)


@given(st.floats(1e-3, 0.1), st.sampled_from([-0.5, 0.5, 1.0, 2.0]))
def test_moments_of_the_maxwellian(peak: float, power: float) -> None:
    spectrum = maxwellian_from_peak(peak=peak)
    # integral of x^(1 + p) exp(-x), with x = E / kT
    expected = math.gamma(2 + power) * peak**power
    # The cut at 25 kT takes 25^3 exp(-25) = 2e-7 from the second moment.
    assert spectrum.weight @ spectrum.energy**power == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("depth", [0.01, 0.5, 2.0, 5.0])
def test_transmission_of_a_maxwellian_through_an_inverse_speed_absorber(depth: float) -> None:
    spectrum = maxwellian_from_peak(peak=0.011)
    truth, _ = quad(lambda x: x * np.exp(-x - depth / np.sqrt(x)), 0, np.inf, epsabs=1e-13)
    optical_depth = depth * np.sqrt(0.011 / spectrum.energy)
    ours = transmission_from_optical_depth(optical_depth=optical_depth, spectrum=spectrum)
    assert ours == pytest.approx(truth, rel=1e-6)
    effective = effective_attenuation_from_spectrum(attenuation=optical_depth, thickness=1.0, spectrum=spectrum)
    assert effective == pytest.approx(-math.log(truth), rel=1e-6)


@given(st.floats(1e-6, 1e-2), st.floats(1.01, 100))
def test_a_beam_hardens_and_never_softens(thickness: float, factor: float) -> None:
    spectrum = maxwellian_from_peak()
    attenuation = 1000 * np.sqrt(0.011 / spectrum.energy)

    def effective(path: float) -> float:
        return effective_attenuation_from_spectrum(attenuation=attenuation, thickness=path, spectrum=spectrum)

    assert effective(0) * (1 + 1e-9) >= effective(thickness) >= effective(factor * thickness) * (1 - 1e-9)
    assert effective(factor * thickness) > attenuation.min()


def test_thick_matter_does_not_underflow() -> None:
    spectrum = maxwellian_from_peak()
    attenuation = 1e5 * np.sqrt(0.011 / spectrum.energy)
    effective = effective_attenuation_from_spectrum(attenuation=attenuation, thickness=1.0, spectrum=spectrum)
    assert attenuation.min() < effective < attenuation.max()


def test_a_single_energy_does_not_harden() -> None:
    beam = Spectrum(energy=np.array([0.011]), weight=np.array([1.0]))
    effective = effective_attenuation_from_spectrum(attenuation=np.array([230.0]), thickness=0.003, spectrum=beam)
    assert effective == pytest.approx(230.0)


def test_transmission_keeps_the_shape_of_the_image() -> None:
    spectrum = maxwellian_from_peak(points=16)
    image = transmission_from_optical_depth(optical_depth=np.zeros((3, 4, 16)), spectrum=spectrum)
    assert image == pytest.approx(np.ones((3, 4)))


def test_an_inverse_speed_detector_sees_softer_neutrons() -> None:
    beam = maxwellian_from_peak(peak=0.011)
    seen = spectrum_from_response(spectrum=beam, response=beam.energy**-0.5)
    # <E> turns from Gamma(3) / Gamma(2) to Gamma(5/2) / Gamma(3/2) in units of kT
    assert seen.energy @ seen.weight == pytest.approx(1.5 * 0.011, rel=1e-4)
    assert beam.energy @ beam.weight == pytest.approx(2.0 * 0.011, rel=1e-6)


@pytest.mark.parametrize(
    ("energy", "weight"),
    [([1.0, 2.0], [0.5]), ([0.0], [1.0]), ([1.0], [0.9]), ([1.0, 2.0], [-0.5, 1.5]), ([], []), ([np.nan], [1.0])],
)
def test_what_is_no_spectrum_is_refused(energy: list[float], weight: list[float]) -> None:
    with pytest.raises(InputError, match="spectrum must be"):
        Spectrum(energy=np.array(energy), weight=np.array(weight))


@pytest.mark.parametrize("bad", [{"peak": 0.0}, {"peak": math.nan}, {"points": 3}, {"points": 10**6}])
def test_an_impossible_maxwellian_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError, match="of the spectrum must be"):
        maxwellian_from_peak(**bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("response", [np.zeros(32), -np.ones(32), np.ones(31)])
def test_a_response_that_sees_nothing_is_refused(response: np.ndarray) -> None:
    with pytest.raises(InputError, match="response must be"):
        spectrum_from_response(spectrum=maxwellian_from_peak(), response=response)


def test_a_negative_thickness_is_refused() -> None:
    spectrum = maxwellian_from_peak()
    with pytest.raises(InputError, match="thickness must be"):
        effective_attenuation_from_spectrum(attenuation=spectrum.energy, thickness=-1.0, spectrum=spectrum)
