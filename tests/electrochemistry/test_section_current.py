from __future__ import annotations

import numpy as np
import pytest

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.cell.microstructure.structure import Microstructure, section_grid
from operando.electrochemistry.section_current import section_current
from operando.errors import InputError
from operando.magnetism.circuit import divergence_of_currents, require_closed

SIGMA = {"lithium": 1e7, "electrolyte": 0.03, "active": 0.1}


def layers(*counts, grains=None):
    """Slabs of lithium, electrolyte and active material, so many voxels thick."""
    row = np.repeat([3, 1, 2], counts).astype(np.uint8)
    phase = np.broadcast_to(row, (2, 3, row.size)).copy()
    grain = (phase == 1).astype(int) if grains is None else np.where(phase == 1, grains, 0)
    grid = section_grid(shape=phase.shape, spacing=(2e-6, 1e-6, 0.5e-6))
    return Microstructure(grid=grid, phase=phase, particle=(phase == 2).astype(int), grain=grain)


def test_layers_have_the_resistance_of_layers():
    grains = np.arange(9) // 4  # electrolyte in voxels 2 to 6: one boundary, between voxels 3 and 4
    solved = section_current(
        layers(2, 5, 2, grains=1 + grains), conductivity=SIGMA, current_density=-235.0, grain_boundary_resistance=5e-4
    )
    assert solved.currents.x == pytest.approx(-235.0)
    assert solved.currents.y == pytest.approx(0.0, abs=1e-6)
    resistance = 5 * 0.5e-6 / 0.03 + 5e-4 + 1.5 * 0.5e-6 / 0.1  # to the middle of the last voxel
    # charging: the positive electrode stands above lithium, from which the potential is counted
    assert solved.potential.values[:, :, -1] == pytest.approx(235.0 * resistance)


@pytest.fixture(scope="module")
def section():
    scene = load_scene("llzo-section").at_voxel(200e-9)
    dendrite = scene.separator.dendrite.model_copy(update={"width": 800e-9})
    scene = scene.model_copy(update={"separator": scene.separator.model_copy(update={"dendrite": dendrite})})
    structure = microstructure_from_scene(scene)
    return structure, section_current(
        structure,
        conductivity={phase: conductor.conductivity for phase, conductor in scene.conductors.items()},
        current_density=-235.0,
        grain_boundary_resistance=scene.electrolyte.grain_boundary_resistance,
    )


def test_every_cut_carries_the_same_current(section):
    _, solved = section
    cuts = solved.currents.x.mean(axis=(0, 1))
    assert cuts == pytest.approx(-235.0, rel=1e-9)
    require_closed(solved.currents, by_leads=True)
    assert np.abs(divergence_of_currents(solved.currents).values).max() * 200e-9 < 1e-9 * 235


def test_dendrite_gathers_the_current(section):
    structure, solved = section
    density = np.abs(solved.currents.density().sel(component="x").values)
    x = structure.grid.coordinate("x")
    root = structure.mask("lithium") & (x > 2.5e-6) & (x < 4e-6)
    beside = structure.mask("electrolyte") & (x > 2.5e-6) & (x < 4e-6)
    assert density[root].mean() > 5 * 235
    assert density[beside].mean() < 235


def test_what_cannot_conduct_is_refused():
    with pytest.raises(InputError, match="conductivity of active must be positive"):
        section_current(layers(2, 4, 3), conductivity={**SIGMA, "active": 0.0}, current_density=1.0)
    with pytest.raises(InputError, match="lithium at the side -x"):
        section_current(layers(0, 4, 3), conductivity=SIGMA, current_density=1.0)
    with pytest.raises(InputError, match="conducting path"):
        section_current(layers(2, 4, 0), conductivity=SIGMA, current_density=1.0)
