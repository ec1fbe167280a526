"""Cells on voxels: order, volumes, and the same cell whatever the grid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.cell.amounts import (
    amounts_from_cell,
    area_from_cell,
    cathode_thickness_from_cell,
    separator_thickness_from_cell,
)
from operando.cell.builtin import load_cell
from operando.cell.foil import layers_from_foil
from operando.cell.geometry import (
    Painting,
    disc_coverage,
    foil_layers_on,
    layer_between,
    phase_volume_from_cell,
    stack_from_cell,
)
from operando.cell.phases import LABEL, PHASES
from operando.cell.surface import smooth_surface
from operando.errors import InputError
from operando.frames import Grid, centred_grid

CELL = load_cell("cell-b")
GRID = centred_grid(shape=(48, 120, 120), spacing=35e-6, z_start=-5 * 35e-6)


def test_phases_follow_each_other_from_the_cathode_collector() -> None:
    volume = phase_volume_from_cell(cell=CELL, grid=GRID)
    assert volume.attrs["phases"] == PHASES
    assert volume.dtype == np.uint8
    column = volume.values[:, 60, 60]
    order = [PHASES[label] for label in column[np.flatnonzero(np.diff(column, prepend=255))]]
    wanted = ["cathode_collector", "cathode", "separator", "indium", "anode_collector"]
    assert [name for name in order if name in wanted] == wanted
    assert PHASES[volume.values[20, 60, 0]] == "air"
    ring = volume.values[20, 60, [60 - 50, 60 + 50]]
    assert set(ring) == {LABEL["casing"]}
    assert {"void", "lithium", "lithium_indium"} <= {PHASES[label] for label in np.unique(volume)}


def test_a_voxel_volume_of_each_phase_is_near_the_cells() -> None:
    grid = centred_grid(shape=(90, 156, 156), spacing=20e-6, z_start=-10 * 20e-6)
    volume = phase_volume_from_cell(cell=CELL, grid=grid)
    area = area_from_cell(cell=CELL)
    for phase, thickness in (
        ("cathode", cathode_thickness_from_cell(cell=CELL)),
        ("separator", separator_thickness_from_cell(cell=CELL)),
    ):
        counted = np.count_nonzero(volume.values == LABEL[phase]) * grid.voxel_volume
        assert counted == pytest.approx(area * thickness, rel=0.03)


@given(spacing=st.floats(20e-6, 90e-6), seed=st.integers(0, 1000))
@settings(max_examples=15)
def test_layers_have_the_cells_volume_on_any_grid(spacing: float, seed: int) -> None:
    across, along = int(3.2e-3 / spacing) + 2, int(1.3e-3 / spacing) + 3
    grid = centred_grid(shape=(along, across, across), spacing=spacing, z_start=-0.4 * spacing)
    stack = stack_from_cell(cell=CELL, grid=grid, seed=seed)
    separator = layer_between(stack=stack, lower=stack.separator_bottom, upper=stack.separator_top)
    volume = area_from_cell(cell=CELL) * separator_thickness_from_cell(cell=CELL)
    assert separator.share.sum() * grid.voxel_volume == pytest.approx(volume, rel=1e-9)
    assert separator.share.max() < 1.1
    foil = layers_from_foil(foil=stack.foil, entered=0.5)
    layers = foil_layers_on(stack=stack, layers=foil)
    indium = layers[1].share.sum() * stack.foil.indium_density
    indium += (layers[0].share.sum() + layers[2].share.sum()) * stack.foil.alloy_density
    assert indium * grid.voxel_volume == pytest.approx(amounts_from_cell(cell=CELL).indium, rel=1e-9)


def test_the_anode_grows_by_the_alloy_and_fills_its_void() -> None:
    stack = stack_from_cell(cell=CELL, grid=GRID)
    before, after = (layers_from_foil(foil=stack.foil, entered=n) for n in (0.0, 0.6))
    inside = stack.coverage > 0
    growth = (after.total - before.total)[inside]
    # LiIn takes 23.53 cm3/mol against 15.71 of indium
    assert growth.mean() == pytest.approx(0.6 * stack.foil.contact[inside].mean() * (23.53e-6 - 15.71e-6), rel=0.01)
    assert (stack.separator_top + after.total)[inside].max() <= stack.collector_bottom
    painting = Painting(CELL, stack)
    voids = [
        np.count_nonzero(painting.with_anode(foil_layers_on(stack=stack, layers=layers))[0] == LABEL["void"])
        for layers in (before, after)
    ]
    assert voids[1] < voids[0]


def test_indium_is_kept_by_labels_and_solid_fractions() -> None:
    grid = centred_grid(shape=(100, 214, 214), spacing=14e-6, z_start=-8 * 14e-6)
    stack = stack_from_cell(cell=CELL, grid=grid)
    painting = Painting(CELL, stack)
    for entered in (0.0, 0.6):
        layers = foil_layers_on(stack=stack, layers=layers_from_foil(foil=stack.foil, entered=entered))
        label, solid = painting.with_anode(layers)
        indium = solid[label == LABEL["indium"]].sum(dtype=float) * stack.foil.indium_density
        indium += solid[label == LABEL["lithium_indium"]].sum(dtype=float) * stack.foil.alloy_density
        # A voxel has one label: traces of indium in voxels of other phases are lost
        assert indium * grid.voxel_volume == pytest.approx(amounts_from_cell(cell=CELL).indium, rel=0.02)


def test_a_disc_covers_its_area() -> None:
    for spacing in (10e-6, 50e-6, 200e-6):
        grid = centred_grid(shape=(1, int(3.6e-3 / spacing), int(3.6e-3 / spacing)), spacing=spacing)
        covered = disc_coverage(grid=grid, radius=1.5e-3).sum() * spacing**2
        assert covered == pytest.approx(np.pi * 1.5e-3**2, rel=(spacing / 1.5e-3) ** 1.5)


def test_a_surface_is_the_same_on_any_grid_and_of_unit_variance() -> None:
    fine = centred_grid(shape=(1, 41, 41), spacing=10e-6)
    coarse = centred_grid(shape=(1, 21, 21), spacing=20e-6)
    a, b = (smooth_surface(grid=g, seed=4, name="a", correlation=2e-4) for g in (fine, coarse))
    assert a[::2, ::2] == pytest.approx(b)
    wide = centred_grid(shape=(1, 200, 200), spacing=1e-3)
    assert smooth_surface(grid=wide, seed=4, name="a", correlation=2e-4).std() == pytest.approx(1.0, rel=0.1)
    assert not np.allclose(a, smooth_surface(grid=fine, seed=4, name="b", correlation=2e-4))


@pytest.mark.parametrize(
    ("grid", "says"),
    [
        (centred_grid(shape=(48, 60, 120), spacing=35e-6), "wide enough along y"),
        (centred_grid(shape=(20, 120, 120), spacing=35e-6), "tall enough"),
        (centred_grid(shape=(48, 120, 120), spacing=35e-6, z_start=1e-4), "tall enough"),
        (Grid(shape=(48, 120, 120), spacing=(35e-6,) * 3, origin=(0.0, 0.0, -2e-3)), "wide enough along y"),
    ],
)
def test_a_grid_that_does_not_hold_the_cell_is_refused(grid: Grid, says: str) -> None:
    with pytest.raises(InputError, match=says):
        phase_volume_from_cell(cell=CELL, grid=grid)


def test_more_lithium_than_the_indium_takes_is_refused() -> None:
    stack = stack_from_cell(cell=CELL, grid=GRID)
    with pytest.raises(InputError, match="lithium entering the anode must be between 0 and"):
        layers_from_foil(foil=stack.foil, entered=6.0)
