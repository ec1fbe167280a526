"""Currents of a porous cell on faces: they close with what reacts, and are the networks' where Newton left little."""

import numpy as np
import pytest

from operando.electrochemistry.finite_volume import Faces, face_areas, net_outflow
from operando.electrochemistry.porous.currents import CurrentsOf, PorousCurrents, face_currents
from operando.electrochemistry.porous.electrode import PorousCell, particles_of
from operando.electrochemistry.porous.march import run_porous
from operando.electrochemistry.porous.network import flows, networks_of
from operando.electrochemistry.porous.newton import PorousState
from operando.electrochemistry.protocol import ProtocolStep, galvanostatic, rest
from operando.frames import Grid

CURRENT = 10.0


def _cell() -> PorousCell:
    """Uneven, in a bore, large enough for the multigrid of columns."""
    rng = np.random.default_rng(7)
    shape = (12, 11, 10)
    y, x = (np.arange(n) - (n - 1) / 2 for n in shape[1:])
    bore = (np.hypot(y[:, None], x) <= 5.5)[None]
    composite = (np.arange(12) < 5)[:, None, None] & bore
    uneven = np.exp(0.7 * rng.standard_normal(shape))
    return PorousCell(
        grid=Grid(shape=shape, spacing=(14e-6, 20e-6, 30e-6), origin=(0.0,) * 3),
        particles=particles_of("NCM83", radius=2e-6, exchange_current_density=1.0),
        electronic_conductivity=np.where(composite, 0.5 * uneven, 0.0),
        ionic_conductivity=np.where(bore, np.where(composite, 0.01, 0.9) * uneven, 0.0),
        active_fraction=np.where(composite, 0.4, 0.0),
        counter_potential=0.62,
        counter_resistance=1e-3 * (1 + rng.random(shape[1:])),
    )


def _state(cell: PorousCell, *steps: ProtocolStep) -> PorousState:
    return run_porous(cell, steps, lithiation=0.9, shells=5, tolerance=3e-3).final


def _net(cell: PorousCell, currents: PorousCurrents, name: str) -> np.ndarray:
    through, areas = getattr(currents, name), face_areas(cell.grid.spacing)
    return net_outflow(Faces(through.z * areas[0], through.y * areas[1], through.x * areas[2]))


@pytest.mark.parametrize("steps", [[galvanostatic(CURRENT, 600.0)], [galvanostatic(CURRENT, 600.0), rest(60.0)]])
def test_both_networks_close_with_what_reacts(steps: list[ProtocolStep]) -> None:
    cell = _cell()
    state = _state(cell, *steps)
    currents = face_currents(cell, state)
    reacting = np.abs(currents.reaction).sum()
    assert reacting > 1e-3 * CURRENT * cell.area
    assert np.abs(_net(cell, currents, "ionic") - currents.reaction).sum() < 1e-8 * reacting
    assert np.abs(_net(cell, currents, "electronic") + currents.reaction).sum() < 1e-8 * reacting
    # Together without divergence, in at the collector and out at the counter electrode
    leaving = currents.total.leaving()
    assert leaving["+z"] == pytest.approx(state.current, abs=1e-8 * reacting)
    assert leaving["-z"] == pytest.approx(-state.current, abs=1e-8 * reacting)
    for side in ("-y", "+y", "-x", "+x"):
        assert leaving[side] == 0.0


def test_closing_moves_the_networks_own_currents_by_no_more_than_newton_left() -> None:
    cell = _cell()
    state = _state(cell, galvanostatic(CURRENT, 600.0))
    currents = face_currents(cell, state)
    own = flows(networks_of(cell).ionic, state.ionic, above=-0.62)
    through = currents.ionic.z * face_areas(cell.grid.spacing)[0]
    assert np.abs(through - own.z).max() < 1e-4 * np.abs(own.z).max()
    assert np.abs(through - own.z).max() > 0


def test_ionic_currents_close_with_any_release() -> None:
    cell = _cell()
    state = _state(cell, galvanostatic(CURRENT, 600.0))
    released = np.where(cell.active, np.random.default_rng(1).uniform(0, 1e-9, cell.grid.shape), 0.0)
    found = CurrentsOf(cell).ionic(state, released, tolerance=1e-13)
    assert np.abs(net_outflow(found) - released).sum() < 1e-12 * released.sum()
    assert found.z[-1].sum() == pytest.approx(released.sum(), rel=1e-12)
    assert not found.z[0].any()
