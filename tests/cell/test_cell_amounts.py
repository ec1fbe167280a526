"""Amounts and rates of the published cells against their arithmetic by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.cell.amounts import (
    amounts_from_cell,
    area_from_cell,
    areal_capacity_from_cell,
    cathode_thickness_from_cell,
    composite_volume_fractions_from_cell,
    full_charge_from_cell,
    hours_from_current_density,
    separator_thickness_from_cell,
    specific_capacity_from_formula,
    thickness_from_mass,
)
from operando.cell.builtin import load_cell
from operando.cell.protocol import breakpoints_from_cell, charge_from_cell, expected_lithiation_from_cell
from operando.cell.variants import with_choice
from operando.errors import InputError

MILLIAMPERE_HOUR = 3.6


@pytest.mark.parametrize("name", ["cell-a", "cell-b"])
def test_amounts_are_those_of_the_published_masses(name: str) -> None:
    amounts = amounts_from_cell(cell=load_cell(name))
    found = [amounts.active, amounts.cathode_electrolyte, amounts.separator, amounts.indium, amounts.lithium_foil]
    assert [1e6 * n for n in found] == pytest.approx([23.0, 19.8, 160.7, 45.0, 14.4], abs=0.05)


def test_dense_layers_have_the_thickness_of_their_mass() -> None:
    cell = load_cell("cell-b")
    assert area_from_cell(cell=cell) == pytest.approx(0.0707e-4, rel=1e-3)
    assert separator_thickness_from_cell(cell=cell) * (1 - cell.separator.porosity.value) == pytest.approx(590e-6, 1e-3)
    assert cathode_thickness_from_cell(cell=cell) * (1 - cell.cathode.porosity.value) == pytest.approx(139e-6, 2e-3)
    assert composite_volume_fractions_from_cell(cell=cell) == pytest.approx((0.4772, 0.5228), abs=1e-4)


@given(
    mass=st.floats(1e-9, 1e-3), area=st.floats(1e-7, 1e-2), density=st.floats(100, 2e4), porosity=st.floats(0.0, 0.95)
)
def test_a_layer_weighs_what_it_was_made_of(mass: float, area: float, density: float, porosity: float) -> None:
    thickness = thickness_from_mass(mass=mass, area=area, density=density, porosity=porosity)
    assert thickness * area * (1 - porosity) * density == pytest.approx(mass)


def test_rates_follow_from_the_stated_loading() -> None:
    stated = 6.4 * MILLIAMPERE_HOUR / 1e-4
    hours = [hours_from_current_density(current_density=i, areal_capacity=stated) for i in (4.0, 2.56, 15.8)]
    assert hours == pytest.approx([16.0, 25.0, 4.05], abs=0.005)
    cell = load_cell("cell-b")
    assert areal_capacity_from_cell(cell=cell) / MILLIAMPERE_HOUR * 1e-4 == pytest.approx(6.65, abs=0.01)
    per_gram = specific_capacity_from_formula(material=cell.cathode.active) / MILLIAMPERE_HOUR * 1e-3
    assert per_gram == pytest.approx(275, abs=0.5)


@pytest.mark.parametrize(
    ("current", "definition", "expected"),
    [
        ("text", "capacity", 0.579),
        ("c25", "capacity", 0.73),
        ("c25", "formula unit", 0.795),
        ("text", "formula unit", 0.679),
    ],
)
def test_lithiation_after_the_first_charge_by_each_reading(current: str, definition: str, expected: float) -> None:
    cell = with_choice(load_cell("cell-b"), "protocol.current_density", current)
    cell = cell.model_copy(update={"cathode": cell.cathode.model_copy(update={"lithiation": definition})})
    assert expected_lithiation_from_cell(cell=cell, time=8 * 3600.0) == pytest.approx(expected, abs=0.002)


def test_charge_follows_the_current_and_stops_with_it() -> None:
    cell = load_cell("cell-b")
    current = 2.56 * math.pi / 4 * 0.003**2
    assert charge_from_cell(cell=cell, time=0.0) == 0.0
    assert charge_from_cell(cell=cell, time=3600.0 + 1000.0) == pytest.approx(1000.0 * current)
    assert charge_from_cell(cell=cell, time=9 * 3600.0) == pytest.approx(6 * 3600.0 * current)
    times, charges = breakpoints_from_cell(cell=cell)
    assert charge_from_cell(cell=cell, time=times[-1] + 1e6) == charges[-1]
    earlier = with_choice(cell, "protocol.start", "with the first scan")
    assert charge_from_cell(cell=earlier, time=1000.0) == pytest.approx(1000.0 * current)


def test_a_whole_charge_empties_the_active_material() -> None:
    cell = load_cell("cell-a")
    assert full_charge_from_cell(cell=cell) == pytest.approx(amounts_from_cell(cell=cell).active * 96485.33212)


def test_a_layer_without_area_is_refused() -> None:
    with pytest.raises(InputError, match="above zero"):
        thickness_from_mass(mass=1e-6, area=0.0, density=1e3)
