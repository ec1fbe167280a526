"""Volumes, solved by multigrid in blocks, against sections, solved by factorising."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

from operando.electrochemistry.protocol import Ending, galvanostatic
from operando.electrochemistry.resolved.blocks import BlockSolver
from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.currents import face_currents
from operando.electrochemistry.resolved.direct import DirectSolver
from operando.electrochemistry.resolved.equations import problem_of
from operando.electrochemistry.resolved.materials import ActiveMaterial, Electrolyte, Metal
from operando.electrochemistry.resolved.run import run_protocol
from operando.frames import Grid
from operando.magnetism.circuit import divergence_of_currents
from operando.materials.kinetics import exchange_current_density_from_lithiation
from operando.units import FARADAY

HOST = ActiveMaterial(
    maximum_concentration=5e4,
    open_circuit_potential=lambda x: 4.5 - x,
    diffusivity=lambda x: 1e-13 * (0.5 + x),
    electronic_conductivity=lambda x: 0.1 * (1.5 - x),
    exchange_current=lambda x: exchange_current_density_from_lithiation(lithiation=x, at_half=5.0),
)


def cell_with(layers: int) -> ResolvedCell:
    """A cylinder along z in electrolyte, in contact with the plate, before a lithium foil with a bump."""
    y, x = np.mgrid[:12, :16]
    labels = np.ones((layers, 12, 16), dtype=np.uint8)
    labels[:, (x - 4) ** 2 + (y - 6) ** 2 < 22] = 0
    labels[:, 3:8, :3] = 0
    labels[:, :, -1] = labels[:, 5:7, -4:] = 2
    return ResolvedCell(
        phases=xr.DataArray(labels, dims=("z", "y", "x"), attrs={"phases": ("host", "electrolyte", "lithium")}),
        materials={
            "host": HOST,
            "electrolyte": Electrolyte(conductivity=0.05, grain_boundary_resistance=1e-4),
            "lithium": Metal(conductivity=1e7, exchange_current=100.0),
        },
        grid=Grid(shape=labels.shape, spacing=(2e-7, 2e-7, 2e-7), origin=(0.0, 0.0, 0.0)),
        grains=np.broadcast_to(1 + x // 5, labels.shape),
    )


def test_a_cylinder_is_its_section():
    step = galvanostatic(30.0, 20.0)
    section, volume = (
        run_protocol(cell_with(layers), protocol=[step], lithiation=0.7, tolerance=5e-3) for layers in (1, 6)
    )
    assert section.status is volume.status is Ending.TIME
    assert volume.voltage[-1] == pytest.approx(section.voltage[-1], abs=1e-8)
    flat = np.asarray(section.states[-1].fields.lithiation)
    assert np.asarray(volume.states[-1].fields.lithiation) == pytest.approx(np.repeat(flat, 6, axis=0), abs=1e-8)
    cell, end = cell_with(6), volume.states[-1]
    currents = face_currents(cell, end)
    lost = abs(divergence_of_currents(currents).values).max() * cell.grid.voxel_volume
    assert lost < 1e-8 * 30.0 * cell.section
    assert currents.leaving()["+x"] == pytest.approx(30.0 * cell.section, rel=1e-8)
    assert currents.leaving()["-x"] == pytest.approx(-30.0 * cell.section, rel=1e-8)


def dendrite_cell(ionic=None) -> ResolvedCell:
    """A ball in contact with the plate, before lithium with a needle."""
    z, y, x = np.mgrid[:6, :10, :12]
    labels = np.ones((6, 10, 12), dtype=np.uint8)
    labels[(x - 3) ** 2 + (y - 5) ** 2 + (z - 3) ** 2 < 9] = 0
    labels[2:5, 4:7, :3] = 0
    labels[:, :, -1] = labels[2:4, 4:6, -4:] = 2
    return dataclasses.replace(
        cell_with(6),
        phases=xr.DataArray(labels, dims=("z", "y", "x"), attrs={"phases": ("host", "electrolyte", "lithium")}),
        materials={**cell_with(6).materials, "host": dataclasses.replace(HOST, ionic_conductivity=ionic)},
        grid=Grid(shape=labels.shape, spacing=(1e-7, 1e-7, 1e-7), origin=(0.0, 0.0, 0.0)),
        grains=None,
    )


@pytest.mark.parametrize("ionic", [None, lambda x: 0.02 * (1.5 - x)])
def test_a_volume_conserves_lithium_and_its_currents_close_in_sum(ionic):
    cell = dendrite_cell(ionic)
    protocol = [galvanostatic(20.0, 5.0), galvanostatic(-5.0, 3.0), galvanostatic(0.01, 2.0)]
    run = run_protocol(cell, protocol=protocol, lithiation=0.7, tolerance=1e-2)
    assert run.complete
    capacity = FARADAY * HOST.maximum_concentration * cell.grid.voxel_volume
    for state in run.states:
        lost = float((0.7 - np.asarray(state.fields.lithiation))[cell.reached.active].sum()) * capacity
        assert lost == pytest.approx(state.charge * cell.section, rel=3e-9)  # 1e-9 of the current in a voxel
        left = np.abs(divergence_of_currents(face_currents(cell, state)).values).sum() * cell.grid.voxel_volume
        assert left < 1e-12 * abs(state.current_density) * cell.section


def test_either_solver_gives_the_same_step():
    cell = cell_with(6)
    found = []
    for solver in (BlockSolver, DirectSolver):
        problem = problem_of(cell)
        changed = dataclasses.replace(problem, linear=solver(problem.faces))
        found.append(_last_voltage(changed))
    assert found[0] == pytest.approx(found[1], abs=1e-8)


def _last_voltage(problem):
    from operando.electrochemistry.resolved.cycler import Cycler

    cycler = Cycler(problem, (), 5e-2, False)
    cycler.begin(np.where(problem.cell.reached.active, 0.7, 0.5))
    assert cycler.take(galvanostatic(30.0, 10.0)) is Ending.TIME
    return cycler.points[-1].voltage
