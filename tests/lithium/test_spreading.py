"""Li-6 that leaves without a front: against closed forms, and against the simulated cells' own isotopes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.electrochemistry.transport.isotopes import Flow, Isotopes, Medium, moved
from operando.errors import InputError
from operando.lithium.spreading import CELLS, least_loss_from_mean, lithium6_loss_from_spreading

RATIO, NATURAL, ENRICHED = 0.86, 0.0759, 0.01
CELL = {"electrolyte": RATIO, "active_fraction": NATURAL, "electrolyte_fraction": ENRICHED}
HEIGHT = (np.arange(CELLS) + 0.5) / CELLS


def loss(delithiation=0.2, *, fall=0.0, exchange=0.0, spreading=0.0):
    return lithium6_loss_from_spreading(
        delithiation=delithiation, fall=fall, exchange=exchange, spreading=spreading, **CELL
    )


@given(delithiation=st.floats(0.01, 0.6))
def test_evenly_without_exchange_the_electrolyte_leaves_first(delithiation):
    # r df/dd = g - f, so that f = g - (g - f_0) exp(-d / r)
    rise = (NATURAL - ENRICHED) * RATIO * (1 - np.exp(-delithiation / RATIO))
    np.testing.assert_allclose(loss(delithiation), NATURAL * delithiation - rise, rtol=0.03)


def test_mixed_thoroughly_the_mixture_leaves():
    mixture = (NATURAL + RATIO * ENRICHED) / (1 + RATIO)
    assert loss(exchange=300.0).mean() == pytest.approx(0.2 * mixture, rel=0.02)


def test_without_charge_and_exchange_nothing_leaves():
    assert abs(loss(0.0, spreading=1.0)).max() < 1e-15


def independent(delithiation, *, exchange, spreading, fall=0.0, sink=1e4):
    """Loss from the isotopes of the simulated cells, with a separator that is large and hands Li-6 on at once."""
    release = delithiation * (1 + fall * (2 * HEIGHT - 1)) / CELLS
    electrolyte = np.append(np.full(CELLS, RATIO / CELLS), sink)[:, None, None]
    particles = np.append(np.full(CELLS, 1 / CELLS), 0.0)[:, None, None]
    faces = np.full(CELLS + 2, spreading * CELLS)
    faces[[0, -1]], faces[-2] = 0.0, 2 * spreading * CELLS
    shapes = (CELLS + 1, 2, 1), (CELLS + 1, 1, 2)
    closed = tuple(np.zeros(shape) for shape in shapes)
    current = np.append(np.concatenate([[0.0], np.cumsum(release)]), release.sum())[:, None, None]
    given_off = np.append(release, 0.0)[:, None, None]
    flow = Flow((current, *closed), given_off, exchange * particles, particles)
    nothing = np.zeros((1, 1))
    start = Isotopes(electrolyte * ENRICHED, particles * NATURAL, nothing, nothing)
    medium = Medium(electrolyte, (faces[:, None, None], *closed))
    end = moved(start, medium=medium, flow=flow, duration=1.0, longest=1 / 200)
    held = (start.electrolyte + start.particles - end.electrolyte - end.particles)[:CELLS, 0, 0]
    return held * CELLS


@pytest.mark.parametrize(("exchange", "spreading", "fall"), [(0.0, 0.02, 0.0), (0.5, 0.05, 1 / 3), (5.0, 0.3, 0.2)])
def test_agrees_with_the_isotopes_of_the_simulated_cells(exchange, spreading, fall):
    ours, theirs = (solve(0.2, exchange=exchange, spreading=spreading, fall=fall) for solve in (loss, independent))
    # Ours is of first order in height and time, on 24 slices and 32 steps
    assert ours.mean() == pytest.approx(theirs.mean(), rel=0.04)
    np.testing.assert_allclose(ours, theirs, atol=0.04 * theirs.max())


@settings(max_examples=15, deadline=None)
@given(
    exchange=st.floats(0.05, 20.0), spreading=st.floats(2e-3, 1.0), fall=st.floats(0, 1 / 3), place=st.floats(0.1, 0.35)
)
def test_no_cathode_without_a_front_keeps_more_than_the_least(exchange, spreading, fall, place):
    lost = loss(exchange=exchange, spreading=spreading, fall=fall)
    least = least_loss_from_mean(place=place, mean_loss=lost.mean(), delithiation=0.2, fall=1 / 3, **CELL)
    assert np.interp(place, HEIGHT, lost) > 0.93 * least


@pytest.mark.parametrize("leaving", [NATURAL, 0.06, 0.0405])
def test_a_front_keeps_much_more(leaving):
    profile = 1 / (1 + np.exp((1 - HEIGHT - 0.27) / 0.15))
    lost = 0.2 * leaving * profile / profile.mean()
    least = least_loss_from_mean(place=0.2, mean_loss=lost.mean(), delithiation=0.2, fall=1 / 3, **CELL)
    assert np.interp(0.2, HEIGHT, lost) < 0.5 * least


def test_what_no_diffusion_explains_has_no_bound():
    assert least_loss_from_mean(place=0.2, mean_loss=1e-5, delithiation=0.2, fall=1 / 3, **CELL) == np.inf


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"delithiation": 0.9, "fall": 0.3}, "fall"),
        ({"delithiation": -0.1}, "delithiation"),
        ({"exchange": -1.0}, "exchange"),
        ({"spreading": np.nan}, "spreading"),
    ],
)
def test_refusals(changes, says):
    with pytest.raises(InputError, match=says):
        loss(**changes)
