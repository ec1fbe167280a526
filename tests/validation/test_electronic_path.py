"""Electrons alone beside the charging current, as in `examples/electronic_path.py`, on coarse voxels."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.materials.transport import electronic_conductivity_from_lithiation

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])
    return import_module("electronic_path")


@pytest.mark.slow
def test_electrons_alone_make_four_orders_of_magnitude_more_field_where_the_electrode_is_a_metal(example):
    """ "4 orders of magnitude larger than the ionically limited currents", at the same voltage."""
    scene = load_scene("llzo-section-3d").at_voxel(400e-9)
    structure = microstructure_from_scene(scene)
    over = structure.grid.coordinate("x") > scene.layers[0] + scene.layers[1]
    cell = example.through_the_cell(structure, 0.6)
    electrode = example.through_the_electrode(structure, 0.6, cell.voltage)
    assert 3.5 < np.log10(electrode.size(over) / cell.size(over)) < 4.5
    # as much current makes as much field: the path matters less than the resistance
    assert 0.5 < electrode.size(over) / cell.size(over) / (electrode.total / cell.total) < 3
    # electrons alone obey Ohm's law
    full = example.through_the_electrode(structure, 0.97, cell.voltage)
    conductivity = electronic_conductivity_from_lithiation(lithiation=np.array([0.6, 0.97]), material="LixCoO2")
    assert electrode.total / full.total == pytest.approx(conductivity[0] / conductivity[1], rel=1e-8)
