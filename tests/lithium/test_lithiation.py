"""Equation 8 and the arithmetic of the paper's scenarios."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from operando.cell.amounts import amounts_from_cell, area_from_cell, cathode_thickness_from_cell
from operando.cell.builtin import load_cell
from operando.errors import InputError
from operando.lithium import lithiation
from operando.lithium.exchange import mixture_fraction_from_amounts
from operando.lithium.maps import lithiation_from_attenuation_change
from operando.materials.cross_sections import PAPER_TABLE, lithium_cross_sections
from operando.materials.formula import AVOGADRO, LITHIUM6_NATURAL, formula_from_text
from operando.materials.mixture import volume_fractions_from_weight
from operando.materials.neutron import attenuation_from_mixture

SIGMA6, SIGMA7 = lithium_cross_sections(PAPER_TABLE)
CROSS = {"sigma6": SIGMA6, "sigma7": SIGMA7}
NATURAL = lithiation.lithium_cross_section_from_fraction(lithium6_fraction=LITHIUM6_NATURAL, **CROSS)
CELL = load_cell("cell-b")
AMOUNTS = amounts_from_cell(cell=CELL)
VOLUME = area_from_cell(cell=CELL) * cathode_thickness_from_cell(cell=CELL)
SITES, ELECTROLYTE = AMOUNTS.active / VOLUME, AMOUNTS.cathode_electrolyte / VOLUME
NCM, NCM_DENSITY = formula_from_text("LiNi0.83Co0.11Mn0.06O2"), 4780.0
ARGYRODITE = formula_from_text("7Li5.5PS4.5Cl1.5")


def composite(x, extra=0.0):
    """Attenuation of the dense composite in which NCM holds x lithium in the volume that it fills when full."""
    fractions = volume_fractions_from_weight(weight_fractions=(0.7, 0.3), densities=(NCM_DENSITY, 1870.0))
    formula = NCM.with_lithium(x)
    density = NCM_DENSITY * formula.molar_mass / NCM.molar_mass
    electrolyte = ARGYRODITE.with_lithium6_fraction(extra) if extra else ARGYRODITE
    constituents = [(formula, density, fractions[0]), (electrolyte, 1870.0, fractions[1])]
    return attenuation_from_mixture(constituents=constituents), fractions[0] * NCM_DENSITY / NCM.molar_mass


@pytest.mark.parametrize("x", [1.0, 0.85, 0.73, 0.2])
def test_equation_8_returns_the_lithium_of_the_composite(x):
    host, sites = composite(0.0)
    found = lithiation.lithiation_from_attenuation(
        attenuation=composite(x)[0], host_attenuation=host, site_concentration=sites, lithium_cross_section=NATURAL
    )
    assert found == pytest.approx(x, abs=1e-9)


def shift(extra=0.01, **changes):
    known = {"electrolyte_concentration": ELECTROLYTE, "site_concentration": SITES, **CROSS, **changes}
    return lithiation.apparent_lithiation_from_electrolyte(extra_lithium6=extra, **known)


def test_one_percent_of_lithium6_in_the_electrolyte_reads_as_11_percent_of_lithiation():
    # The amounts are those of the built-in cell, 99 % Li-7, whose heavier formula unit is 0.02 % fewer of them.
    assert shift() == pytest.approx(0.1121, rel=5e-4)
    assert shift(electrolyte_concentration=19.8, site_concentration=23.0) == pytest.approx(0.1121, rel=2e-3)


@given(solid=st.floats(0.1, 1.0))
def test_no_density_enters_that_shift(solid):
    scaled = shift(electrolyte_concentration=ELECTROLYTE * solid, site_concentration=SITES * solid)
    assert scaled == pytest.approx(shift(), rel=1e-12)


def scenarios(times, attenuation, **changes):
    host, sites = composite(0.0)
    ratio = ELECTROLYTE / SITES
    mu = xr.DataArray(attenuation, dims="time", coords={"time": times}, attrs={"units": "1/m"})
    known = {
        "attenuation": mu,
        "attenuation_var": xr.full_like(mu, 4.0).assign_attrs(units="1/m^2"),
        "host_attenuation": host,
        "site_concentration": sites,
        "electrolyte_concentration": ratio * sites,
        "charge_start": 3600.0,
        "charge_end": 28_800.0,
    }
    return lithiation.lithiation_scenarios_from_attenuation(**{**known, **CROSS, **changes})


def test_published_scenarios():
    times = [0.0, 3600.0, 16_200.0, 28_800.0, 32_000.0]
    found = scenarios(times, [composite(x)[0] for x in (1.0, 1.0, 0.925, 0.85, 0.85)])
    assert found.lithiation.dims == ("scenario", "time")
    none, mixed, linear = found.lithiation.values
    np.testing.assert_allclose(none, [1, 1, 0.925, 0.85, 0.85], atol=1e-9)
    assert mixed[3] == pytest.approx(0.738, abs=0.001)  # "about 74 %"
    assert mixed[0] < 0.90  # "less than 90 %"
    np.testing.assert_allclose(linear[[0, 1, 3, 4]], [none[0], none[1], mixed[3], mixed[4]], atol=1e-12)
    assert linear[2] == pytest.approx((none[2] + mixed[2]) / 2)


def test_variance_of_scenarios_is_their_scatter():
    rng = np.random.default_rng(5)
    found = scenarios(np.arange(20_000.0), composite(0.8)[0] + rng.normal(scale=2.0, size=20_000))
    np.testing.assert_allclose(
        found.lithiation.isel(scenario=[0, 1]).var("time"), found.lithiation_var[0, 0], rtol=0.05
    )
    assert found.lithiation_var.dims == found.lithiation.dims


def test_full_exchange_hides_nearly_half_of_the_delithiation():
    """With pure Li-7 the mixture holds 4.08 % Li-6, 0.5376 of natural; the attenuation lost is 0.5427 of it."""
    mixture = mixture_fraction_from_amounts(
        active_lithium=AMOUNTS.active,
        electrolyte_lithium=AMOUNTS.cathode_electrolyte,
        active_fraction=LITHIUM6_NATURAL,
        electrolyte_fraction=0.0,
    )
    assert mixture == pytest.approx(0.0408, abs=5e-5)
    assert mixture / LITHIUM6_NATURAL == pytest.approx(0.5376, abs=2e-4)
    without_lithium7 = lithiation.apparent_delithiation_ratio(leaving_fraction=mixture, sigma6=SIGMA6, sigma7=0.0)
    assert 1 - 0.27 * without_lithium7 == pytest.approx(0.855, abs=5e-4)
    ratio = lithiation.apparent_delithiation_ratio(leaving_fraction=mixture, **CROSS)
    assert ratio == pytest.approx(0.5423, abs=1e-3)
    assert 1 - 0.27 * ratio == pytest.approx(0.8535, abs=5e-4)


@given(x=st.floats(0, 1), f=st.floats(0.001, 0.5))
def test_map_inverts_the_attenuation_that_leaves(x, f):
    change = -(1 - x) * SITES * AVOGADRO * (f * SIGMA6 + (1 - f) * SIGMA7)
    found = lithiation_from_attenuation_change(
        attenuation_change=change, site_concentration=SITES, leaving_fraction=f, **CROSS
    )
    assert found == pytest.approx(x, abs=1e-12)


def test_map_of_natural_lithium_is_equation_8():
    host, sites = composite(0.0)
    found = lithiation_from_attenuation_change(
        attenuation_change=composite(0.4)[0] - composite(1.0)[0],
        site_concentration=sites,
        leaving_fraction=LITHIUM6_NATURAL,
        **CROSS,
    )
    direct = lithiation.lithiation_from_attenuation(
        attenuation=composite(0.4)[0], host_attenuation=host, site_concentration=sites, lithium_cross_section=NATURAL
    )
    assert found == pytest.approx(direct, abs=1e-9)


def test_refusals():
    with pytest.raises(InputError, match="charge_end must be later"):
        scenarios([0.0], [200.0], charge_end=0.0)
    variance = xr.DataArray([-1.0], dims="time", attrs={"units": "1/m^2"})
    with pytest.raises(InputError, match="attenuation_var must be zero or more"):
        scenarios([0.0], [200.0], attenuation_var=variance)
    with pytest.raises(InputError, match="site_concentration must be above zero"):
        scenarios([0.0], [200.0], site_concentration=0.0)
