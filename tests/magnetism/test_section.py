from __future__ import annotations

import numpy as np
import pytest
from scipy.constants import mu_0

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.cell.microstructure.structure import Microstructure, section_grid
from operando.currents import FaceCurrents
from operando.electrochemistry.section_lithium import lithium_from_gradient, lithium_on_voxels
from operando.errors import InputError
from operando.frames import vectors_on_grid
from operando.magnetism.circuit import divergence_of_currents
from operando.magnetism.fields import current_field, stray_field
from operando.magnetism.section import (
    magnetisation_of_section,
    oersted_field_of_section,
    stray_field_of_section,
    susceptibility_of_section,
)
from operando.magnetism.walls import mirrored_currents, mirrored_grid, mirrored_scalar, own_piece

MATERIALS = {"electrolyte": "LLZO", "active": "LiCoO2", "lithium": "lithium"}


@pytest.fixture(scope="module")
def structure():
    return microstructure_from_scene(load_scene("llzo-section"))


def test_every_phase_has_its_susceptibility(structure):
    lithium = lithium_on_voxels(structure, lithium=np.full(structure.particles, 0.6))
    chi = susceptibility_of_section(structure, materials=MATERIALS, lithium=lithium).values
    # by volume, from 7.2e-9 m^3/mol, -2.9e-9 m^3/mol and 14.2e-6 emu/mol by hand
    assert chi[structure.mask("active")] == pytest.approx(7.2e-9 / (97.87e-3 / 5050), rel=2e-3)
    assert chi[structure.mask("electrolyte")] == pytest.approx(-2.9e-9 / (839.7e-3 / 5110), rel=2e-3)
    assert chi[structure.mask("lithium")] == pytest.approx(14.2e-6 * 4e-6 * np.pi / (6.94e-3 / 534), rel=1e-2)


def test_field_of_a_cube_in_a_void_is_the_published_one():
    """A cube of 2 um of chi 1e-4 in 100 mT makes 4.9 uT at 50 nm, in the plane across its upper edges."""
    phase = np.zeros((20, 40, 40), dtype=np.uint8)
    phase[:, 10:30, 10:30] = 2
    grid = section_grid(shape=phase.shape, spacing=(1e-7, 1e-7, 1e-7))
    cube = Microstructure(grid=grid, phase=phase, particle=(phase == 2).astype(int), grain=np.zeros_like(phase))
    chi = susceptibility_of_section(cube, materials={"active": "LiCoO2"}).values.max()
    magnetisation = magnetisation_of_section(cube, materials={"active": "LiCoO2"}, applied_field=(0, 0, 0.1))
    assert magnetisation.sel(component="z").values.max() == pytest.approx(chi * 0.1 / mu_0)
    field = stray_field(magnetisation, heights=50e-9)
    largest = float(np.sqrt((field**2).sum("component")).max())
    # pixel centres lie 50 nm beside the edge, above which the field would be largest
    assert largest * 1e-4 / chi == pytest.approx(4.9e-6, rel=0.1)


def test_charged_particles_magnetise_more(structure):
    lithium = lithium_on_voxels(structure, lithium=lithium_from_gradient(structure, near_separator=0.6, far_end=0.95))
    chi = susceptibility_of_section(structure, materials=MATERIALS, lithium=lithium).values
    mean = [chi[structure.particle == i].mean() for i in range(1, structure.particles + 1)]
    assert np.corrcoef(mean, lithium_from_gradient(structure, near_separator=0.6, far_end=0.95))[0, 1] < -0.999


def test_materials_without_a_susceptibility_are_refused(structure):
    with pytest.raises(InputError, match="no ferromagnet"):
        susceptibility_of_section(structure, materials={"lithium": "iron"})
    lithium = lithium_on_voxels(structure, lithium=np.full(structure.particles, 0.6))
    with pytest.raises(InputError, match="for LiCoO2 alone"):
        susceptibility_of_section(structure, materials={"active": "NMC811"}, lithium=lithium)
    with pytest.raises(InputError, match="between 0 and 1"):
        susceptibility_of_section(structure, materials=MATERIALS, lithium=lithium * 2)


def vortex(shape, rng):
    """Currents that close within the grid: the curl of a random stream function along z."""
    nz, ny, nx = shape
    psi = np.zeros((nz, ny + 1, nx + 1))
    psi[:, 1:-1, 1:-1] = rng.standard_normal((nz, ny - 1, nx - 1))
    grid = section_grid(shape=shape, spacing=(1e-6, 1e-6, 1e-6))
    return FaceCurrents(x=np.diff(psi, axis=1), y=-np.diff(psi, axis=2), z=np.zeros((nz + 1, ny, nx)), grid=grid)


