import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.constants import N_A, Boltzmann, e, electron_mass, hbar, mu_0

from operando.errors import InputError
from operando.materials.formula import formula_from_text
from operando.materials.magnetic import (
    BOHR_MAGNETON,
    cgs_from_si,
    curie_constant_from_moment,
    diamagnetism_from_ions,
    molar_volume_from_density,
    si_from_cgs,
    susceptibility_from_curie_weiss,
    susceptibility_from_pauli,
    susceptibility_from_van_vleck,
    volume_from_molar,
)


@given(st.floats(-1e-2, 1e-2))
def test_units_there_and_back(molar):
    assert cgs_from_si(molar=si_from_cgs(molar=molar)) == pytest.approx(molar, rel=1e-14)


def test_water():
    """-12.97e-6 emu/mol is -9.05e-6 by volume, the textbook value."""
    volume = molar_volume_from_density(formula=formula_from_text("H2O"), density=997.0)
    assert volume_from_molar(molar=si_from_cgs(molar=-12.97e-6), molar_volume=volume) == pytest.approx(
        -9.02e-6, rel=2e-3
    )


def test_curie_constant_of_one_spin():
    """mu_eff = 2.828 sqrt(chi T) in cgs."""
    curie = cgs_from_si(molar=curie_constant_from_moment(moment=1.0))
    assert 1 / math.sqrt(curie) == pytest.approx(2.828, abs=5e-4)


@given(st.floats(50, 2000), st.floats(0.1, 6))
def test_curie_is_the_weak_field_of_brillouin(temperature, moment):
    """Free spins of 1/2: M = N mu tanh(mu B / kT), chi = mu0 M / B; mu_eff = sqrt(3) mu."""
    field, mu = 1e-3, moment / math.sqrt(3) * BOHR_MAGNETON
    brillouin = mu_0 * N_A * mu * math.tanh(mu * field / (Boltzmann * temperature)) / field
    curie = curie_constant_from_moment(moment=moment)
    assert susceptibility_from_curie_weiss(curie_constant=curie, temperature=temperature) == pytest.approx(brillouin)


def test_opposing_neighbours_weaken_and_constants_add():
    curie = curie_constant_from_moment(moment=4.9)
    free = susceptibility_from_curie_weiss(curie_constant=curie)
    assert susceptibility_from_curie_weiss(curie_constant=curie, weiss_temperature=-300) == pytest.approx(free / 2)
    assert susceptibility_from_curie_weiss(curie_constant=curie, constant=1e-9) == pytest.approx(free + 1e-9)


def test_nmc111_from_its_spins():
    """Ni2+ (S = 1) and Mn4+ (S = 3/2), a third each, Co3+ silent."""
    curie = sum(curie_constant_from_moment(moment=math.sqrt(n * (n + 2))) for n in (2, 3)) / 3
    molar = susceptibility_from_curie_weiss(curie_constant=curie, weiss_temperature=-70)
    assert molar == pytest.approx(3.25e-8, rel=0.01)


def test_van_vleck_of_low_spin_cobalt():
    """Complexes of Co3+ with a gap of 20 000 /cm have about 2e-4 emu/mol."""
    gap = 2e6 * 2 * math.pi * hbar * 299792458
    assert cgs_from_si(molar=susceptibility_from_van_vleck(gap=gap)) == pytest.approx(2.1e-4, rel=0.02)


def test_pauli_of_free_electrons_in_lithium():
    """0.8e-6 cgs by volume (10.1e-6 SI) in the free-electron table of Ashcroft and Mermin; measured 2.0e-6."""
    per_volume = 4.70e28
    fermi = (hbar**2 / (2 * electron_mass)) * (3 * math.pi**2 * per_volume) ** (2 / 3)
    assert fermi / e == pytest.approx(4.74, abs=0.01)
    molar = susceptibility_from_pauli(density_of_states=1.5 / fermi)
    assert volume_from_molar(molar=molar, molar_volume=N_A / per_volume) == pytest.approx(
        4e-6 * math.pi * 0.8, rel=0.02
    )


def test_pascal_of_garnet():
    molar = diamagnetism_from_ions(ions={"Li+": 7, "La3+": 3, "Zr4+": 2, "O2-": 12})
    assert molar == pytest.approx(-231e-6 * 4e-6 * math.pi)


def test_pascal_of_salt():
    """NaCl is listed with -30.2e-6 emu/mol (measured)."""
    assert cgs_from_si(molar=diamagnetism_from_ions(ions={"Na+": 1, "Cl-": 1})) == pytest.approx(-30.2e-6, rel=1e-12)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="Weiss temperature"):
        susceptibility_from_curie_weiss(curie_constant=1.0, temperature=50, weiss_temperature=52)
    with pytest.raises(InputError, match="gap must be above zero"):
        susceptibility_from_van_vleck(gap=0)
    with pytest.raises(InputError, match="molar volume must be above zero"):
        volume_from_molar(molar=1e-9, molar_volume=0)
    with pytest.raises(InputError, match=r"ion must be one of Li\+"):
        diamagnetism_from_ions(ions={"Xx+": 1})
