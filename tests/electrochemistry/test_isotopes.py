"""Li-6 through cathode, separator and anode: closed forms and balances."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import erfc

from operando.electrochemistry.isotopes import Reservoirs, isotope_history
from operando.errors import InputError

CELL_B = Reservoirs(
    active=23.0e-6,
    cathode_electrolyte=19.8e-6,
    separator=160.7e-6,
    active_fraction=0.0759,
    electrolyte_fraction=0.0,
    exchange=1.0,
    initial_path=0.0,
    mixing_rate=3e-12 / 740e-6**2,
)
HOURS = 3600.0 * np.arange(4)


def lithium6(history, reservoirs):
    """All Li-6 that can move, at each time."""
    return history.kept + history.mixed + history.separator.sum(axis=1) + history.path.sum(axis=1) + history.anode


@given(
    exchange=st.floats(0, 1),
    enriched=st.floats(0, 0.9),
    path=st.floats(0, 0.5),
    mixing=st.floats(0, 1e-3),
    turns=st.lists(st.floats(0, 17e-6), min_size=1, max_size=4),
)
def test_every_isotope_is_conserved_through_reversals(exchange, enriched, path, mixing, turns) -> None:
    reservoirs = replace(
        CELL_B, exchange=exchange, electrolyte_fraction=enriched, initial_path=path, mixing_rate=mixing
    )
    entered = np.array([0.0, *turns, 0.0])
    times = 900.0 * np.arange(len(entered))
    history = isotope_history(reservoirs=reservoirs, times=times, entered=entered)
    total = lithium6(history, reservoirs)
    assert total == pytest.approx(np.full_like(total, total[0]), rel=1e-12)
    slices = history.separator * history.separator.shape[1] / reservoirs.separator
    assert slices.min() >= -1e-10
    assert slices.max() <= 1 + 1e-10  # rounding of a march of some thousand steps
    # The anode's gain is lithium that came through: never more Li-6 than lithium
    assert np.all(history.anode <= history.entered * (1 + 1e-9) + 1e-18)
    assert np.all(history.anode >= -1e-18)


@pytest.mark.parametrize(("exchange", "leaving"), [(0.0, 0.0759), (1.0, 0.0408), (0.5, 0.05835)])
def test_what_leaves_first_has_the_fraction_of_its_exchange(exchange: float, leaving: float) -> None:
    history = isotope_history(
        reservoirs=replace(CELL_B, exchange=exchange), times=HOURS[:2], entered=np.array([0.0, 8e-6])
    )
    left = history.kept[0] + history.mixed[0] - history.kept - history.mixed
    assert left[1:] / history.entered[1:] == pytest.approx(np.full(len(left) - 1, leaving), rel=1e-3)


def test_a_front_drifts_and_spreads_as_in_closed_form() -> None:
    """A flux-in boundary on a half space; van Genuchten and Alves (1982), USDA Bulletin 1661, solution A2."""
    drift, spread, hours = 0.1, 0.01, 3 * 3600.0
    reservoirs = replace(CELL_B, exchange=0.0, active=1.0, mixing_rate=spread / hours)
    moved = drift * reservoirs.separator
    history = isotope_history(reservoirs=reservoirs, times=np.array([0.0, hours]), entered=np.array([0.0, moved]))
    slices = history.separator.shape[1]
    found = history.separator[-1] * slices / reservoirs.separator / 0.0759
    z = (np.arange(slices) + 0.5) / slices
    root = 2 * np.sqrt(spread)
    exact = (
        0.5 * erfc((z - drift) / root)
        + drift / np.sqrt(np.pi * spread) * np.exp(-((z - drift) ** 2) / (4 * spread))
        - 0.5 * (1 + drift * z / spread + drift**2 / spread) * np.exp(drift * z / spread) * erfc((z + drift) / root)
    )
    # Upwinding adds u dz / 2 to D, 2.5 % of it here (0.2 % in cell B)
    assert found == pytest.approx(exact, abs=0.006)
    assert found.mean() == pytest.approx(drift, rel=1e-9)


def test_a_gap_at_rest_spreads_to_evenness() -> None:
    reservoirs = replace(CELL_B, initial_path=0.2, mixing_rate=1e-2)
    history = isotope_history(reservoirs=reservoirs, times=HOURS[:2], entered=np.zeros(2))
    assert history.path[0, 0] > 100 * history.path[0, -1]
    assert history.path[-1] == pytest.approx(np.full(history.path.shape[1], history.path[0].mean()), rel=1e-6)
    assert history.path[0].sum() == pytest.approx(0.2 * 23.0e-6 * 0.0759, rel=1e-9)


def test_natural_lithium_everywhere_stays_natural() -> None:
    reservoirs = replace(CELL_B, electrolyte_fraction=0.0759)
    history = isotope_history(reservoirs=reservoirs, times=HOURS[:3], entered=np.array([0.0, 9e-6, 2e-6]))
    assert history.separator * history.separator.shape[1] / reservoirs.separator == pytest.approx(
        np.full_like(history.separator, 0.0759), rel=1e-12
    )
    assert history.anode[1:] / history.entered[1:] == pytest.approx(np.full(len(history.anode) - 1, 0.0759), rel=1e-9)


@given(time=st.floats(-1e4, 2e4))
@settings(max_examples=20)
def test_between_the_times_totals_and_isotopes_stay_straight(time: float) -> None:
    times = HOURS[:3]
    entered = np.array([0.0, 9e-6, 2e-6])
    history = isotope_history(reservoirs=CELL_B, times=times, entered=entered)
    now = history.at(time)
    assert now.entered == pytest.approx(np.interp(time, times, entered), abs=1e-18)
    now6 = now.kept + now.mixed + now.separator.sum() + now.path.sum() + now.anode
    assert now6 == pytest.approx(lithium6(history, CELL_B)[0], rel=1e-12)


def test_an_exchange_beyond_full_is_refused() -> None:
    with pytest.raises(InputError, match="exchange must be between 0"):
        replace(CELL_B, exchange=1.5)
    with pytest.raises(InputError, match="tracer diffusivity must be zero or more"):
        replace(CELL_B, mixing_rate=-1.0)
