import numpy as np
import pytest

from operando.electrochemistry.conduction import Electrode, solve_conduction
from operando.frames import Grid
from operando.magnetism.circuit import divergence_of_currents, require_closed

ENDS = {"in": Electrode(1.0, side="-x"), "out": Electrode(0.0, side="+x")}


def grid_of_shape(*shape, spacing=(1e-6, 2e-6, 3e-6)):
    return Grid(shape=shape, spacing=spacing, origin=(0.0, 0.0, 0.0))


def conductivity_on(grid, values):
    return grid.array(np.broadcast_to(values, grid.shape).copy(), name="conductivity", units="S/m")


@pytest.mark.parametrize("shape", [(6, 5, 12), (1, 7, 12), (1, 1, 12), (9, 1, 4)])
def test_layers_in_series_and_in_parallel_are_exact(shape):
    grid = grid_of_shape(*shape)
    layers = np.random.default_rng(0).uniform(1e-3, 10, grid.shape[2])
    area, (dz, dy, dx) = grid.shape[0] * grid.shape[1] * 2e-12, grid.spacing
    series = solve_conduction(conductivity_on(grid, layers), electrodes=ENDS, grid=grid)
    assert series.current["in"] == pytest.approx(area / (dx / layers).sum(), rel=1e-9)
    rows = np.random.default_rng(1).uniform(1e-3, 10, (grid.shape[1], 1))
    parallel = solve_conduction(conductivity_on(grid, rows), electrodes=ENDS, grid=grid)
    expected = grid.shape[0] * dz * dy * rows.sum() / (grid.shape[2] * dx)
    assert parallel.current["in"] == pytest.approx(expected, rel=1e-9)


def test_currents_close_leads_included():
    grid = grid_of_shape(8, 9, 16)
    values = 10 ** np.random.default_rng(2).uniform(-4, 0, grid.shape)
    metal = np.zeros(grid.shape, dtype=bool)
    metal[2:5, 3:6, :7] = True
    electrodes = {"metal": Electrode(1.0, side="-x", voxels=metal), "out": Electrode(0.0, side="+x")}
    found = solve_conduction(conductivity_on(grid, values), electrodes=electrodes)
    require_closed(found.currents, by_leads=True, tolerance=1e-8)
    net = np.abs(divergence_of_currents(found.currents).values).sum() * grid.voxel_volume
    assert net < 1e-8 * found.total_current
    assert -found.currents.leaving()["-x"] == pytest.approx(found.total_current, rel=1e-8)
