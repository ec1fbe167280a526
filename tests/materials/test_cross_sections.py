"""Cross sections: the published table number by number, periodictable against itself, a user's own values."""

import math

import periodictable
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.materials.cross_sections import (
    BARN,
    PAPER_ENERGY,
    PAPER_TABLE,
    CrossSections,
    lithium_cross_sections,
    periodictable_table,
    table_from_name,
)
from operando.materials.formula import LITHIUM, LITHIUM6, LITHIUM7, Nuclide
from operando.materials.tables import rows_from_table

# Table 2 of doi:10.1016/j.xcrp.2026.103136, barn at 11 meV.
TABLE_2 = {
    ("Li", 6): 1424.38,
    ("Li", 7): 1.20,
    ("Ni", 58): 31.73,
    ("Ni", 60): 4.75,
    ("Ni", 61): 12.70,
    ("Ni", 62): 32.44,
    ("Co", 59): 62.50,
    ("Mn", 55): 22.28,
    ("O", 16): 4.07,
    ("P", 31): 4.51,
    ("S", 32): 1.81,
    ("Cl", None): 74.03,
    ("In", 115): 303.45,
    ("Li", None): 109.22,
}


@pytest.mark.parametrize(("nuclide", "barn"), TABLE_2.items())
def test_published_totals(nuclide: tuple[str, int | None], barn: float) -> None:
    assert PAPER_TABLE.total(Nuclide(*nuclide)) / BARN == pytest.approx(barn, abs=0.005)


def test_published_energy() -> None:
    assert PAPER_TABLE.energy == PAPER_ENERGY == 0.011


@pytest.mark.parametrize(("symbol", "barn"), [("Ni", 24.40), ("Co", 62.50), ("O", 4.07), ("S", 1.81), ("In", 303.45)])
def test_natural_elements_come_from_the_isotopes_listed(symbol: str, barn: float) -> None:
    assert PAPER_TABLE.total(Nuclide(symbol)) / BARN == pytest.approx(barn, abs=0.005)


def test_absorption_and_abundances_are_those_of_periodictable() -> None:
    for row in rows_from_table("vestin2026"):
        element = getattr(periodictable, row["symbol"])
        atom = element[int(row["mass_number"])] if row["mass_number"] else element
        assert float(row["absorption_2200_barn"]) == pytest.approx(atom.neutron.absorption)
        if row["symbol"] != "Li" and row["mass_number"]:  # lithium's natural abundance is the paper's choice
            assert float(row["abundance_percent"]) == pytest.approx(atom.abundance, abs=1e-3)


@given(st.floats(1e-4, 0.5), st.sampled_from(sorted(PAPER_TABLE.entries, key=str)))
def test_absorption_goes_as_the_inverse_speed_and_scattering_not_at_all(energy: float, nuclide: Nuclide) -> None:
    for table in (PAPER_TABLE, periodictable_table()):
        slowed = table.absorption(nuclide, energy) / table.absorption(nuclide)
        assert slowed == pytest.approx(math.sqrt(PAPER_ENERGY / energy))
        assert table.scattering(nuclide, energy) == table.scattering(nuclide) >= 0
        assert table.total(nuclide) == pytest.approx(table.absorption(nuclide) + table.scattering(nuclide))


def test_the_paper_lies_above_periodictable_in_chlorine_and_phosphorus() -> None:
    table = periodictable_table()
    assert PAPER_TABLE.total(Nuclide("Cl")) / table.total(Nuclide("Cl")) == pytest.approx(1.095, abs=0.001)
    assert PAPER_TABLE.total(Nuclide("P")) / table.total(Nuclide("P")) == pytest.approx(1.26, abs=0.005)


def test_indium_attenuates_about_three_times_more_than_lithium_per_atom() -> None:
    assert PAPER_TABLE.total(Nuclide("In")) / PAPER_TABLE.total(LITHIUM) == pytest.approx(2.78, abs=0.005)


def test_absorption_never_exceeds_the_published_total() -> None:
    indium = Nuclide("In", 115)
    assert PAPER_TABLE.absorption(indium) == PAPER_TABLE.total(indium)
    assert PAPER_TABLE.scattering(indium) == 0


def test_one_own_value_changes_that_nuclide_alone() -> None:
    own = PAPER_TABLE.with_cross_section(Nuclide("Cl"), total=67e-28, absorption=50e-28, source="own measurement")
    assert own.total(Nuclide("Cl")) == pytest.approx(67e-28)
    assert own.entry(Nuclide("Cl")).source == "own measurement"
    assert own.total(Nuclide("P")) == PAPER_TABLE.total(Nuclide("P"))
    assert PAPER_TABLE.total(Nuclide("Cl")) == pytest.approx(74.03e-28)
    assert own.name != PAPER_TABLE.name


def test_an_own_lithium_isotope_changes_natural_lithium() -> None:
    own = PAPER_TABLE.with_cross_section(LITHIUM6, total=1000e-28, absorption=999e-28, source="own")
    assert own.total(LITHIUM) / BARN == pytest.approx(0.0759 * 1000 + 0.9241 * 1.20)


@pytest.mark.parametrize("table", [PAPER_TABLE, periodictable_table()], ids=lambda table: table.name)
def test_lithium_isotopes_by_themselves(table: CrossSections) -> None:
    sigma6, sigma7 = lithium_cross_sections(table, 0.02)
    assert sigma6 == table.total(LITHIUM6, 0.02)
    assert sigma7 == table.total(LITHIUM7, 0.02)
    assert sigma6 > 500 * sigma7


@pytest.mark.parametrize("nuclide", [Nuclide("La"), Nuclide("Cl", 37), Nuclide("O", 18)])
def test_what_the_table_does_not_list_is_refused(nuclide: Nuclide) -> None:
    assert not PAPER_TABLE.covers({nuclide: 1.0})
    with pytest.raises(InputError, match=f"table vestin2026; instead received {nuclide}"):
        PAPER_TABLE.total(nuclide)


def test_resonant_absorbers_are_refused() -> None:
    with pytest.raises(InputError, match="instead received Gd"):
        periodictable_table().total(Nuclide("Gd"))


@pytest.mark.parametrize("energy", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_energy_is_refused(energy: float) -> None:
    with pytest.raises(InputError, match="neutron energy must be above zero"):
        PAPER_TABLE.total(LITHIUM, energy)


@pytest.mark.parametrize(("total", "absorption"), [(1e-28, 2e-28), (-1e-28, -2e-28), (math.inf, 1e-28), (math.nan, 0)])
def test_an_impossible_own_value_is_refused(total: float, absorption: float) -> None:
    with pytest.raises(InputError, match="cross section of Cl"):
        PAPER_TABLE.with_cross_section(Nuclide("Cl"), total=total, absorption=absorption, source="own")


def test_tables_by_name() -> None:
    assert table_from_name("vestin2026") is PAPER_TABLE
    assert table_from_name("periodictable") is periodictable_table()
    with pytest.raises(InputError, match="one of vestin2026, periodictable; instead received janis"):
        table_from_name("janis")
