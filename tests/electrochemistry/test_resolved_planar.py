"""A planar cell against closed forms: ohmic drops and reaction, diffusion and migration, Sand's time, Cottrell."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from operando.electrochemistry.protocol import Ending, galvanostatic, rest, voltage_hold
from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.currents import face_currents
from operando.electrochemistry.resolved.fluxes import Factors
from operando.electrochemistry.resolved.materials import ActiveMaterial, Electrolyte, Metal
from operando.electrochemistry.resolved.run import run_protocol
from operando.frames import Grid
from operando.magnetism.circuit import require_closed
from operando.materials.kinetics import (
    FARADAY,
    exchange_current_density_from_lithiation,
    overpotential_from_current_density,
)

LAYER, VOXEL = 30, 1e-7
THICKNESS = LAYER * VOXEL
MAXIMUM, DIFFUSIVITY, ELECTRONIC, IONIC, HALF, PLATING = 5e4, 1e-13, 1.0, 0.05, 10.0, 100.0

HOST = ActiveMaterial(
    maximum_concentration=MAXIMUM,
    open_circuit_potential=lambda x: 4.5 - x,
    diffusivity=lambda x: DIFFUSIVITY + 0 * x,
    electronic_conductivity=lambda x: ELECTRONIC + 0 * x,
    exchange_current=lambda x: exchange_current_density_from_lithiation(lithiation=x, at_half=HALF),
)


def planar_cell(host: ActiveMaterial = HOST) -> ResolvedCell:
    labels = np.repeat(np.array([0, 1], dtype=np.uint8), LAYER).reshape(1, 1, -1)
    return ResolvedCell(
        phases=xr.DataArray(labels, dims=("z", "y", "x"), attrs={"phases": ("host", "electrolyte")}),
        materials={"host": host, "electrolyte": Electrolyte(conductivity=IONIC)},
        grid=Grid(shape=labels.shape, spacing=(VOXEL, VOXEL, VOXEL), origin=(0.0, 0.0, 0.0)),
        plate=Metal(conductivity=1e7, exchange_current=PLATING),
    )


def lithiation_at(place, *, flux, time, start):
    """Slab with one sealed side (place 0) that loses `flux` [A/m^2] at place 1 (Carslaw and Jaeger, 3.8)."""
    k = np.arange(1, 400)[:, None]
    waves = (-1.0) ** k / k**2 * np.exp(-(k**2) * np.pi**2 * DIFFUSIVITY * time / THICKNESS**2)
    series = 2 / np.pi**2 * (waves * np.cos(k * np.pi * place)).sum(axis=0)
    fall = DIFFUSIVITY * time / THICKNESS**2 + (3 * place**2 - 1) / 6 - series
    return start - flux * THICKNESS / (FARADAY * MAXIMUM * DIFFUSIVITY) * fall


def losses(flux, surface):
    """Ohmic drops and overpotentials [V]."""
    exchange = exchange_current_density_from_lithiation(lithiation=surface, at_half=HALF)
    return (
        flux * THICKNESS * (1 / ELECTRONIC + 1 / IONIC)
        + overpotential_from_current_density(current_density=flux, exchange_current_density=exchange)
        + overpotential_from_current_density(current_density=flux, exchange_current_density=PLATING)
    )


def test_voltage_and_lithium_at_constant_current():
    run = run_protocol(
        planar_cell(), protocol=[galvanostatic(20.0, 20.0), rest(5.0)], lithiation=0.7, tolerance=1e-4, times=[5.0]
    )
    assert run.endings == (Ending.TIME, Ending.TIME)
    # at once: nothing has diffused, so that the voltage is that of a resistor and two reactions
    assert run.voltage[1] == pytest.approx(4.5 - 0.7 + losses(20.0, 0.7), abs=3e-3)
    centres = (np.arange(LAYER) + 0.5) / LAYER
    for state in run.states[:2]:
        found = np.asarray(state.fields.lithiation)[0, 0, :LAYER]
        assert found == pytest.approx(lithiation_at(centres, flux=20.0, time=state.time, start=0.7), abs=2e-4)
        surface = lithiation_at(np.ones(1), flux=20.0, time=state.time, start=0.7)[0]
        assert state.voltage == pytest.approx(4.5 - surface + losses(20.0, surface), abs=2e-4)
        gained = (found.mean() - 0.7) * FARADAY * MAXIMUM * THICKNESS
        assert gained == pytest.approx(-state.charge, rel=1e-10)
    at_rest = run.states[-1]
    assert abs(at_rest.current_density) < 1e-8
    assert at_rest.voltage < run.states[1].voltage - losses(20.0, 0.7)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_ions_that_migrate_through_the_host_even_out_its_lithium(share):
    """Lithium carries a share t of the current: the slab loses (1 - t) at the electrolyte and t at the plate.

    Without migration the plate's side would hardly lose any in this time; with half of the current both lose alike.
    """
    ionic = ELECTRONIC * share / (1 - share)
    host = replace(HOST, ionic_conductivity=lambda x: ionic + 0 * x)
    run = run_protocol(planar_cell(host), protocol=[galvanostatic(20.0, 10.0)], lithiation=0.7, tolerance=1e-4)
    state = run.states[-1]

    def expected(place):
        near = lithiation_at(place, flux=(1 - share) * 20.0, time=state.time, start=0.7)
        return near + lithiation_at(1 - place, flux=share * 20.0, time=state.time, start=0.7) - 0.7

    found = np.asarray(state.fields.lithiation)[0, 0, :LAYER]
    assert found == pytest.approx(expected((np.arange(LAYER) + 0.5) / LAYER), abs=2e-4)
    plate, surface = expected(np.array([0.0, 1.0]))
    conducted = 20.0 * THICKNESS * (1 / (ELECTRONIC + ionic) - 1 / ELECTRONIC) - share * (plate - surface)
    assert state.voltage == pytest.approx(4.5 - surface + losses(20.0, surface) + conducted, abs=2e-4)


def test_face_currents_are_the_applied_current_everywhere():
    cell = planar_cell()
    run = run_protocol(cell, protocol=[galvanostatic(20.0, 20.0)], lithiation=0.7)
    currents = face_currents(cell, run.states[-1])
    assert currents.x == pytest.approx(np.full((1, 1, 2 * LAYER + 1), 20.0), rel=1e-8)
    require_closed(currents, by_leads=True, tolerance=1e-8)


def test_lithium_runs_out_at_the_time_of_sand():
    flux, start = 213.0, 0.5
    sand = np.pi * DIFFUSIVITY * (FARADAY * MAXIMUM * start / (2 * flux)) ** 2
    assert np.sqrt(DIFFUSIVITY * sand) < THICKNESS / 2.5  # the sealed side is far
    factors = Factors(ionic_conductivity=100.0, electronic_conductivity=100.0, exchange_current=100.0)
    run = run_protocol(
        planar_cell(), protocol=[galvanostatic(flux, 3 * sand)], lithiation=start, tolerance=3e-4, factors=factors
    )
    assert run.status is Ending.EXHAUSTED
    # x on the face is zero then, though half a voxel inside the host it is not
    assert run.time[-1] == pytest.approx(sand, rel=0.005)
    inside = np.asarray(run.states[-1].fields.lithiation)[0, 0, LAYER - 1]
    assert inside == pytest.approx(VOXEL / 2 * flux / (FARADAY * MAXIMUM * DIFFUSIVITY), rel=0.05)


def test_current_at_constant_voltage_falls_as_cottrell_says():
    factors = Factors(
        ionic_conductivity=1e4, electronic_conductivity=1e4, exchange_current=1e4, plating_exchange_current=1e4
    )
    run = run_protocol(
        planar_cell(),
        protocol=[voltage_hold(3.9, 6.0)],
        lithiation=0.7,
        tolerance=1e-4,
        factors=factors,
        times=[2.0, 4.0],
    )
    for state in run.states:
        cottrell = FARADAY * MAXIMUM * 0.1 * np.sqrt(DIFFUSIVITY / (np.pi * state.time))
        assert state.current_density == pytest.approx(cottrell, rel=0.01)


def test_a_reversed_current_brings_the_lithium_back():
    run = run_protocol(
        planar_cell(), protocol=[galvanostatic(20.0, 10.0), galvanostatic(-20.0, 10.0), rest(20.0)], lithiation=0.7
    )
    assert run.charge[-1] == pytest.approx(0, abs=1e-7)
    back = np.asarray(run.states[-1].fields.lithiation)[0, 0, :LAYER]
    assert back.mean() == pytest.approx(0.7, abs=1e-10)


def test_limits_end_a_step_where_they_are():
    cell = planar_cell()
    protocol = [
        galvanostatic(20.0, 1000.0, upper_voltage=4.0),
        galvanostatic(20.0, 10.0, upper_voltage=3.95),
        galvanostatic(-20.0, 1000.0, charge=200.0),
    ]
    run = run_protocol(cell, protocol=protocol, lithiation=0.7)
    assert run.endings == (Ending.UPPER_VOLTAGE, Ending.VOLTAGE_PASSED, Ending.CHARGE)
    assert run.states[0].voltage == pytest.approx(4.0, abs=2e-4)
    assert run.states[-1].charge - run.states[0].charge == pytest.approx(-200.0, rel=1e-9)


def test_more_charge_than_lithium_stops_with_the_results_so_far():
    run = run_protocol(planar_cell(), protocol=[galvanostatic(20.0, 2000.0), rest(1.0)], lithiation=0.7)
    assert run.endings == (Ending.EXHAUSTED,)
    assert len(run.time) > 10
    assert np.isfinite(run.voltage).all()
    assert run.charge[-1] < 0.7 * FARADAY * MAXIMUM * THICKNESS


@pytest.mark.parametrize("duration", [30.0, 3e4, 3e6])
def test_the_first_steps_are_as_accurate_however_long_the_step_may_last(duration):
    flux, time = 60.0, 20.0
    run = run_protocol(
        planar_cell(), protocol=[galvanostatic(flux, duration, charge=flux * time)], lithiation=0.7, tolerance=1e-3
    )
    found = np.asarray(run.states[-1].fields.lithiation)[0, 0, :LAYER]
    centres = (np.arange(LAYER) + 0.5) / LAYER
    assert run.status is Ending.CHARGE
    assert found == pytest.approx(lithiation_at(centres, flux=flux, time=time, start=0.7), abs=1e-3)


def test_a_rest_after_a_passed_limit_and_a_small_current_are_solved():
    protocol = [
        galvanostatic(20.0, 50.0),
        galvanostatic(20.0, 10.0, upper_voltage=3.6),
        rest(1.0),
        galvanostatic(1e-4, 10.0),
    ]
    run = run_protocol(planar_cell(), protocol=protocol, lithiation=0.7)
    assert run.endings == (Ending.TIME, Ending.VOLTAGE_PASSED, Ending.TIME, Ending.TIME)
    assert run.complete
    assert run.charge[-1] == pytest.approx(1000.001, rel=1e-9)


def test_short_steps_late_in_a_protocol_end_in_their_time():
    protocol = [rest(36000.0), galvanostatic(20.0, 1e-3), rest(1e-4)]
    run = run_protocol(planar_cell(), protocol=protocol, lithiation=0.7)
    assert run.endings == (Ending.TIME,) * 3
    assert run.charge[-1] == pytest.approx(0.02, rel=1e-9)


def test_a_held_voltage_ends_with_its_charge_or_its_smallest_current():
    by_charge, by_current = (
        run_protocol(planar_cell(), protocol=[voltage_hold(4.0, 100.0, **limit)], lithiation=0.7)
        for limit in ({"charge": 100.0}, {"smallest_current": 20.0})
    )
    assert by_charge.status is Ending.CHARGE
    assert by_charge.charge[-1] == pytest.approx(100.0, rel=1e-6)
    assert by_current.status is Ending.SMALL_CURRENT
    assert by_current.current_density[-1] == pytest.approx(20.0, rel=0.01)


def test_a_limit_counts_in_the_direction_of_the_current_alone():
    protocol = [galvanostatic(20.0, 50.0), galvanostatic(-5.0, 2.0, upper_voltage=3.6)]
    assert run_protocol(planar_cell(), protocol=protocol, lithiation=0.7).endings == (Ending.TIME, Ending.TIME)


LIMITING = 0.7 * FARADAY * MAXIMUM * DIFFUSIVITY / (VOXEL / 2)
"""Current that empties the face at once [A/m^2]."""


@pytest.mark.parametrize(
    ("first", "start"),
    [
        (galvanostatic(1.01 * LIMITING, 10.0), 0.7),
        (galvanostatic(1e6, 10.0), 0.7),
        (galvanostatic(-1e6, 10.0), 0.7),
        (voltage_hold(10.0, 10.0), 0.7),
        (voltage_hold(-5.0, 10.0), 0.7),
    ],
)
def test_more_than_diffusion_can_bring_is_named_and_what_there_was_is_kept(first, start):
    alone = run_protocol(planar_cell(), protocol=[first, rest(1.0)], lithiation=start)
    assert alone.endings == (Ending.EXHAUSTED,)
    assert not alone.complete
    assert alone.voltage == pytest.approx([4.5 - start])
    later = run_protocol(planar_cell(), protocol=[galvanostatic(5.0, 1.0), first], lithiation=start)
    assert later.endings == (Ending.TIME, Ending.EXHAUSTED)
    assert later.charge[-1] == pytest.approx(5.0)


def test_an_equation_without_a_solution_is_no_lack_of_lithium():
    broken = replace(HOST, open_circuit_potential=lambda x: jnp.where(abs(x - 0.685) < 0.002, jnp.nan, 4.5 - x))
    labels = planar_cell().phases
    cell = replace(planar_cell(), phases=labels, materials={**planar_cell().materials, "host": broken})
    run = run_protocol(cell, protocol=[galvanostatic(20.0, 100.0)], lithiation=0.7)
    assert run.status is Ending.FAILED


def mixed_cell(layers, *, electronic=1.0, ionic):
    """A host that conducts ions too, with the diffusivity that its conductivities and the slope of U give it."""
    both = FARADAY * MAXIMUM * (electronic + ionic)
    host = replace(
        HOST,
        diffusivity=lambda x: electronic * ionic / both + 0 * x,
        electronic_conductivity=lambda x: electronic + 0 * x,
        ionic_conductivity=lambda x: ionic + 0 * x,
    )
    labels = np.repeat(np.array([0, 1], dtype=np.uint8), layers).reshape(1, 1, -1)
    voxel = THICKNESS / layers
    return ResolvedCell(
        phases=xr.DataArray(labels, dims=("z", "y", "x"), attrs={"phases": ("host", "electrolyte")}),
        materials={"host": host, "electrolyte": Electrolyte(conductivity=IONIC)},
        grid=Grid(shape=labels.shape, spacing=(voxel, voxel, voxel), origin=(0.0, 0.0, 0.0)),
        plate=Metal(conductivity=1e7, exchange_current=PLATING),
    )


def mixed_lithiation(place, *, flux, time, share, diffusivity):
    """The electrolyte takes (1 - t) of the current from diffusion at place 1, the plate sends t of it at place 0."""
    k = np.arange(1, 400)[:, None]
    waves = (-1.0) ** k / k**2 * np.exp(-(k**2) * np.pi**2 * diffusivity * time / THICKNESS**2)

    def fall(at):
        series = 2 / np.pi**2 * (waves * np.cos(k * np.pi * at)).sum(axis=0)
        return diffusivity * time / THICKNESS**2 + (3 * at**2 - 1) / 6 - series

    per_flux = THICKNESS / (FARADAY * MAXIMUM * diffusivity)
    return 0.7 - flux * per_flux * ((1 - share) * fall(place) + share * fall(1 - place))


# a third, a half and one in a hundred of the current are ions'
@pytest.mark.parametrize(("electronic", "ionic"), [(0.02, 0.01), (0.004, 0.004), (0.05, 0.0005)])
def test_a_mixed_conductor_is_wagners_in_charge_and_at_rest(electronic, ionic):
    flux, time, layers = 10.0, 3.0, 40
    share = ionic / (electronic + ionic)
    diffusivity = electronic * share / (FARADAY * MAXIMUM)
    cell = mixed_cell(layers, electronic=electronic, ionic=ionic)
    run = run_protocol(cell, protocol=[galvanostatic(flux, time), rest(1e-6)], lithiation=0.7, tolerance=1e-5)
    found = np.asarray(run.states[0].fields.lithiation)[0, 0, :layers]
    law = {"flux": flux, "time": time, "share": share, "diffusivity": diffusivity}
    assert found == pytest.approx(mixed_lithiation((np.arange(layers) + 0.5) / layers, **law), abs=1e-4)
    plate, surface, first, last = mixed_lithiation(np.array([0.0, 1.0, 0.5 / layers, 1 - 0.5 / layers]), **law)
    at_rest = 4.5 - surface - share * (plate - surface)  # U at the electrolyte, less what ions hold back within
    exchange = exchange_current_density_from_lithiation(lithiation=surface, at_half=HALF)
    losses = (
        flux * THICKNESS * (1 / (electronic + ionic) + 1 / IONIC)
        + overpotential_from_current_density(current_density=flux, exchange_current_density=exchange)
        + overpotential_from_current_density(current_density=flux, exchange_current_density=PLATING)
    )
    assert run.states[0].voltage == pytest.approx(at_rest + losses, abs=1e-4)
    # half a voxel's gradient is gone at once
    assert run.states[1].voltage == pytest.approx(4.5 - last - share * (first - last), abs=1e-4)
