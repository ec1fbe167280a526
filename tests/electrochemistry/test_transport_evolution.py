"""Cells A and B on physics: balances, the order in which lithium leaves, and what exchange and D* do."""

import math
from functools import cache

import numpy as np
import pytest

from operando.cell.amounts import amounts_from_cell
from operando.cell.builtin import load_cell
from operando.cell.model import Scans
from operando.cell.phases import LABEL
from operando.electrochemistry.transport.columns import charge_transfer_resistance
from operando.electrochemistry.transport.evolution import TransportEvolution
from operando.electrochemistry.transport.settings import TransportSettings
from operando.electrochemistry.truth import truth_figures
from operando.errors import InputError
from operando.frames import centred_grid
from operando.units import FARADAY, Measured

HOUR = 3600.0
SPACING = 60e-6


@cache
def evolution(name: str = "cell-b", scans: int = 22, **changes: float) -> TransportEvolution:
    grid = centred_grid(shape=(22, 52, 52), spacing=SPACING, z_start=-SPACING)
    cell = load_cell(name)
    few = Scans(interval=cell.scans.interval, duration=cell.scans.duration, slots=scans)
    coarse = TransportSettings(**({"column": 800e-6, "layer": 36e-6} | changes))
    return TransportEvolution(cell=cell.model_copy(update={"scans": few}), grid=grid, settings=coarse)


def isotopes(evolution: TransportEvolution, time: float) -> np.ndarray:
    """Li-7 and Li-6 of the whole state [mol]."""
    state = evolution.state(time)
    lithium6 = (state.lithium * state.lithium6_fraction).values.sum()
    return np.array([state.lithium.values.sum() - lithium6, lithium6]) * evolution.grid.voxel_volume


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("cell-b", (0.0, 4.1, 8.0, 8.9)),
        pytest.param("cell-a", (0.0, 1.6, 2.9, 4.0), marks=pytest.mark.slow),
    ],
)
def test_each_isotope_is_conserved_on_voxels_through_reversal(name: str, times: tuple[float, ...]) -> None:
    cell = evolution(name, scans=10 if name == "cell-a" else 22)
    for hours in times:
        assert isotopes(cell, hours * HOUR) == pytest.approx(isotopes(cell, 0.0), rel=1e-10)


@pytest.mark.parametrize("hours", [0.5, 5.0, 8.9])
def test_the_state_the_inventory_and_the_charge_agree(hours: float) -> None:
    cell = evolution()
    time = hours * HOUR
    held = cell.inventory(time)
    amounts = amounts_from_cell(cell=cell.cell)
    entered = cell.charge_passed(time) / FARADAY
    assert held.anode.total - amounts.lithium_foil == pytest.approx(entered, rel=1e-9, abs=1e-15)
    assert held.cathode.total == pytest.approx(amounts.active + amounts.cathode_electrolyte - entered, rel=1e-10)
    total6 = held.cathode.lithium6 + held.separator.lithium6 + held.anode.lithium6
    assert total6 == pytest.approx(isotopes(cell, time)[1], rel=1e-10)
    figures = truth_figures(cell, time)
    assert figures["mean_lithiation"] == pytest.approx(1 - entered / amounts.active, rel=1e-9)


def test_a_voltage_limit_ends_a_step_and_the_next_one_begins() -> None:
    grid = centred_grid(shape=(22, 52, 52), spacing=SPACING, z_start=-SPACING)
    cell = load_cell("cell-b")
    limit = Measured(2.95)
    scans = Scans(interval=cell.scans.interval, duration=cell.scans.duration, slots=10)
    protocol = cell.protocol.model_copy(update={"upper_voltage": limit})
    limited = cell.model_copy(update={"protocol": protocol, "scans": scans})
    cut = TransportEvolution(cell=limited, grid=grid, settings=TransportSettings(column=800e-6, layer=36e-6))
    charge, discharge = (step.duration.chosen.value for step in cut.cell.protocol.steps)
    end = HOUR + charge
    assert 0.5 * HOUR < charge < 3 * HOUR
    assert discharge == 7 * HOUR
    assert float(cut.voltage(np.array([end]))[0]) == pytest.approx(limit.value, abs=1e-4)
    assert cut.snapshots.voltage.max() < limit.value + 1e-4
    for time in (end, end + 0.5 * HOUR):
        lost = cut.inventory(0.0).cathode.total - cut.inventory(time).cathode.total
        assert lost == pytest.approx(cut.charge_passed(time) / FARADAY, rel=1e-6)
    assert cut.charge_passed(end + 0.5 * HOUR) < cut.charge_passed(end)
    # Without a limit on the way, steps last as described
    assert evolution().cell.protocol == cell.protocol


