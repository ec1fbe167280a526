"""The prescribed evolution: exact balances, known ratios, and fronts that go where they should."""

from functools import cache

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.cell.amounts import amounts_from_cell, area_from_cell
from operando.cell.builtin import load_cell
from operando.cell.model import Cell
from operando.cell.phases import LABEL, PHASES
from operando.electrochemistry.prescribed import PrescribedEvolution
from operando.electrochemistry.truth import truth_figures
from operando.errors import InputError
from operando.frames import centred_grid
from operando.units import FARADAY, Measured

HOUR = 3600.0


@cache
def evolution(name: str = "cell-b", exchange: float = 1.0, spacing: float = 60e-6) -> PrescribedEvolution:
    shape = (int(1.2e-3 / spacing) + 2, int(3.1e-3 / spacing) + 1, int(3.1e-3 / spacing) + 1)
    grid = centred_grid(shape=shape, spacing=spacing, z_start=-spacing)
    return PrescribedEvolution(cell=load_cell(name), grid=grid, exchange=exchange)


def with_parts(cell: Cell, **parts: dict[str, object]) -> Cell:
    return cell.model_copy(
        update={name: getattr(cell, name).model_copy(update=values) for name, values in parts.items()}
    )


def isotopes(evolution: PrescribedEvolution, time: float) -> np.ndarray:
    """Li-7 and Li-6 of the whole state [mol]."""
    state = evolution.state(time)
    lithium6 = (state.lithium * state.lithium6_fraction).values.sum()
    return np.array([state.lithium.values.sum() - lithium6, lithium6]) * evolution.grid.voxel_volume


@pytest.mark.parametrize("name", ["cell-a", "cell-b"])
@given(exchange=st.sampled_from([0.0, 0.3, 1.0]), time=st.floats(0, 12 * HOUR))
@settings(max_examples=15)
def test_each_isotope_is_conserved_through_reversal(name: str, exchange: float, time: float) -> None:
    cell = evolution(name, exchange)
    assert isotopes(cell, time) == pytest.approx(isotopes(cell, 0.0), rel=1e-10)


@pytest.mark.parametrize("spacing", [40e-6, 90e-6])
def test_amounts_on_voxels_are_the_cells_arithmetic(spacing: float) -> None:
    cell = evolution(spacing=spacing)
    amounts = amounts_from_cell(cell=cell.cell)
    total = amounts.active + amounts.cathode_electrolyte + amounts.separator + amounts.lithium_foil
    natural = amounts.active + amounts.lithium_foil
    enriched = amounts.cathode_electrolyte + amounts.separator
    found = isotopes(cell, 5 * HOUR)
    assert found.sum() == pytest.approx(total, rel=1e-10)
    assert found[1] == pytest.approx(0.0759 * natural + 0.01 * enriched, rel=1e-10)


@given(time=st.floats(0, 12 * HOUR))
@settings(max_examples=10)
def test_the_inventory_is_that_of_the_voxels_and_follows_the_current(time: float) -> None:
    cell = evolution("cell-a", 0.3)
    now, amounts = cell.inventory(time), amounts_from_cell(cell=cell.cell)
    moved = cell.charge_passed(time) / FARADAY
    assert now.anode.total - amounts.lithium_foil == pytest.approx(moved, rel=1e-10, abs=1e-16)
    assert amounts.active + amounts.cathode_electrolyte - now.cathode.total == pytest.approx(
        moved, rel=1e-10, abs=1e-16
    )
    assert now.separator.total == amounts.separator
    parts = (now.cathode, now.separator, now.anode)
    assert sum(part.lithium6 for part in parts) == pytest.approx(isotopes(cell, time)[1], rel=1e-10)
    # By height: half way into the separator lies the cathode's lithium below, the anode's above
    state = cell.state(time)
    per_row = state.lithium.sum(["y", "x"]).values * cell.grid.voxel_volume
    below = per_row[state.z.values < 0.5e-3].sum()
    before = cell.state(0.0).lithium.sum(["y", "x"]).values[state.z.values < 0.5e-3].sum() * cell.grid.voxel_volume
    assert before - below == pytest.approx(moved, rel=1e-8, abs=1e-14)


