"""Gradients by the adjoint against finite differences of whole runs."""

import numpy as np
import pytest
import xarray as xr

from operando.electrochemistry.protocol import galvanostatic, rest
from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.fluxes import Factors
from operando.electrochemistry.resolved.gradients import gradient_of_end, image_mismatch, terminal_voltage
from operando.electrochemistry.resolved.materials import ActiveMaterial, Electrolyte, Metal
from operando.electrochemistry.resolved.run import run_protocol
from operando.errors import InputError
from operando.frames import Grid
from operando.materials.kinetics import exchange_current_density_from_lithiation

HOST = ActiveMaterial(
    maximum_concentration=5e4,
    open_circuit_potential=lambda x: 4.5 - x + 0.2 * x * x,
    diffusivity=lambda x: 1e-13 * (0.5 + x),
    electronic_conductivity=lambda x: 0.01 * (1.5 - x),
    exchange_current=lambda x: exchange_current_density_from_lithiation(lithiation=x, at_half=5.0),
)
START, STEP = 0.7, galvanostatic(30.0, 20.0)


@pytest.fixture(scope="module")
def cell():
    labels = np.ones((1, 12, 16), dtype=np.uint8)
    y, x = np.mgrid[:12, :16]
    labels[0, (x - 4) ** 2 + (y - 6) ** 2 < 22] = 0
    labels[0, 3:8, :3] = 0
    return ResolvedCell(
        phases=xr.DataArray(labels, dims=("z", "y", "x"), attrs={"phases": ("host", "electrolyte")}),
        materials={"host": HOST, "electrolyte": Electrolyte(conductivity=0.05, grain_boundary_resistance=1e-4)},
        grid=Grid(shape=labels.shape, spacing=(1e-6, 2e-7, 2e-7), origin=(0.0, 0.0, 0.0)),
        grains=np.broadcast_to(1 + x // 5, labels.shape),
        plate=Metal(conductivity=1e7, exchange_current=100.0),
    )


@pytest.fixture(scope="module")
def run(cell):
    return run_protocol(cell, protocol=[STEP], lithiation=START, keep_steps=True, tolerance=5e-3)


def end_with(cell, run, **changed):
    """Last fields when the same time steps are taken with other factors."""
    from operando.electrochemistry.resolved.cycler import Cycler
    from operando.electrochemistry.resolved.equations import problem_of

    cycler = Cycler(problem_of(cell, factors=Factors(**changed)), (), 1e9, False)
    cycler.begin(np.where(cell.reached.active, START, 0.5))
    for step in run.steps:
        solved = cycler._solved(STEP, step.length)
        cycler._note(solved, cycler.past.times[0] + step.length, 0.0)
        cycler.past = cycler.past.after(cycler.points[-1].time, solved.fields.lithiation, 0.0)
    return cycler.now.fields


@pytest.mark.parametrize("kind", ["voltage", pytest.param("image", marks=pytest.mark.slow)])
def test_gradients_are_those_of_finite_differences(cell, run, kind):
    wanted = np.linspace(0.5, 0.7, 16) * np.ones((1, 12, 16))
    goal = terminal_voltage if kind == "voltage" else image_mismatch(wanted, cell.reached.active)
    found = gradient_of_end(cell, run, goal=goal)
    largest = max(abs(float(v)) for v in found)
    for name in Factors._fields:
        by = 1e-3
        ends = [float(goal(end_with(cell, run, **{name: 1 + sign * by}))) for sign in (1, -1, 2, -2)]
        slope = (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * by)
        assert float(getattr(found, name)) == pytest.approx(slope, rel=1e-4, abs=1e-7 * largest)


def test_a_map_of_factors_gets_a_map_of_gradients(cell, run):
    mapped = Factors(ionic_conductivity=np.ones(cell.grid.shape))
    along = gradient_of_end(cell, run, goal=terminal_voltage, factors=mapped).ionic_conductivity
    whole = gradient_of_end(cell, run, goal=terminal_voltage).ionic_conductivity
    assert along.shape == cell.grid.shape
    assert float(along.sum()) == pytest.approx(float(whole), rel=1e-9)
    assert (np.asarray(along)[~cell.reached.electrolyte] == 0).all()


def test_gradients_in_a_volume_are_those_of_finite_differences():
    z, y, x = np.mgrid[:4, :6, :10]
    labels = np.ones(x.shape, dtype=np.uint8)
    labels[(x - 3) ** 2 + (y - 3) ** 2 + (z - 1) ** 2 < 7] = 0
    labels[:2, 2:5, :3] = 0
    cell = ResolvedCell(
        phases=xr.DataArray(labels, dims=("z", "y", "x"), attrs={"phases": ("host", "electrolyte")}),
        materials={"host": HOST, "electrolyte": Electrolyte(conductivity=0.05, grain_boundary_resistance=1e-4)},
        grid=Grid(shape=labels.shape, spacing=(2e-7, 2e-7, 2e-7), origin=(0.0, 0.0, 0.0)),
        grains=1 + (x + y + z > 12),
        plate=Metal(conductivity=1e7, exchange_current=100.0),
    )
    run = run_protocol(cell, protocol=[STEP], lithiation=START, keep_steps=True, tolerance=5e-2)
    found = gradient_of_end(cell, run, goal=terminal_voltage)
    for name in ("diffusivity", "grain_boundary_resistance"):
        more, less = (float(end_with(cell, run, **{name: 1 + by}).voltage) for by in (5e-3, -5e-3))
        assert float(getattr(found, name)) == pytest.approx((more - less) / 1e-2, rel=1e-3)


def test_runs_without_steps_are_refused(cell, run):
    bare = run_protocol(cell, protocol=[STEP], lithiation=START, tolerance=5e-3)
    with pytest.raises(InputError, match="keep_steps"):
        gradient_of_end(cell, bare, goal=terminal_voltage)
    two = run_protocol(cell, protocol=[STEP, rest(1.0)], lithiation=START, keep_steps=True, tolerance=5e-3)
    with pytest.raises(InputError, match="one step of a protocol"):
        gradient_of_end(cell, two, goal=terminal_voltage)