@pytest.mark.slow
def test_lithium_leaves_from_the_separators_side_and_from_the_centre_first() -> None:
    cell = evolution(cathode_conductivity=2e-3)
    profile = cell.lithiation_profile(7 * HOUR).dropna("z").values
    assert (np.diff(profile) < 0).all()
    assert profile[0] - profile[-1] > 0.08
    state = cell.state(7 * HOUR)
    inside = (state.phase == LABEL["cathode"]).isel(z=slice(2, 3)).values[0]
    lithium = state.lithium.isel(z=2).values
    radius = np.hypot(state.y.values[:, None], state.x.values)
    assert lithium[inside & (radius < 0.4e-3)].mean() < lithium[inside & ((radius > 1.0e-3) & (radius < 1.3e-3))].mean()


@pytest.mark.slow
def test_without_exchange_the_electrolytes_lithium_leaves_first() -> None:
    cell = evolution(isotope_exchange=0.0)
    first, now = cell.inventory(0.0), cell.inventory(1.3 * HOUR)
    leaving = (first.cathode.lithium6 - now.cathode.lithium6) / (first.cathode.total - now.cathode.total)
    natural = cell.cell.cathode.active.composition.lithium6_fraction
    assert leaving < 0.3 * natural
    active = cell.snapshots.at(1.0 * HOUR)
    assert active.particles6.sum() / active.particles.sum() == pytest.approx(natural, rel=1e-9)


@pytest.mark.slow
def test_faster_exchange_brings_more_lithium6_into_the_separator_and_d_spreads_it() -> None:
    gains, reaches = [], []
    for changes in ({"isotope_exchange": 0.1}, {}, {"tracer_diffusivity": 1e-12}):
        cell = evolution(**changes)
        before, now = (cell.snapshots.at(t).electrolyte6[cell.columns.cathode :] for t in (0.0, 8 * HOUR))
        gained = (now - before).sum(axis=(1, 2))
        gains.append(gained.sum())
        height = (np.arange(gained.size) + 0.5) * cell.columns.porous.grid.spacing[0]
        reaches.append(float(gained @ height / gained.sum()))
    assert gains[0] < 0.7 * gains[1]
    assert reaches[2] < 0.8 * reaches[1]
    spread = math.sqrt(2 * 3.3e-12 * 7 * HOUR)
    assert 0.2 * spread < reaches[1] < spread


@pytest.mark.slow
def test_a_path_is_there_from_the_start_in_cell_a() -> None:
    cell = evolution("cell-a", scans=10)
    share = cell.cell.separator.initial_path.value
    amounts = amounts_from_cell(cell=cell.cell)
    natural = cell.cell.cathode.active.composition.lithium6_fraction
    enriched = cell.cell.electrolyte.composition.lithium6_fraction
    gained = cell.inventory(0.0).separator.lithium6 - amounts.separator * enriched
    assert gained == pytest.approx(share * (amounts.active * natural + amounts.cathode_electrolyte * enriched))


def test_the_exchange_time_is_the_charge_transfer_resistance_in_other_words() -> None:
    cell = evolution()
    resistance = charge_transfer_resistance(cell.columns)
    amounts = amounts_from_cell(cell=cell.cell)
    capacity = amounts.active * FARADAY / cell.columns.porous.area
    # i0 a L = (R T / F) / r carries a full cathode's lithium in the exchange time
    assert cell.settings.exchange_time == pytest.approx(capacity * resistance / 0.025693, rel=0.02)


def test_settings_that_cannot_be_are_refused() -> None:
    for name in ("tracer_diffusivity", "isotope_exchange"):
        with pytest.raises(InputError, match=name):
            TransportSettings(**{name: -1.0})
    for name in ("exchange_current_density", "cathode_conductivity", "layer"):
        with pytest.raises(InputError, match=name):
            TransportSettings(**{name: 0.0})


@pytest.mark.slow
def test_a_protocol_beyond_the_cathode_is_refused() -> None:
    with pytest.raises(InputError, match="give and take"):
        evolution("cell-a", scans=10, cathode_conductivity=2e-5)