def charged(fraction_left: float, exchange: float) -> tuple[float, float]:
    """True delithiation, and the one that Li-6 loss shows when all that left is taken as natural."""
    cell = load_cell("cell-b")
    current = (1 - fraction_left) * amounts_from_cell(cell=cell).active * FARADAY
    current /= 7 * HOUR * area_from_cell(cell=cell)
    choice = cell.protocol.current_density.model_copy(update={"choice": "own", "options": {"own": Measured(current)}})
    cell = with_parts(cell, protocol={"current_density": choice}, electrolyte={"lithium7": Measured(1.0)})
    grid = centred_grid(shape=(16, 40, 40), spacing=80e-6, z_start=-80e-6)
    evolved = PrescribedEvolution(cell=cell, grid=grid, exchange=exchange)
    first, last = truth_figures(evolved, 0.0), truth_figures(evolved, 8 * HOUR)
    amounts = amounts_from_cell(cell=cell)
    apparent = (first["cathode_lithium6"] - last["cathode_lithium6"]) / (0.0759 * amounts.active)
    return 1 - last["mean_lithiation"], apparent


def test_full_exchange_hides_nearly_half_of_the_delithiation() -> None:
    true, apparent = charged(0.73, exchange=1.0)
    assert true == pytest.approx(0.27, rel=1e-9)
    assert apparent / true == pytest.approx(0.5376, abs=1e-4)
    assert 1 - apparent == pytest.approx(0.855, abs=5e-4)


def test_without_exchange_li6_tells_the_truth() -> None:
    true, apparent = charged(0.73, exchange=0.0)
    assert apparent == pytest.approx(true, rel=1e-9)


def test_the_front_goes_deeper_on_charge_and_retreats_on_discharge() -> None:
    cell = evolution(exchange=0.5, spacing=30e-6)
    depths = [truth_figures(cell, t * HOUR)["front_depth"] for t in (1.5, 3, 4, 5, 6, 7, 8, 9, 10, 11)]
    assert np.all(np.diff(depths[:7]) > 0)
    assert np.all(np.diff(depths[6:]) < 0)
    assert np.isnan(truth_figures(cell, 0.0)["front_depth"])


def test_delithiation_is_deeper_at_the_centre_and_at_the_separator() -> None:
    cell = evolution(spacing=30e-6)
    lost = (cell.state(0.0).lithium - cell.state(8 * HOUR).lithium).values
    rows = slice(2, 5)
    y = cell.grid.coordinate("y")
    radius = np.hypot(y[:, None], y[None, :])
    assert lost[rows][:, radius < 0.4e-3].mean() > 1.2 * lost[rows][:, (radius > 1.0e-3) & (radius < 1.4e-3)].mean()
    profile = cell.lithiation_profile(8 * HOUR).dropna("z")
    assert np.all(np.diff(profile.values) < 0)
    assert profile.values.min() > 1 - 210 / 275
    assert np.isnan(cell.lithiation_profile(0.0).values[-1])


def test_no_place_gives_more_than_it_holds() -> None:
    for name in ("cell-a", "cell-b"):
        for time in (0.0, 4 * HOUR, 8 * HOUR, 10 * HOUR):
            state = evolution(name).state(time)
            assert state.lithium.values.min() >= 0
            assert state.lithium6_fraction.values.min() >= 0
            assert state.lithium6_fraction.values.max() <= 0.0759 + 1e-9
            assert state.solid_fraction.values.max() <= 1


