"""The sheet of one material: shares that add up, the table it took, and its text."""

import math

import pytest

from operando.materials.cross_sections import PAPER_TABLE, periodictable_table
from operando.materials.formula import formula_from_text
from operando.materials.sheet import sheet_from_formula, text_from_sheet

ELECTROLYTE = formula_from_text("7Li5.5PS4.5Cl1.5")


@pytest.mark.parametrize("text", ["7Li5.5PS4.5Cl1.5", "LiNi0.83Co0.11Mn0.06O2", "Li6.25(GaAl)0.25La3Zr2O12"])
def test_shares_add_up_to_the_whole(text: str) -> None:
    sheet = sheet_from_formula(formula_from_text(text), 3000)
    assert sum(share.atom_fraction for share in sheet.shares) == pytest.approx(1)
    assert sum(share.weight_fraction for share in sheet.shares) == pytest.approx(1)
    assert sum(share.neutron_attenuation for share in sheet.shares) == pytest.approx(sheet.neutron_attenuation)
    assert sum(share.xray_attenuation for share in sheet.shares) == pytest.approx(sheet.xray_attenuation)
    assert 0 < sheet.neutron_absorption < sheet.neutron_attenuation


def test_the_published_table_is_taken_where_it_covers_and_the_other_shown_beside() -> None:
    sheet = sheet_from_formula(ELECTROLYTE, 1870)
    assert sheet.neutron_table == PAPER_TABLE.name
    assert sheet.neutron_attenuation == pytest.approx(55.0, rel=0.002)
    assert sheet.other_neutron_table == "periodictable"
    assert sheet.other_neutron_attenuation == pytest.approx(51.2, rel=0.002)


def test_what_it_does_not_cover_comes_from_periodictable_alone() -> None:
    sheet = sheet_from_formula(formula_from_text("Li7La3Zr2O12"), 5110)
    assert sheet.neutron_table == "periodictable"
    assert sheet.other_neutron_attenuation is None


def test_a_chosen_table_and_energy_are_used() -> None:
    sheet = sheet_from_formula(ELECTROLYTE, 1870, table=periodictable_table(), neutron_energy=0.0253)
    assert sheet.neutron_table == "periodictable"
    assert sheet.neutron_energy == 0.0253
    assert sheet.neutron_attenuation < sheet_from_formula(ELECTROLYTE, 1870).neutron_attenuation


def test_enrichment_is_stated_by_its_fraction() -> None:
    sheet = sheet_from_formula(ELECTROLYTE, 1870, lithium6_fraction=0.01)
    assert sheet.neutron_attenuation == pytest.approx(88.0, rel=0.002)
    assert sheet.formula.lithium6_fraction == pytest.approx(0.01)


def test_the_text_shows_attenuation_per_centimetre_of_every_nuclide() -> None:
    text = text_from_sheet(sheet_from_formula(ELECTROLYTE, 1870, lithium6_fraction=0.01))
    lines = text.splitlines()
    assert lines[0].startswith("6Li0.055^7Li5.445PS4.5Cl1.5")
    whole = next(line for line in lines if line.split()[:1] == ["all"])
    assert "0.8799" in whole.split()
    for nuclide in ("Li-6", "Li-7", "P", "S", "Cl"):
        assert any(line.split()[:1] == [nuclide] for line in lines)
    assert "one percent more adds 0.3302 1/cm" in text
    assert "1.87 g/cm^3" in text
    assert max(map(len, lines)) <= 100


def test_the_text_of_a_metal_says_nothing_of_lithium() -> None:
    sheet = sheet_from_formula(formula_from_text("Cu"), 8960)
    assert "Li-6" not in text_from_sheet(sheet)
    assert math.isnan(sheet.formula.lithium6_fraction)
