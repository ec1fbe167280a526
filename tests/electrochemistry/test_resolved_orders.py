"""Orders of the coupled equations: in space against a closed form, in time against themselves."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from operando.electrochemistry.protocol import galvanostatic
from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.cycler import Cycler
from operando.electrochemistry.resolved.equations import problem_of
from operando.electrochemistry.resolved.materials import ActiveMaterial, Electrolyte, Metal
from operando.electrochemistry.resolved.run import run_protocol
from operando.frames import Grid
from operando.materials.kinetics import exchange_current_density_from_lithiation, overpotential_from_current_density
from operando.units import FARADAY

THICKNESS, MAXIMUM, DIFFUSIVITY, ELECTRONIC, IONIC, FLUX = 3e-6, 5e4, 1e-13, 1.0, 0.05, 20.0
HOST = ActiveMaterial(
    maximum_concentration=MAXIMUM,
    open_circuit_potential=lambda x: 4.5 - x + 0.3 * x * x,
    diffusivity=lambda x: DIFFUSIVITY + 0 * x,
    electronic_conductivity=lambda x: ELECTRONIC + 0 * x,
    exchange_current=lambda x: exchange_current_density_from_lithiation(lithiation=x, at_half=10.0),
)


def slab(layers, host=HOST):
    labels = np.repeat(np.array([0, 1], dtype=np.uint8), layers).reshape(1, 1, -1)
    voxel = THICKNESS / layers
    return ResolvedCell(
        phases=xr.DataArray(labels, dims=("z", "y", "x"), attrs={"phases": ("host", "electrolyte")}),
        materials={"host": host, "electrolyte": Electrolyte(conductivity=IONIC)},
        grid=Grid(shape=labels.shape, spacing=(voxel, voxel, voxel), origin=(0.0, 0.0, 0.0)),
        plate=Metal(conductivity=1e7, exchange_current=100.0),
    )


def steady(place, time):
    """The profile that only sinks at a constant current: a parabola."""
    fall = FLUX * THICKNESS / (FARADAY * MAXIMUM * DIFFUSIVITY)
    return 0.7 - fall * (DIFFUSIVITY * time / THICKNESS**2 + (3 * place**2 - 1) / 6)


def test_a_coupled_solution_in_closed_form_is_met_with_second_order_in_space():
    time, errors = 5.0, []
    for layers in (8, 16, 32):
        start = np.full((1, 1, 2 * layers), 0.5)
        edges = np.arange(layers + 1) / layers
        # mean of the parabola over each voxel
        start[0, 0, :layers] = steady(0, 0) + np.diff(edges**3) * layers / 3 * (steady(1, 0) - steady(0, 0))
        run = run_protocol(slab(layers), protocol=[galvanostatic(FLUX, time)], lithiation=start, tolerance=1e-5)
        surface = steady(1.0, time)
        exchange = exchange_current_density_from_lithiation(lithiation=surface, at_half=10.0)
        voltage = (
            HOST.open_circuit_potential(surface)
            + FLUX * THICKNESS * (1 / ELECTRONIC + 1 / IONIC)
            + overpotential_from_current_density(current_density=FLUX, exchange_current_density=exchange)
            + overpotential_from_current_density(current_density=FLUX, exchange_current_density=100.0)
        )
        errors.append(run.voltage[-1] - voltage)
    assert abs(errors[-1]) < 1e-4
    assert np.array(errors[:-1]) / errors[1:] == pytest.approx([4, 4], rel=0.1)


def ends(layers, counts, span):
    """Voltage and x after a span in equal time steps, from a state some seconds into a charge."""
    host = replace(
        HOST,
        diffusivity=lambda x: DIFFUSIVITY * (0.5 + x),
        electronic_conductivity=lambda x: 0.1 * (1.5 - x),
    )
    cell = slab(layers, host)
    begun = run_protocol(cell, protocol=[galvanostatic(FLUX, 10.0)], lithiation=0.7, tolerance=1e-4).states[-1]
    found, step = [], galvanostatic(FLUX, span)
    for count in counts:
        cycler = Cycler(problem_of(cell), (), np.inf, False)
        cycler.begin(np.asarray(begun.fields.lithiation))
        for _ in range(count):
            solved = cycler._solved(step, span / count)
            assert solved is not None
            cycler._note(solved, cycler.past.times[0] + span / count, 0.0)
            cycler.past = cycler.past.after(cycler.past.times[0] + span / count, solved.fields.lithiation, 0.0)
        found.append((float(solved.fields.voltage), np.asarray(solved.fields.lithiation)[0, 0, :layers]))
    return found


def test_time_steps_are_of_second_order_in_voltage_and_lithium():
    *coarse, (voltage, lithium) = ends(12, (4, 8, 16, 128), 8.0)
    by_voltage = [abs(v - voltage) for v, _ in coarse]
    by_lithium = [abs(x - lithium).max() for _, x in coarse]
    for errors in (by_voltage, by_lithium):
        assert errors[0] / errors[1] == pytest.approx(4, rel=0.25)
        assert errors[1] / errors[2] == pytest.approx(4, rel=0.2)
