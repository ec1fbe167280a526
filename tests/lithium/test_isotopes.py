"""Equations 6 and 7 against a solver, the published arithmetic, and noise."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError, UnitError
from operando.lithium import isotopes
from operando.materials.cross_sections import PAPER_TABLE, lithium_cross_sections
from operando.materials.formula import AVOGADRO, formula_from_text
from operando.materials.neutron import attenuation_from_formula, host_attenuation_from_formula

SIGMA6, SIGMA7 = lithium_cross_sections(PAPER_TABLE)
CROSS = {"sigma6": SIGMA6, "sigma7": SIGMA7}
ARGYRODITE = formula_from_text("7Li5.5PS4.5Cl1.5")
DENSITY = 1870.0
HOST = host_attenuation_from_formula(formula=ARGYRODITE, density=DENSITY)
LITHIUM = isotopes.lithium_concentration_from_density(density=DENSITY, molar_mass=ARGYRODITE.molar_mass)
KNOWN = {"host_attenuation": HOST, "lithium_concentration": LITHIUM, **CROSS}


@pytest.mark.parametrize("attenuation", [50.0, 55.0, 88.0, 306.0])
def test_closed_form_solves_the_published_system(attenuation):
    units = LITHIUM / 5.5 * AVOGADRO
    matrix = np.array([[units * SIGMA6, units * SIGMA7], [1.0, 1.0]])
    solved = np.linalg.solve(matrix, [attenuation - HOST, 5.5])
    f = isotopes.lithium6_fraction_from_attenuation(attenuation=attenuation, **KNOWN)
    assert isotopes.isotopes_per_formula_unit(lithium6_fraction=f) == pytest.approx(tuple(solved), rel=1e-9)


@pytest.mark.parametrize("fraction", [0.0, 0.01, 0.0759])
def test_agrees_with_the_attenuation_of_the_formula(fraction):
    # The formula's molar mass changes with its isotopes, the lithium per volume here does not: 2e-3 at natural lithium.
    attenuation = attenuation_from_formula(formula=ARGYRODITE.with_lithium6_fraction(fraction), density=DENSITY)
    f = isotopes.lithium6_fraction_from_attenuation(attenuation=attenuation, **KNOWN)
    assert f == pytest.approx(fraction, rel=3e-3, abs=1e-12)


def test_one_percent_of_the_lithium_is_a_third_of_an_inverse_centimetre():
    pristine, richer = (isotopes.attenuation_from_lithium6_fraction(lithium6_fraction=f, **KNOWN) for f in (0.0, 0.01))
    assert (richer - pristine) / 100 == pytest.approx(0.330, rel=0.005)
    assert pristine / 100 == pytest.approx(0.550, rel=0.005)


@given(
    f=st.floats(0, 1),
    solid=st.floats(0.3, 1.0),
    change=st.floats(-0.5, 0.5),
)
def test_there_and_back(f, solid, change):
    known = {"host_attenuation": HOST * solid, "lithium_concentration": LITHIUM * solid, **CROSS}
    first, second = (isotopes.attenuation_from_lithium6_fraction(lithium6_fraction=g, **known) for g in (f, f + change))
    assert isotopes.lithium6_fraction_from_attenuation(attenuation=first, **known) == pytest.approx(f, abs=1e-12)
    moved = isotopes.lithium6_change_from_attenuation_change(
        attenuation_change=second - first, lithium_concentration=LITHIUM * solid, **CROSS
    )
    assert moved == pytest.approx(change, abs=1e-12)


def test_variance_is_the_scatter_of_noisy_voxels():
    rng = np.random.default_rng(3)
    noisy = 88.0 + rng.normal(scale=109.0, size=40_000)
    f = isotopes.lithium6_fraction_from_attenuation(attenuation=noisy, **KNOWN)
    variance = isotopes.lithium6_var_from_attenuation_var(
        attenuation_var=109.0**2, lithium_concentration=LITHIUM, **CROSS
    )
    assert np.var(f) == pytest.approx(variance, rel=0.03)
    assert np.sqrt(variance) == pytest.approx(0.033, rel=0.01)  # 3.3 % Li-6 per voxel at 1.09 1/cm


@pytest.mark.parametrize("cause", ["attenuation scale", "solid fraction", "host attenuation", "sigma6", "sigma7"])
def test_sensitivities_are_derivatives(cause):
    def fraction(by):
        host, lithium, sigma6, sigma7, mu = HOST, LITHIUM, SIGMA6, SIGMA7, 88.0
        if cause == "attenuation scale":
            mu *= by
        elif cause == "solid fraction":
            host, lithium = host * by, lithium * by
        elif cause == "host attenuation":
            host *= by
        elif cause == "sigma6":
            sigma6 *= by
        else:
            sigma7 *= by
        return isotopes.lithium6_fraction_from_attenuation(
            attenuation=mu, host_attenuation=host, lithium_concentration=lithium, sigma6=sigma6, sigma7=sigma7
        )

    numerical = (fraction(1 + 1e-5) - fraction(1 - 1e-5)) / 2e-5
    assert isotopes.lithium6_sensitivities(attenuation=88.0, **KNOWN)[cause] == pytest.approx(numerical, rel=1e-6)


def test_scale_and_density_cannot_be_told_apart():
    sensitivities = isotopes.lithium6_sensitivities(attenuation=np.array([55.0, 88.0, 300.0]), **KNOWN)
    np.testing.assert_array_equal(sensitivities["attenuation scale"], -sensitivities["solid fraction"])


def test_enrichment_assumed_of_the_separator_itself_goes_in_whole():
    def fraction(assumed):
        scale = isotopes.attenuation_from_lithium6_fraction(lithium6_fraction=assumed, **KNOWN) / 88.0
        return isotopes.lithium6_fraction_from_attenuation(attenuation=100.0 * scale, **KNOWN)

    reference = isotopes.attenuation_from_lithium6_fraction(lithium6_fraction=0.01, **KNOWN)
    slope = isotopes.enrichment_sensitivity(
        attenuation=100.0 * reference / 88.0,
        reference_attenuation=reference,
        reference_lithium=LITHIUM,
        lithium_concentration=LITHIUM,
    )
    assert (fraction(0.011) - fraction(0.009)) / 0.002 == pytest.approx(slope, rel=1e-9)
    assert slope == pytest.approx(100 / 88)


def test_labelled_arrays_keep_their_coordinates_and_convert_their_units():
    mu = xr.DataArray([0.55, 0.88], dims="z", coords={"z": [0.0, 1.0]}, attrs={"units": "1/cm"})
    f = isotopes.lithium6_fraction_from_attenuation(attenuation=mu, **KNOWN)
    assert f.attrs == {"units": ""}
    assert f.name == "lithium6_fraction"
    np.testing.assert_allclose(f, [0.0, 0.01], atol=2e-4)
    xr.testing.assert_equal(f.z, mu.z)


def test_refusals():
    unlabelled = xr.DataArray([50.0], dims="z")
    with pytest.raises(UnitError, match="attenuation must be labelled with units"):
        isotopes.lithium6_fraction_from_attenuation(attenuation=unlabelled, **KNOWN)
    with pytest.raises(UnitError, match="attenuation must be in units of 1/m"):
        isotopes.lithium6_fraction_from_attenuation(attenuation=unlabelled.assign_attrs(units="mol/m^3"), **KNOWN)
    with pytest.raises(InputError, match="lithium_concentration must be above zero"):
        isotopes.lithium6_fraction_from_attenuation(attenuation=50.0, **{**KNOWN, "lithium_concentration": -1.0})
    with pytest.raises(InputError, match="attenuation must be finite everywhere; instead received 1 of 2"):
        isotopes.lithium6_fraction_from_attenuation(attenuation=np.array([50.0, np.nan]), **KNOWN)
    with pytest.raises(InputError, match="0 <= sigma7 < sigma6"):
        isotopes.lithium6_fraction_from_attenuation(attenuation=50.0, **{**KNOWN, "sigma6": SIGMA7})
    with pytest.raises(InputError, match="solid_fraction must be between 0 and 1"):
        isotopes.lithium_concentration_from_density(density=1870.0, molar_mass=0.267, solid_fraction=1.2)
