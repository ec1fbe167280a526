"""X-ray attenuation: xraydb's own evaluation, published values, and the beam of a tube."""

import math

import numpy as np
import pytest
import xraydb
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.materials.density import material_from_name
from operando.materials.formula import Nuclide, formula_from_text
from operando.materials.spectrum import Spectrum, effective_attenuation_from_spectrum
from operando.materials.xray import (
    attenuation_from_formula,
    attenuation_from_mixture,
    cross_section_from_energy,
    spectral_attenuation_from_formula,
    spectrum_from_tube,
)

ALUMINIUM = formula_from_text("Al")


@pytest.mark.parametrize(
    ("text", "density", "per_cm", "digit"),
    [
        ("In", 7310, 46, 1),
        ("LiIn", 5176, 31, 1),
        ("Fe", 7900, 9.5, 0.1),
        ("LiNi0.83Co0.11Mn0.06O2", 4780, 4.5, 0.1),
        ("Al", 2700, 0.75, 0.01),
        ("7Li5.5PS4.5Cl1.5", 1870, 0.69, 0.01),
        ("Li", 534, 0.08, 0.01),
    ],
)
def test_known_attenuation_at_60_kev(text: str, density: float, per_cm: float, digit: float) -> None:
    # The known values are rounded: half of their last digit is all that they can tell.
    ours = attenuation_from_formula(formula=formula_from_text(text), density=density, energy=60e3)
    assert ours == pytest.approx(100 * per_cm, abs=100 * digit / 2)


@pytest.mark.parametrize(
    ("symbol", "kev", "mass_attenuation"),
    # NIST XCOM/XAAMDI mass attenuation with coherent scattering [cm^2/g].
    [("Al", 60, 0.2778), ("Fe", 60, 1.205), ("O", 60, 0.1907), ("Cu", 100, 0.4584), ("W", 100, 4.438)],
)
def test_the_elements_are_those_of_nist(symbol: str, kev: float, mass_attenuation: float) -> None:
    ours = attenuation_from_formula(formula=formula_from_text(symbol), density=1000, energy=kev * 1e3)
    assert ours / 100 == pytest.approx(mass_attenuation, rel=0.01)


@pytest.mark.parametrize("text", ["Li5.5PS4.5Cl1.5", "LiNi0.83Co0.11Mn0.06O2", "LiIn", "Al2O3", "La3Zr2O12"])
@pytest.mark.parametrize("kev", [8.0, 30.0, 60.0, 100.0])
def test_compounds_are_those_of_xraydb(text: str, kev: float) -> None:
    theirs = 100 * xraydb.material_mu(text, kev * 1e3, density=3.0)
    ours = attenuation_from_formula(formula=formula_from_text(text), density=3000, energy=kev * 1e3)
    assert ours == pytest.approx(theirs, rel=2e-4)  # the two have atomic masses from different years


def test_isotopes_attenuate_per_atom() -> None:
    same = [
        cross_section_from_energy(nuclide=Nuclide("Li", mass), energy=np.array([2e4, 6e4])) for mass in (None, 6, 7)
    ]
    assert same[0] == pytest.approx(same[1], rel=0)
    assert same[0] == pytest.approx(same[2], rel=0)


@given(st.floats(0, 1), st.floats(0, 0.9))
def test_mixtures_add_up_by_volume_and_lose_their_pores(alpha: float, porosity: float) -> None:
    silver, water = formula_from_text("Ag"), formula_from_text("H2O")
    mixed = attenuation_from_mixture(
        constituents=[(silver, 10490.0, alpha), (water, 1000.0, 1 - alpha)], porosity=porosity, energy=60e3
    )
    apart = [attenuation_from_formula(formula=f, density=d, energy=60e3) for f, d in ((silver, 10490), (water, 1000))]
    assert mixed == pytest.approx((1 - porosity) * (alpha * apart[0] + (1 - alpha) * apart[1]))


def test_attenuation_over_a_spectrum_is_that_at_each_energy() -> None:
    beam = Spectrum(energy=np.array([2e4, 5e4]), weight=np.array([0.5, 0.5]))
    spectral = spectral_attenuation_from_formula(formula=ALUMINIUM, density=2700, spectrum=beam)
    single = [attenuation_from_formula(formula=ALUMINIUM, density=2700, energy=energy) for energy in beam.energy]
    assert spectral == pytest.approx(single)


def test_a_bare_tube_follows_kramers() -> None:
    beam = spectrum_from_tube(voltage=100e3, lowest=20e3, points=800)
    # Mean of E over (E0 - E) / E from a to E0 is ((E0 - a)^2 / 2) / (E0 ln(E0 / a) - (E0 - a)).
    mean = (80e3**2 / 2) / (100e3 * math.log(5) - 80e3)
    assert beam.energy @ beam.weight == pytest.approx(mean, rel=1e-5)


def test_a_filter_takes_what_its_attenuation_says() -> None:
    bare = spectrum_from_tube(voltage=100e3)
    filtered = spectrum_from_tube(voltage=100e3, filters=[(ALUMINIUM, 2700, 1e-3)])
    depth = 1e-3 * spectral_attenuation_from_formula(formula=ALUMINIUM, density=2700, spectrum=bare)
    left = bare.weight * np.exp(-depth)
    assert filtered.weight == pytest.approx(left / left.sum())


@given(st.floats(40e3, 160e3), st.floats(1e-4, 1e-2))
def test_filters_harden_the_beam(voltage: float, thickness: float) -> None:
    means = [
        beam.energy @ beam.weight
        for beam in (
            spectrum_from_tube(voltage=voltage),
            spectrum_from_tube(voltage=voltage, filters=[(ALUMINIUM, 2700, thickness)]),
            spectrum_from_tube(voltage=voltage, filters=[(ALUMINIUM, 2700, thickness)] * 2),
        )
    ]
    assert means[0] < means[1] < means[2] < voltage


def test_steel_before_the_detector_leaves_a_beam() -> None:
    beam = spectrum_from_tube(voltage=60e3, filters=[(formula_from_text("Pb"), 11350, 0.1)])
    assert beam.weight.sum() == pytest.approx(1)
    assert beam.weight[-1] > 0.1


def test_indium_lets_no_xrays_through() -> None:
    indium = material_from_name("indium")
    attenuation = attenuation_from_formula(formula=indium.formula, density=indium.density, energy=60e3)
    assert attenuation * 3e-3 == pytest.approx(14, abs=0.5)
    beam = spectrum_from_tube(voltage=100e3, filters=[(ALUMINIUM, 2700, 1e-3)])
    spectral = spectral_attenuation_from_formula(formula=indium.formula, density=indium.density, spectrum=beam)
    effective = effective_attenuation_from_spectrum(attenuation=spectral, thickness=3e-3, spectrum=beam)
    assert effective < attenuation


@pytest.mark.parametrize("energy", [0.0, 99.0, 1e6, math.nan])
def test_energies_beyond_the_tables_are_refused(energy: float) -> None:
    with pytest.raises(InputError, match="photon energy must be from 100 to 800000 eV"):
        attenuation_from_formula(formula=ALUMINIUM, density=2700, energy=energy)


def test_elements_beyond_the_tables_are_refused() -> None:
    with pytest.raises(InputError, match="up to californium"):
        attenuation_from_formula(formula=formula_from_text("Fm"), density=2700, energy=60e3)


@pytest.mark.parametrize("voltage", [0.0, 4e3, 1e6, math.nan])
def test_an_impossible_tube_is_refused(voltage: float) -> None:
    with pytest.raises(InputError, match="tube voltage must be"):
        spectrum_from_tube(voltage=voltage)
