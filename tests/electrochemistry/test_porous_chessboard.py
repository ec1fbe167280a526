"""Columns by colour: nothing is lost, the operator is that of the networks, and threads change no bit."""

import numpy as np
import pytest

from operando.electrochemistry import threads
from operando.electrochemistry.porous.batches import Batches
from operando.electrochemistry.porous.chessboard import Planes, by_colour, by_place, coarser, planes_of
from operando.electrochemistry.porous.electrode import PorousCell, particles_of
from operando.electrochemistry.porous.gradient_kernels import apply
from operando.electrochemistry.porous.lines import LinePotentials
from operando.electrochemistry.porous.network import Networks, networks_of, outflow
from operando.frames import Grid

SHAPES = [(5, 4, 4), (4, 5, 3), (3, 1, 7), (6, 1, 1)]


def _networks(shape: tuple[int, int, int], *, composite: int, seed: int = 0) -> Networks:
    uneven = np.exp(0.5 * np.random.default_rng(seed).standard_normal(shape))
    inside = np.broadcast_to((np.arange(shape[0]) < composite)[:, None, None], shape)
    cell = PorousCell(
        grid=Grid(shape=shape, spacing=(14e-6,) * 3, origin=(0.0,) * 3),
        particles=particles_of("NCM83", radius=2e-6, exchange_current_density=1.0),
        electronic_conductivity=np.where(inside, 0.5 * uneven, 0.0),
        ionic_conductivity=0.1 * uneven,
        active_fraction=np.where(inside, 0.4, 0.0),
        counter_resistance=1e-3,
    )
    return networks_of(cell)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_column_comes_back_to_its_place(shape: tuple[int, int, int]) -> None:
    values = np.random.default_rng(1).standard_normal(shape)
    coloured = by_colour(values)
    assert np.count_nonzero(coloured) == values.size
    np.testing.assert_array_equal(by_place(coloured, width=shape[2]), values)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("composite", [2, None])
def test_the_operator_is_what_flows_out_of_the_networks(shape: tuple[int, int, int], composite: int | None) -> None:
    reached = composite or shape[0]
    networks = _networks(shape, composite=reached)
    planes = planes_of(networks)
    assert planes.diagonal.shape[0] == shape[0] + reached
    rng = np.random.default_rng(2)
    ionic, electronic = rng.standard_normal(shape), rng.standard_normal(shape)
    electronic[reached:] = 0.0
    coupling = np.where(np.arange(shape[0])[:, None, None] < reached, rng.uniform(0, 1e-6, shape), 0.0)
    u = by_colour(np.concatenate([ionic, electronic[:reached]]))
    out, sums = np.empty_like(u), np.empty(u.shape[1])
    faces = [by_colour(part) for part in (planes.below, planes.south, planes.west, planes.diagonal)]
    apply(0, u.shape[1], *faces, by_colour(coupling[:reached]), u, out, sums)
    reaction = coupling * (electronic - ionic)
    wanted = np.concatenate(
        [outflow(networks.ionic, ionic) - reaction, (outflow(networks.electronic, electronic) + reaction)[:reached]]
    )
    np.testing.assert_allclose(by_place(out, width=shape[2]), wanted, atol=1e-12 * np.abs(wanted).max())
    assert sums.sum() == pytest.approx(float(np.vdot(u, out)), rel=1e-12)


def test_a_coarser_level_keeps_what_leads_to_the_electrodes() -> None:
    planes = planes_of(_networks((5, 7, 6), composite=3))

    def to_electrodes(level: Planes) -> float:
        # A potential of one everywhere drives current to the electrodes alone
        inner = 2 * (level.below.sum() + level.south.sum() + level.west.sum())
        return float(level.diagonal.sum() - inner)

    coarse = coarser(planes)
    assert coarse.diagonal.shape == (8, 4, 3)
    assert to_electrodes(coarse) == pytest.approx(to_electrodes(planes), rel=1e-9)
    across = planes.south[:, 2::2].sum()
    assert coarse.south.sum() == pytest.approx(across / 2, rel=1e-12)


def test_potentials_are_the_same_bits_with_one_thread_and_three(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = (8, 13, 12)
    networks = _networks(shape, composite=4)
    rng = np.random.default_rng(3)
    inside = (np.arange(8) < 4)[:, None, None]
    system = {
        "coupling": np.where(inside, rng.uniform(1e-8, 1e-6, shape), 0.0),
        "electronic": np.where(inside, 1e-9 * rng.standard_normal(shape), 0.0),
        "ionic": 1e-9 * rng.standard_normal(shape),
    }
    found = []
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    for count in (1, 3):
        monkeypatch.setattr(threads, "threads", lambda count=count: count)
        found.append(LinePotentials(networks, tolerance=1e-8).solve(**system, total=1e-7))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("count", [1, 4096, 4097, 10_001])
def test_batches_are_the_whole(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(threads, "threads", lambda: 3)
    x = np.random.default_rng(4).uniform(size=(3, count))
    y = x[0].copy()
    whole = np.empty_like(x)
    Batches(count)(lambda x, y: (x + y, y + 1), (x, y), (whole, y))  # y in place
    np.testing.assert_array_equal(whole, x + x[0])
    np.testing.assert_array_equal(y, x[0] + 1)
