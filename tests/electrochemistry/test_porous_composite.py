"""Composites from volume fractions, from microstructures and from measurements, and as maps of a porous cell."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from operando.cell.builtin import load_cell
from operando.cell.microstructure.structure import STRUCTURE_LABEL, Microstructure, section_grid
from operando.electrochemistry.porous.composite import (
    Composite,
    composite_from_fractions,
    composite_from_measurement,
    porous_cell,
)
from operando.electrochemistry.porous.electrode import particles_of
from operando.electrochemistry.porous.march import run_porous
from operando.electrochemistry.porous.representative import composite_from_microstructure
from operando.electrochemistry.protocol import galvanostatic
from operando.electrochemistry.transport.columns import charge_transfer_resistance, columns_from_cell
from operando.electrochemistry.transport.settings import TransportSettings
from operando.errors import InputError
from operando.frames import Array, Grid
from operando.units import FARADAY

STEP = 0.1e-6


def _by_law(**changes: Array | float) -> Composite:
    given: dict[str, Array | float] = {
        "active": 0.4,
        "electrolyte": 0.36,
        "additive": 0.04,
        "particle_radius": 2e-6,
        "electrolyte_conductivity": 0.94,
        "active_conductivity": 0.5,
        "additive_conductivity": 100.0,
    }
    return composite_from_fractions(**(given | changes))  # type: ignore[arg-type]


def _structure(phase: Array, grain: Array | None = None) -> Microstructure:
    active = phase == STRUCTURE_LABEL["active"]
    electrolyte = phase == STRUCTURE_LABEL["electrolyte"]
    return Microstructure(
        grid=section_grid(shape=phase.shape, spacing=(STEP,) * 3),  # type: ignore[arg-type]
        phase=phase.astype(np.uint8),
        particle=active.astype(np.int32),
        grain=electrolyte.astype(np.int32) if grain is None else np.where(electrolyte, grain, 0).astype(np.int32),
    )


def _slabs() -> Array:
    """A tenth of pores, half electrolyte and the rest active material, in layers along z."""
    phase = np.full((10, 6, 8), STRUCTURE_LABEL["electrolyte"])
    phase[5:9], phase[9] = STRUCTURE_LABEL["active"], STRUCTURE_LABEL["void"]
    return phase


def test_fractions_conduct_by_their_power_and_the_rest_is_pores() -> None:
    composite = _by_law()
    assert composite.pores == pytest.approx(0.2)
    assert composite.ionic_conductivity == pytest.approx(0.94 * 0.6**3)
    assert composite.electronic_conductivity == pytest.approx(0.5 * 0.4**1.5 + 100.0 * 0.2**3)
    assert _by_law(exponent=1.0).ionic_conductivity == pytest.approx(0.94 * 0.36)


def test_maps_of_fractions_are_maps_of_everything() -> None:
    active = np.linspace(0.2, 0.6, 5)[:, None, None]
    composite = _by_law(active=active, electrolyte=0.8 - active, additive=0.0)
    for k, fraction in enumerate(active.ravel()):
        one = _by_law(active=float(fraction), electrolyte=0.8 - float(fraction), additive=0.0)
        for name in ("pores", "ionic_conductivity", "electronic_conductivity"):
            assert np.ravel(getattr(composite, name))[k] == pytest.approx(getattr(one, name), rel=1e-12)


def test_layers_conduct_along_themselves_as_their_fractions_and_not_across() -> None:
    found = composite_from_microstructure(
        _structure(_slabs()), electrolyte_conductivity=0.94, active_conductivity=0.3, axis="x", tolerance=1e-10
    )
    assert (found.active, found.electrolyte, found.pores) == pytest.approx((0.4, 0.5, 0.1))
    assert found.ionic_conductivity == pytest.approx(0.94 * 0.5, rel=1e-8)
    assert found.electronic_conductivity == pytest.approx(0.3 * 0.4, rel=1e-8)
    for axis in ("z", None):
        with pytest.raises(InputError, match=r"electrolyte of the microstructure.*along z"):
            composite_from_microstructure(
                _structure(_slabs()), electrolyte_conductivity=0.94, active_conductivity=0.3, axis=axis
            )


def test_without_an_axis_it_is_the_mean_over_those_of_the_volume() -> None:
    rng = np.random.default_rng(4)
    noise = gaussian_filter(rng.standard_normal((24, 24, 24)), (1.0, 1.5, 3.0))
    phase = np.where(noise > 0, STRUCTURE_LABEL["active"], STRUCTURE_LABEL["electrolyte"])

    def found(axis: str | None) -> Composite:
        return composite_from_microstructure(
            _structure(phase), electrolyte_conductivity=1.0, active_conductivity=2.0, axis=axis, tolerance=1e-8
        )

    along = [found(axis) for axis in ("z", "y", "x")]
    assert along[0].ionic_conductivity < along[1].ionic_conductivity < along[2].ionic_conductivity
    for name in ("ionic_conductivity", "electronic_conductivity"):
        assert getattr(found(None), name) == pytest.approx(np.mean([getattr(one, name) for one in along]), rel=1e-6)


def test_grain_boundaries_lie_in_series_with_the_grains() -> None:
    resistance, grains = 1e-4, 4
    number = 1 + np.arange(8)[None, None, :] // 2 + np.zeros((10, 6, 1), dtype=int)
    found = composite_from_microstructure(
        _structure(_slabs(), number),
        electrolyte_conductivity=0.05,
        active_conductivity=0.3,
        axis="x",
        grain_resistance=resistance,
        tolerance=1e-10,
    )
    length = 8 * STEP
    series = length / (length / 0.05 + (grains - 1) * resistance)
    assert found.ionic_conductivity == pytest.approx(0.5 * series, rel=1e-8)


def test_a_rod_has_the_radius_of_spheres_with_its_surface() -> None:
    radius = 9.0
    y, z = np.mgrid[:32, :32] - 15.5
    rod = np.hypot(y, z) < radius
    phase = np.where(rod, STRUCTURE_LABEL["active"], STRUCTURE_LABEL["electrolyte"])
    phase = np.broadcast_to(phase[:, :, None], (32, 32, 12)).copy()
    found = composite_from_microstructure(
        _structure(phase), electrolyte_conductivity=1.0, active_conductivity=1.0, axis="x"
    )
    # 3 V / S of a rod
    assert found.particle_radius == pytest.approx(1.5 * radius * STEP, rel=0.02)
    # Where pores cover half of it, half of its surface reacts
    phase[:16][phase[:16] == STRUCTURE_LABEL["electrolyte"]] = STRUCTURE_LABEL["void"]
    half = composite_from_microstructure(
        _structure(phase), electrolyte_conductivity=1.0, active_conductivity=1.0, axis="x"
    )
    assert half.particle_radius == pytest.approx(3 * radius * STEP, rel=0.05)


def test_a_measured_composite_conducts_what_was_measured() -> None:
    found = composite_from_measurement(active_share=0.4)
    assert found.ionic_conductivity == pytest.approx(0.03579)
    assert found.electronic_conductivity == pytest.approx(0.02257)
    assert found.active / (found.active + found.electrolyte) == pytest.approx(0.4)  # type: ignore[operator]
    # Bruggeman's law lets the same electrolyte, 0.233 S/m, conduct 2.5 times as much
    law = 0.233 * found.electrolyte**1.5  # type: ignore[operator]
    assert 2 < law / found.ionic_conductivity < 3


def test_cell_b_takes_a_composite_and_keeps_its_amounts() -> None:
    composite = composite_from_measurement(active_share=0.5, particle_radius=1e-6)
    settings = TransportSettings(column=1.5e-3, layer=40e-6)
    cell = load_cell("cell-b")
    plain, taken = (
        columns_from_cell(cell=cell, settings=s, seed=0) for s in (settings, settings.with_composite(composite))
    )
    inside = taken.porous.active
    assert taken.porous.ionic_conductivity[inside].mean() == pytest.approx(composite.ionic_conductivity, rel=1e-12)
    assert (taken.porous.electronic_conductivity[inside] == composite.electronic_conductivity).all()
    assert taken.porous.exchangeable_lithium == pytest.approx(plain.porous.exchangeable_lithium, rel=1e-12)
    assert charge_transfer_resistance(taken) == pytest.approx(charge_transfer_resistance(plain) / 2, rel=1e-12)
    assert settings == TransportSettings(column=1.5e-3, layer=40e-6)
    with pytest.raises(InputError, match=r"particle_radius.*one number"):
        settings.with_composite(replace(composite, particle_radius=np.full((2, 1, 1), 1e-6)))


def test_a_graded_composite_runs_and_its_lithium_is_what_passed() -> None:
    shape = (10, 1, 2)
    grid = Grid(shape=shape, spacing=(10e-6,) * 3, origin=(0.0,) * 3)
    where = np.broadcast_to((np.arange(10) < 6)[:, None, None], shape)
    active = np.broadcast_to(np.linspace(0.5, 0.3, 10)[:, None, None], shape)
    radius = np.broadcast_to(np.array([1e-6, 4e-6]), shape)
    composite = _by_law(active=active, electrolyte=0.8 - active, particle_radius=radius)
    particles = particles_of("NCM83", radius=1.0, exchange_current_density=1.0)
    cell = porous_cell(
        grid=grid,
        where=where,
        composite=composite,
        particles=particles,
        separator_conductivity=0.5,
        counter={"counter_potential": 0.62},
    )
    assert cell.surface[0, 0, 0] == pytest.approx(4 * cell.surface[0, 0, 1])
    run = run_porous(cell, [galvanostatic(10.0, 900.0)], lithiation=0.9, shells=5)
    passed = (0.9 - run.lithiation[-1]) * cell.exchangeable_lithium * FARADAY / cell.area
    assert passed == pytest.approx(9000.0, rel=1e-10)
    x = np.zeros(shape)
    x.ravel()[np.flatnonzero(cell.active)] = np.diff(np.linspace(0, 1, 6) ** 3) @ run.final.lithiation
    assert (x[:6, 0, 0] < x[:6, 0, 1]).all()  # small particles give more


def test_what_is_no_composite_is_refused() -> None:
    for changes, match in (
        ({"active": 0.9}, "volume fractions.*at most 1"),
        ({"active": -0.1}, "active.*from 0 to 1"),
        ({"particle_radius": 0.0}, "particle_radius.*above zero"),
        ({"electrolyte": np.array([0.3, 0.0])}, "ionic_conductivity.*above zero"),
    ):
        with pytest.raises(InputError, match=f"(?s){match}"):
            _by_law(**changes)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="add up to 1"):
        Composite(0.4, 0.4, 0.0, 0.1, 1e-6, 0.1, 0.1)
    lithium = _slabs()
    lithium[0] = STRUCTURE_LABEL["lithium"]
    with pytest.raises(InputError, match="composite alone"):
        composite_from_microstructure(_structure(lithium), electrolyte_conductivity=1.0, active_conductivity=1.0)
    grid = Grid(shape=(4, 1, 1), spacing=(1e-6,) * 3, origin=(0.0,) * 3)
    particles = particles_of("NCM83", radius=1e-6, exchange_current_density=1.0)
    where = np.ones(grid.shape, dtype=bool)
    settings = {"grid": grid, "particles": particles, "separator_conductivity": 1.0}
    with pytest.raises(InputError, match="boolean of shape"):
        porous_cell(composite=_by_law(), where=where[:2], **settings)  # type: ignore[arg-type]
    composite = _by_law(active=np.full(3, 0.4))
    with pytest.raises(InputError, match=r"active.*number or of shape"):
        porous_cell(composite=composite, where=where, **settings)  # type: ignore[arg-type]
