"""The pristine cell from its layers' sums: the paper's attenuations, what is told, and what is not."""

import numpy as np
import pytest

from operando.cell.amounts import amounts_from_cell, area_from_cell
from operando.cell.builtin import load_cell
from operando.cell.optics import (
    cathode_attenuation_from_cell,
    layers_from_cell,
    lithium_isotopes,
    separator_attenuation_from_cell,
)
from operando.cell.variants import drawn
from operando.lithium.pristine import pristine_from_layer_sums
from operando.materials.formula import AVOGADRO
from operando.units import Measured

CELL = load_cell("cell-b")


def sums_of(cell, scale: float = 1.0) -> dict[str, Measured]:
    layers = {layer.name: layer.thickness * layer.attenuation * scale for layer in layers_from_cell(cell=cell)[1:3]}
    return {name: Measured(value, 0.005 * value) for name, value in layers.items()}


def test_sums_of_the_described_cell_give_it_back() -> None:
    found = pristine_from_layer_sums(cell=CELL, sums=sums_of(CELL), initial_lithiation=Measured(1.0))
    assert found.values["scale"] == pytest.approx(1.0, abs=1e-6)
    assert found.values["enrichment"] == pytest.approx(0.01, abs=1e-6)
    assert found.chi2 == pytest.approx(0.0, abs=1e-9)


def test_porosity_leaves_no_trace() -> None:
    porous = CELL.model_copy(update={"separator": CELL.separator.model_copy(update={"porosity": Measured(0.35)})})
    assert separator_attenuation_from_cell(cell=porous) < separator_attenuation_from_cell(cell=CELL)
    assert sums_of(porous)["separator"].value == pytest.approx(sums_of(CELL)["separator"].value)


def test_scale_and_enrichment_are_told_apart_by_two_layers_and_not_by_one() -> None:
    both = pristine_from_layer_sums(cell=CELL, sums=sums_of(CELL, 1.02), initial_lithiation=Measured(1.0))
    assert both.told("enrichment")
    cathode = {"cathode": sums_of(CELL, 1.02)["cathode"]}
    one = pristine_from_layer_sums(cell=CELL, sums=cathode, initial_lithiation=Measured(1.0))
    assert not one.told("enrichment")


def test_errors_cover_drawn_cells() -> None:
    rng = np.random.default_rng(3)
    pulls = []
    for _ in range(40):
        true = drawn(CELL, rng)
        scale = 1 + 0.03 * rng.standard_normal()
        seen = {
            name: Measured(value.value * (1 + 0.005 * rng.standard_normal()), value.sigma)
            for name, value in sums_of(true, scale).items()
        }
        found = pristine_from_layer_sums(cell=CELL, sums=seen, initial_lithiation=Measured(1.0))
        pulls.append((found.values["enrichment"] - (1 - true.electrolyte.lithium7.value)) / found.sigma("enrichment"))
    assert np.mean(np.abs(pulls) < 2) >= 0.85
    assert 0.6 < np.std(pulls) < 1.4


def test_the_papers_cathode_attenuation() -> None:
    """2.343 1/cm dense for pure Li-7, plus 1 % of 0.330 per percent over the electrolyte's share, less 20 % pores."""
    expected = 0.8 * (2.343 + 0.5228 * 0.330)
    assert cathode_attenuation_from_cell(cell=CELL) / 100 == pytest.approx(expected, rel=5e-3)


def test_a_path_that_is_described_takes_li6_from_the_cathode_to_the_separator() -> None:
    cell = load_cell("cell-a")
    amounts, share = amounts_from_cell(cell=cell), cell.separator.initial_path
    natural, enriched = cell.cathode.active.composition.lithium6_fraction, 0.01
    come = share.value * (amounts.active * natural + amounts.cathode_electrolyte * enriched)
    sigma6, sigma7 = lithium_isotopes()
    crossed = AVOGADRO * come * (sigma6 - sigma7) / area_from_cell(cell=cell)
    sums = sums_of(cell)
    seen = {
        "cathode": Measured(sums["cathode"].value - crossed, sums["cathode"].sigma),
        "separator": Measured(sums["separator"].value + crossed, sums["separator"].sigma),
    }
    found = pristine_from_layer_sums(cell=cell, sums=seen, initial_lithiation=Measured(1.0))
    assert found.values["enrichment"] == pytest.approx(enriched, abs=1e-5)
    assert found.values["path"] == pytest.approx(share.value, abs=1e-3)
    assert 0 < found.sigma("path") <= share.sigma
    # A cell that is not said to have one has none
    assert pristine_from_layer_sums(cell=CELL, sums=sums_of(CELL), initial_lithiation=Measured(1.0)).values["path"] == 0
