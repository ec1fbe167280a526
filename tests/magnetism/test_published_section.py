"""The published section (Fig. 4 of Pollok et al. 2025, doi:10.1038/s41467-025-63409-y) on coarse voxels."""

from __future__ import annotations

import numpy as np
import pytest

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.electrochemistry.section_current import section_current
from operando.electrochemistry.section_lithium import lithium_from_gradient, lithium_on_voxels
from operando.magnetism.detection import contrast_from_map
from operando.magnetism.section import oersted_field_of_section, stray_field_of_section

STAND_OFF = 50e-9


@pytest.fixture(scope="module")
def scene():
    return load_scene("llzo-section-3d").at_voxel(400e-9)


@pytest.fixture(scope="module")
def structure(scene):
    return microstructure_from_scene(scene)


@pytest.fixture(scope="module")
def columns(scene, structure):
    """Columns over the separator and over the positive electrode, half a micrometre off their ends."""
    first, second, third = np.cumsum(scene.layers)
    x = structure.grid.coordinate("x")
    return (x > first + 5e-7) & (x < second - 5e-7), (x > second + 5e-7) & (x < third - 5e-7)


def contrast(structure, columns, materials, **given):
    field = stray_field_of_section(
        structure, materials=materials, applied_field=(0, 0, 0.1), stand_off=STAND_OFF, **given
    )
    return float(contrast_from_map(field=field.sel(component="z").values[:, columns]))


def test_particles_make_ten_microtesla_and_lithium_a_tenth(structure, columns):
    """ "on the order of 10 uT", lithium "one order of magnitude weaker"; our voxels are coarse, hence a factor of 2."""
    separator, positive = columns
    lithium = lithium_on_voxels(structure, lithium=lithium_from_gradient(structure, near_separator=0.53, far_end=0.73))
    everything = {"electrolyte": "LLZO", "active": "LiCoO2", "lithium": "lithium"}
    particles = contrast(structure, positive, everything, lithium=lithium)
    assert 5e-6 < particles < 20e-6
    dendrite = contrast(structure, separator, everything | {"active": "LLZO"})
    assert 0.05 < dendrite / particles < 0.2
    assert dendrite > 1.8 * contrast(structure, separator, {"lithium": "lithium"})  # LLZO doubles it


def test_current_makes_nanotesla_at_the_dendrite_and_less_over_particles(scene, structure, columns):
    """ "on the order of 1-5 nT, with larger signals around the dendrite and smaller signals in inactive regions"."""
    separator, positive = columns
    current = section_current(
        structure,
        conductivity={phase: conductor.conductivity for phase, conductor in scene.conductors.items()},
        current_density=-235.0,
        grain_boundary_resistance=scene.electrolyte.grain_boundary_resistance,
    )
    field = oersted_field_of_section(current.currents, stand_off=STAND_OFF, copies=1).sel(component="z").values
    at_dendrite, over_particles = (float(contrast_from_map(field=field[:, part])) for part in (separator, positive))
    assert 1e-9 < at_dendrite < 10e-9
    assert over_particles < at_dendrite / 5