def test_the_separator_keeps_its_lithium_and_takes_li6_from_the_cathode_side() -> None:
    cell = evolution(exchange=0.0, spacing=40e-6)
    before, after = cell.state(0.0), cell.state(8 * HOUR)
    inner = before.z.values > 0.25e-3
    rows = inner & (before.z.values < 0.85e-3)
    assert after.lithium.values[rows] == pytest.approx(before.lithium.values[rows], rel=1e-12)
    gain = after.lithium6_fraction.isel(z=rows).values - before.lithium6_fraction.isel(z=rows).values
    assert np.all(np.diff(gain[:, 38, 38]) < 0)
    y, x = cell.grid.coordinate("y"), cell.grid.coordinate("x")
    on_path = gain[0, np.abs(y - 0.15e-3).argmin(), np.abs(x - 0.75e-3).argmin()]
    assert on_path > 1.5 * gain[0, np.abs(y).argmin(), np.abs(x + 1.0e-3).argmin()]


def test_cell_a_starts_with_a_path_and_cell_b_without() -> None:
    spread = {}
    for name in ("cell-a", "cell-b"):
        state = evolution(name).state(0.0)
        fraction = state.lithium6_fraction.where(state.phase == LABEL["separator"])
        spread[name] = float(fraction.isel(z=8).max() - fraction.isel(z=8).min())
    assert spread["cell-a"] > 0.02
    assert spread["cell-b"] < 1e-12


def test_means_do_not_depend_on_the_grid() -> None:
    fine, coarse = evolution(exchange=0.5, spacing=20e-6), evolution(exchange=0.5, spacing=60e-6)
    time = 8 * HOUR
    a, b = truth_figures(fine, time), truth_figures(coarse, time)
    depths = a.pop("front_depth"), b.pop("front_depth")
    assert a == pytest.approx(b, rel=1e-10)
    # Three coarse rows make up the cathode: the front is known to a fraction of one
    assert depths[0] == pytest.approx(depths[1], abs=0.25 * 60e-6)
    halves = []
    for cell in (fine, coarse):
        state = cell.state(time)
        gain = (state.lithium * state.lithium6_fraction).sum(["y", "x"]) - 0.01 * state.lithium.sum(["y", "x"])
        per_height = (gain * cell.grid.voxel_volume / cell.grid.spacing[0]).isel(
            z=(state.z.values > 0.25e-3) & (state.z.values < 0.85e-3)
        )
        halves.append(float(np.interp(0.4e-3, per_height.z, per_height)))
    assert halves[0] == pytest.approx(halves[1], rel=0.02)


def test_a_state_is_labelled_as_promised() -> None:
    state = evolution().state(2 * HOUR)
    assert isinstance(state, xr.Dataset)
    assert list(state.data_vars) == ["phase", "solid_fraction", "lithium", "lithium6_fraction"]
    assert state.lithium.dims == ("z", "y", "x")
    assert state.lithium.attrs["units"] == "mol/m^3"
    assert state.phase.attrs["phases"] == PHASES
    assert len(evolution().times) == 24
    assert evolution().times[0] == pytest.approx(750.0)


def test_the_same_seed_gives_the_same_cell() -> None:
    grid = evolution().grid
    states = [PrescribedEvolution(cell=load_cell("cell-b"), grid=grid, seed=seed).state(5 * HOUR) for seed in (1, 1, 2)]
    assert states[0].identical(states[1])
    assert not states[0].identical(states[2])


def test_a_protocol_that_asks_too_much_is_refused() -> None:
    cell, grid = load_cell("cell-b"), evolution().grid
    long = cell.protocol.steps[0].duration.model_copy(update={"choice": "own", "options": {"own": Measured(40 * HOUR)}})
    steps = (cell.protocol.steps[0].model_copy(update={"duration": long}), *cell.protocol.steps[1:])
    with pytest.raises(InputError, match="active material's lithium leaves it"):
        PrescribedEvolution(cell=with_parts(cell, protocol={"steps": steps}), grid=grid)
    with pytest.raises(InputError, match="no more lithium comes back"):
        PrescribedEvolution(cell=with_parts(cell, protocol={"steps": cell.protocol.steps[1:]}), grid=grid)
    with pytest.raises(InputError, match="exchange must be between 0"):
        PrescribedEvolution(cell=cell, grid=grid, exchange=-0.1)
