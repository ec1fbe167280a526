"""Particles that differ from voxel to voxel: a uniform map is the number, and halves are two cells in parallel."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from operando.electrochemistry.porous.electrode import Particles, PorousCell, particles_of, planar_cell
from operando.electrochemistry.porous.march import run_porous
from operando.electrochemistry.porous.newton import NewtonStep, PorousState
from operando.electrochemistry.protocol import galvanostatic, voltage_hold
from operando.errors import InputError
from operando.frames import Array, Grid
from operando.materials.kinetics import thermal_voltage
from operando.units import FARADAY

NUMBERS = {"particle_radius": 3e-6, "exchange_current_density": 3.4, "maximum_concentration": 49060.0}


@cache
def _particles(radius: float, exchange: float) -> Particles:
    """One object for one set of numbers, so that its laws are compiled once."""
    return particles_of("NCM83", radius=radius, exchange_current_density=exchange)


def _column(**changes: float) -> PorousCell:
    numbers = NUMBERS | changes
    particles = _particles(numbers["particle_radius"], numbers["exchange_current_density"])
    return planar_cell(
        particles=replace(particles, maximum_concentration=numbers["maximum_concentration"]),
        composite_thickness=100e-6,
        separator_thickness=100e-6,
        active_fraction=numbers.get("active_fraction", 0.4),
        electronic_conductivity=numbers.get("electronic_conductivity", 0.5),
        ionic_conductivity=numbers.get("ionic_conductivity", 0.05),
        separator_conductivity=0.94,
        voxels=6,
        counter_potential=0.62,
        counter_resistance=1e-3,
    )


def _beside(one: PorousCell, other: PorousCell, *, apart: bool) -> PorousCell:
    """Two columns of one cell: the first, a gap that conducts nothing where they are `apart`, and the second."""
    nz, step = one.grid.shape[0], one.grid.spacing[0]

    def joined(name: str) -> Array:
        gap = [np.zeros((nz, 1, 1))] if apart else []
        return np.concatenate([getattr(one, name), *gap, getattr(other, name)], axis=2)

    maps = {name: joined(name) for name in ("electronic_conductivity", "ionic_conductivity", "active_fraction")}
    of_particles = {}
    for name in NUMBERS:
        pair = [cell.of_particles(name) for cell in (one, other)]
        of_particles[name] = np.concatenate(
            [pair[0], *([np.full((nz, 1, 1), np.nan)] if apart else []), pair[1]], axis=2
        )
    shape = maps["active_fraction"].shape
    return PorousCell(
        grid=Grid(shape=shape, spacing=(step, step, step), origin=(step / 2, 0.0, 0.0)),
        particles=one.particles,
        counter_potential=0.62,
        counter_resistance=1e-3,
        **maps,
        **of_particles,
    )


def test_a_uniform_map_is_the_number() -> None:
    cell = _column()
    maps = {name: np.full(cell.grid.shape, value) for name, value in NUMBERS.items()}
    steps = [galvanostatic(15.0, 1200.0)]
    run = run_porous(cell, steps, lithiation=0.9, shells=6)
    exchange = {"exchange_current_density": maps.pop("exchange_current_density")}
    same = run_porous(replace(cell, **maps), steps, lithiation=0.9, shells=6)
    np.testing.assert_array_equal(same.voltage, run.voltage)
    np.testing.assert_array_equal(same.final.lithiation, run.final.lithiation)
    # The law itself is 2e-12 off its value at x = 1/2, because it is rounded off where its root begins
    near = run_porous(replace(cell, **exchange), steps, lithiation=0.9, shells=6)
    np.testing.assert_allclose(near.voltage, run.voltage, rtol=1e-12)


@pytest.mark.parametrize("name", list(NUMBERS))
def test_a_map_overrides_what_the_particles_say(name: str) -> None:
    wanted = _column(**{name: 2 * NUMBERS[name]})
    mapped = replace(_column(), **{name: np.full(wanted.grid.shape, 2 * NUMBERS[name])})
    steps = [galvanostatic(15.0, 1200.0)]
    one, other = (run_porous(c, steps, lithiation=0.9, shells=6) for c in (wanted, mapped))
    np.testing.assert_allclose(other.voltage, one.voltage, rtol=1e-12)
    assert mapped.exchangeable_lithium == pytest.approx(wanted.exchangeable_lithium, rel=1e-12)
    plain = run_porous(_column(), steps, lithiation=0.9, shells=6)
    assert abs(plain.voltage[-1] - one.voltage[-1]) > 1e-4


@pytest.mark.parametrize(
    "changes",
    [
        {"particle_radius": 6e-6},
        {"exchange_current_density": 0.34},
        {"maximum_concentration": 30e3},
        {"active_fraction": 0.25},
        {"ionic_conductivity": 0.01, "electronic_conductivity": 0.05},
    ],
)
def test_two_halves_at_one_voltage_are_two_cells_in_parallel(changes: dict[str, float]) -> None:
    one, other = _column(), _column(**changes)
    both = _beside(one, other, apart=True)
    steps = [voltage_hold(3.2, 900.0)]
    run = run_porous(both, steps, lithiation=0.9, shells=6, tolerance=3e-3)
    alone = [run_porous(cell, steps, lithiation=0.9, shells=6, tolerance=3e-3) for cell in (one, other)]
    # Times differ, because the harder half sets the steps; a step of second order leaves less than the tolerance
    time = run.time[run.time > 30.0]
    current = [PchipInterpolator(r.time[1:], r.current_density[1:])(time) for r in alone]
    np.testing.assert_allclose(run.current_density[run.time > 30.0], sum(current) / 2, rtol=5e-3)
    assert np.abs(current[0] - current[1]).max() > 0.05 * np.abs(current[0]).max()
    lithium = [r.lithiation[-1] * c.exchangeable_lithium / c.area for r, c in zip(alone, (one, other), strict=True)]
    assert run.lithiation[-1] * both.exchangeable_lithium / both.area == pytest.approx(sum(lithium) / 2, rel=2e-4)


def test_lithium_is_conserved_between_halves_of_unlike_particles() -> None:
    cell = _beside(_column(), _column(particle_radius=6e-6, maximum_concentration=30e3), apart=False)
    run = run_porous(cell, [galvanostatic(12.0, 1800.0), galvanostatic(-12.0, 600.0)], lithiation=0.9, shells=6)
    assert run.complete
    per_area = cell.exchangeable_lithium * FARADAY / cell.area
    assert (0.9 - run.lithiation[-1]) * per_area == pytest.approx(12.0 * 1200.0, rel=1e-10)


def test_two_radii_share_a_current_as_their_surfaces_do_where_nothing_else_resists() -> None:
    """One overpotential for all: ``j = 2 i0 sinh(F eta / 2 R T)``, in a flat potential between open conductors."""

    def constant(value: float):  # type: ignore[no-untyped-def]
        return lambda x: 0.0 * x + value

    cell = planar_cell(
        particles=Particles(2e-6, 49060.0, constant(3.5), constant(1e-14), constant(1.0)),
        composite_thickness=10e-6,
        separator_thickness=10e-6,
        active_fraction=0.4,
        electronic_conductivity=1e3,
        ionic_conductivity=1e3,
        separator_conductivity=1e3,
        voxels=2,
    )
    radius = np.ones(cell.grid.shape)
    radius[:2, 0, 0] = 2e-6, 6e-6
    exchange = np.ones(cell.grid.shape)
    exchange[:2, 0, 0] = 1.0, 5.0
    cell = replace(cell, particle_radius=radius, exchange_current_density=exchange)
    states: list[PorousState] = []
    current = 1.0
    run_porous(cell, [galvanostatic(current, 1.0)], lithiation=0.5, shells=5, observe=states.append)
    surface = 5e-6 * 3 * 0.4 / radius[:2, 0, 0]
    exchanged = surface * exchange[:2, 0, 0]
    shared = current * exchanged / exchanged.sum()
    np.testing.assert_allclose(states[-1].current_density * surface, shared, rtol=1e-5)
    overpotential = 2 * thermal_voltage() * np.arcsinh(current / (2 * exchanged.sum()))
    assert states[-1].voltage - 3.5 == pytest.approx(overpotential, rel=1e-5)


def test_maps_that_make_no_particles_are_refused() -> None:
    cell = _column()
    for name in NUMBERS:
        for values, match in (
            (np.ones(cell.grid.shape[:1]), "shape"),
            (np.zeros(cell.grid.shape), "above zero"),
            (np.full(cell.grid.shape, np.nan), "finite"),
            (-1.0, "above zero"),
        ):
            with pytest.raises(InputError, match=f"(?s){name}.*{match}"):
                replace(cell, **{name: values})
    # Where there are no particles a map may say anything
    anything = np.where(cell.active, 2e-6, np.nan)
    newton = NewtonStep(replace(cell, particle_radius=anything), shells=4)
    assert np.isfinite(newton.surface).all()
    assert np.isfinite(newton.cell.surface).all()