def test_mirrored_currents_close_and_are_their_own_mirror_image():
    currents = vortex((2, 5, 7), np.random.default_rng(0))
    wide = mirrored_currents(currents, copies=2)
    assert np.abs(divergence_of_currents(wide).values).max() * 1e-6 < 1e-12
    own = slice(10, 15)
    assert wide.density().values[:, :, own] == pytest.approx(currents.density().values)
    mirrored = wide.density().values[:, :, ::-1] * np.array([1, -1, 1])[:, None, None, None]
    # reversed about the middle of the whole, pieces keep their order: the layer is periodic with two widths
    assert mirrored[:, :, 5:10] == pytest.approx(wide.density().values[:, :, 10:15])
    assert wide.grid.coordinate("y")[10] == pytest.approx(currents.grid.coordinate("y")[0])


def test_current_through_a_wall_is_refused():
    currents = vortex((1, 4, 4), np.random.default_rng(1))
    currents.y[:, 0] = 1.0
    with pytest.raises(InputError, match="zero through the walls"):
        mirrored_currents(currents, copies=1)


def test_mirroring_takes_away_the_field_of_drawn_edges():
    """A layer of current without end makes By = -mu0 J T / 2 above and no Bz; a drawn piece of it has edges."""
    grid = section_grid(shape=(1, 40, 200), spacing=(10e-6, 1e-6, 1e-6))
    ones = np.zeros((3, *grid.shape))
    ones[0] = 235.0
    density = vectors_on_grid(ones, grid, name="current_density", units="A/m^2")
    alone = current_field(density, heights=50e-9, grid=grid)
    wide_grid = mirrored_grid(grid, copies=4)
    wide = xr_tile(ones, wide_grid, copies=4)
    field = own_piece(current_field(wide, heights=50e-9, grid=wide_grid), grid=grid)
    assert field.shape == alone.shape
    middle = {"x": 100}
    assert np.abs(alone.sel(component="z").isel(middle)).max() > 1e-9
    assert np.abs(field.sel(component="z").isel(middle)).max() < 0.2e-9
    assert field.sel(component="y").isel(middle).values == pytest.approx(-mu_0 * 235 * 10e-6 / 2, rel=0.3)


def xr_tile(values, grid, copies):
    return vectors_on_grid(np.tile(values, (1, 1, 2 * copies + 1, 1)), grid, name="current_density", units="A/m^2")


def test_mirrored_scalars_meet_at_the_walls():
    grid = section_grid(shape=(1, 3, 2), spacing=(1.0, 1.0, 1.0))
    values = grid.array(np.arange(6.0).reshape(1, 3, 2), name="chi", units="")
    wide = mirrored_scalar(values, grid=grid, copies=1)
    assert wide.values[0, :, 0].tolist() == [4, 2, 0, 0, 2, 4, 4, 2, 0]
    with pytest.raises(InputError, match="copies"):
        mirrored_grid(grid, copies=-1)


def test_stray_field_of_a_section_is_linear_and_falls_off(structure):
    near = stray_field_of_section(structure, materials=MATERIALS, applied_field=(0, 0, 0.1), stand_off=50e-9)
    double = stray_field_of_section(structure, materials=MATERIALS, applied_field=(0, 0, 0.2), stand_off=[50e-9, 1e-6])
    assert near.shape == (3, *structure.grid.shape[1:])
    assert double.isel(z=0).values == pytest.approx(2 * near.values, abs=1e-12)
    assert np.abs(double.isel(z=1)).max() < np.abs(double.isel(z=0)).max()


def test_uniform_current_through_a_section_makes_the_field_of_a_strip():
    grid = section_grid(shape=(1, 30, 40), spacing=(2e-6, 1e-6, 1e-6))
    nz, ny, nx = grid.shape
    currents = FaceCurrents(
        x=np.full((nz, ny, nx + 1), 235.0), y=np.zeros((nz, ny + 1, nx)), z=np.zeros((nz + 1, ny, nx)), grid=grid
    )
    field = oersted_field_of_section(currents, stand_off=1e-6, copies=0).isel(x=20)
    # strip 30 um wide whose middle lies 2 um below the sensor: the mean over its thickness of the closed form
    depths = np.linspace(1e-6, 3e-6, 201)
    angles = np.mean(2 * np.arctan((15e-6 - 0.5e-6) / depths))  # pixel centre half a voxel off the axis, to first order
    expected = -mu_0 * 235 * 2e-6 / (2 * np.pi) * angles
    assert field.sel(component="y").values[15] == pytest.approx(expected, rel=3e-3)
    assert field.sel(component="z").values[0] == pytest.approx(-field.sel(component="z").values[-1])
