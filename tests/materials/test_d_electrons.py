import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.materials.d_electrons import (
    VALENCE_ELECTRONS,
    d_electrons_from_ion,
    moment_from_ion,
    moment_from_unpaired,
    octahedral_orbitals_from_d_electrons,
    unpaired_from_d_electrons,
    usual_spins,
)


@pytest.mark.parametrize(
    ("element", "charge", "count"),
    [("Ti", 4, 0), ("Ti", 3, 1), ("V", 5, 0), ("Mn", 2, 5), ("Mn", 3, 4), ("Mn", 4, 3), ("Fe", 2, 6), ("Fe", 3, 5),
     ("Co", 2, 7), ("Co", 3, 6), ("Co", 4, 5), ("Ni", 2, 8), ("Ni", 3, 7), ("Ni", 4, 6), ("Cu", 2, 9), ("Zn", 2, 10)],
)  # fmt: skip
def test_ions_of_battery_materials(element, charge, count):
    assert d_electrons_from_ion(element=element, oxidation_state=charge) == count


@pytest.mark.parametrize(
    ("count", "high", "low"),
    [(0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 2), (5, 5, 1), (6, 4, 0), (7, 3, 1), (8, 2, 2), (9, 1, 1),
     (10, 0, 0)],
)  # fmt: skip
def test_unpaired_electrons_of_an_octahedron(count, high, low):
    assert unpaired_from_d_electrons(count=count, spin="high") == high
    assert unpaired_from_d_electrons(count=count, spin="low") == low


@given(st.integers(0, 10), st.sampled_from(["high", "low"]))
def test_orbitals_hold_what_there_is(count, spin):
    t2g, eg = octahedral_orbitals_from_d_electrons(count=count, spin=spin)
    assert t2g + eg == count
    assert 0 <= t2g <= 6
    assert 0 <= eg <= 4
    assert unpaired_from_d_electrons(count=count, spin="high") >= unpaired_from_d_electrons(count=count, spin="low")


@given(st.integers(0, 5))
def test_spin_only_moments(unpaired):
    assert moment_from_unpaired(unpaired=unpaired) == pytest.approx(math.sqrt(unpaired * (unpaired + 2)))


@pytest.mark.parametrize(
    ("element", "charge", "moment"),
    [
        ("Fe", 2, 4.90),
        ("Fe", 3, 5.92),
        ("Mn", 4, 3.87),
        ("Mn", 3, 4.90),
        ("Ni", 2, 2.83),
        ("Ni", 3, 1.73),
        ("Co", 3, 0),
    ],
)
def test_usual_moments(element, charge, moment):
    assert moment_from_ion(element=element, oxidation_state=charge) == pytest.approx(moment, abs=0.005)


def test_delithiation_of_the_cobalt_oxide_makes_spins():
    assert moment_from_ion(element="Co", oxidation_state=4) > moment_from_ion(element="Co", oxidation_state=3) == 0


def test_every_usual_spin_is_of_an_ion_that_has_d_electrons():
    for element, charge in usual_spins():
        assert 4 <= d_electrons_from_ion(element=element, oxidation_state=charge) <= 7
        assert element in VALENCE_ELECTRONS


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="element must be one of Sc"):
        d_electrons_from_ion(element="Zr", oxidation_state=4)
    with pytest.raises(InputError, match="0 to 10 d electrons"):
        d_electrons_from_ion(element="Ti", oxidation_state=5)
    with pytest.raises(InputError, match="0 to 10 d electrons"):
        d_electrons_from_ion(element="Zn", oxidation_state=1)
    with pytest.raises(InputError, match="0 to 10"):
        octahedral_orbitals_from_d_electrons(count=11, spin="high")
    with pytest.raises(InputError, match='"high" or "low"'):
        octahedral_orbitals_from_d_electrons(count=4, spin="medium")
    with pytest.raises(InputError, match=r"for Cr2\+"):
        moment_from_ion(element="Cr", oxidation_state=2)
    with pytest.raises(InputError, match="zero or more"):
        moment_from_unpaired(unpaired=-1)
