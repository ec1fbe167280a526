"""A described cell through its protocol: currents and lithiation, and the isotopes that they carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from operando.electrochemistry.porous.currents import CurrentsOf
from operando.electrochemistry.porous.march import run_porous
from operando.electrochemistry.porous.network import networks_of
from operando.electrochemistry.protocol import Ending, protocol_from_cell, rest
from operando.electrochemistry.recorded import values_at
from operando.electrochemistry.transport.columns import FULL, exchange_rate
from operando.electrochemistry.transport.isotopes import Flow, Isotopes, Medium, moved
from operando.errors import InputError
from operando.units import FARADAY, Measured

if TYPE_CHECKING:
    from operando.cell.model import Cell
    from operando.electrochemistry.porous.newton import PorousState
    from operando.electrochemistry.transport.columns import Columns
    from operando.electrochemistry.transport.settings import TransportSettings
    from operando.frames import Array

_LONGEST_STEP = 900.0
_TOLERANCE = 3e-3
_SHELLS = 10
_CLOSURE = 1e-13
"""Of the lithium's currents: what is left would move lithium that the electrolyte holds fixed."""
_LIMIT = "to the voltage limit"


@dataclass(frozen=True, eq=False)
class Snapshots:
    """A cell at several times; straight between them, as its totals are.

    Attributes
    ----------
    times:
        On the study's clock [s].
    voltage:
        Of the cell [V].
    particles, particles6:
        Lithium and Li-6 of the particles ``(time, layer of the cathode, y, x)`` [mol].
    electrolyte6:
        Li-6 of the electrolyte ``(time, z, y, x)`` [mol].
    anode, anode6:
        What the anode has gained above each column ``(time, y, x)`` [mol].
    """

    times: Array
    voltage: Array
    particles: Array
    particles6: Array
    electrolyte6: Array
    anode: Array
    anode6: Array

    def at(self, time: float) -> Snapshots:
        """Values at one time, held before the first and after the last."""
        return Snapshots(*values_at(time, record=self, times=self.times))


def snapshots_from_cell(
    *, cell: Cell, columns: Columns, settings: TransportSettings, start: Isotopes, until: float
) -> tuple[Snapshots, Cell]:
    """Take a cell as assembled at time zero through its protocol, and whatever rest is left, until a time [s].

    Returns
    -------
    What happened, and the cell with the steps that passed: one that a voltage limit ended is shorter.

    Raises
    ------
    InputError
        If the protocol asks the cathode for more than it can give at that current.
    """
    follower = _Follower(columns, settings, start)
    begin = max(cell.protocol.start.chosen.value, 0.0)
    first = [rest(begin)] if begin > 0 else []
    steps = protocol_from_cell(cell=cell)
    run = run_porous(
        columns.porous,
        [*first, *steps, rest(until)],
        lithiation=FULL,
        shells=_SHELLS,
        tolerance=_TOLERANCE,
        longest_step=_LONGEST_STEP,
        until=until,
        observe=follower.observe,
    )
    if not run.complete:
        reached = float(run.time[-1]) / 3600
        raise InputError(
            "protocol.steps",
            must="such that the cathode can give and take the lithium at that current",
            received=f"after {reached:.3g} h {run.endings[-1]}",
            remedy="Lower the current, shorten the step, or let the cathode conduct better.",
        )
    return follower.snapshots(), _as_cycled(cell, run.endings[len(first) :], (begin, *run.ends[len(first) :]))


class _Follower:
    """Carries the isotopes along with every step that the solver accepts."""

    def __init__(self, columns: Columns, settings: TransportSettings, start: Isotopes) -> None:
        self._columns, self._rate = columns, settings.isotope_exchange
        self._currents = CurrentsOf(columns.porous)
        fz, fy, fx = (faces * columns.mixing for faces in networks_of(columns.porous).ionic)
        fz[0], fz[-1] = 0.0, 0.0
        self._medium = Medium(columns.electrolyte, (fz, fy, fx))
        self._active = np.flatnonzero(columns.porous.active)
        self._volume = np.diff(np.linspace(0, 1, _SHELLS + 1) ** 3)
        self._time = 0.0
        self._particles, self._isotopes = columns.particles, start
        level = float(columns.porous.particles.open_circuit_potential(np.float64(FULL)))
        self._rows = [(0.0, level - columns.porous.counter_potential, columns.particles, start)]

    def observe(self, state: PorousState) -> None:
        """Follow the isotopes from the last state to this one."""
        particles = self._lithium(state)
        duration = state.time - self._time
        release = (self._particles - particles) / duration
        flow = Flow(
            current=self._current(state, release),
            release=release,
            exchange=self._rate * exchange_rate(self._columns, self._lithiation((particles + self._particles) / 2)),
            particles=self._particles,
        )
        self._isotopes = moved(self._isotopes, medium=self._medium, flow=flow, duration=duration)
        self._time, self._particles = state.time, particles
        self._rows.append((state.time, state.voltage, particles, self._isotopes))

    def snapshots(self) -> Snapshots:
        """All states, the first as assembled."""
        times, voltages, particles, isotopes = zip(*self._rows, strict=True)
        cathode = slice(0, self._columns.cathode)
        return Snapshots(
            times=np.array(times),
            voltage=np.array(voltages),
            particles=np.stack([lithium[cathode] for lithium in particles]),
            particles6=np.stack([now.particles[cathode] for now in isotopes]),
            electrolyte6=np.stack([now.electrolyte for now in isotopes]),
            anode=np.stack([now.anode_lithium for now in isotopes]),
            anode6=np.stack([now.anode for now in isotopes]),
        )

    def _lithium(self, state: PorousState) -> Array:
        share = np.zeros(self._columns.particles.size)
        share[self._active] = self._volume @ np.asarray(state.lithiation) / FULL
        return self._columns.particles * share.reshape(self._columns.particles.shape)

    def _lithiation(self, particles: Array) -> Array:
        whole = self._columns.particles
        return np.divide(particles * FULL, whole, out=np.full_like(whole, 0.5), where=whole > 0)

    def _current(self, state: PorousState, release: Array) -> tuple[Array, Array, Array]:
        """Lithium through all faces [mol/s], closed with the mean release since the last state."""
        z, y, x = self._currents.ionic(state, release * FARADAY, tolerance=_CLOSURE)
        return z / FARADAY, y / FARADAY, x / FARADAY


def _as_cycled(cell: Cell, endings: tuple[Ending, ...], times: tuple[float, ...]) -> Cell:
    """The cell with every step as long as it lasted, where a voltage limit ended it."""
    passed = list(cell.protocol.steps)
    counted = [k for k, step in enumerate(passed) if step.duration.chosen.value > 0]
    for k, ending, lasted in zip(counted, endings, np.diff(times), strict=False):
        if ending in (Ending.UPPER_VOLTAGE, Ending.LOWER_VOLTAGE, Ending.VOLTAGE_PASSED):
            stated = passed[k].duration
            options = stated.options | {_LIMIT: Measured(float(lasted))}
            ended = stated.model_copy(update={"choice": _LIMIT, "options": options})
            passed[k] = passed[k].model_copy(update={"duration": ended})
    protocol = cell.protocol.model_copy(update={"steps": tuple(passed)})
    return cell.model_copy(update={"protocol": protocol})
