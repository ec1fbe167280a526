"""A resolved cell through a protocol, until a limit: what came of it, and why it stopped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from operando.electrochemistry.inputs import lithiation_on_voxels, require_tolerance
from operando.electrochemistry.protocol import CycledRun, ProtocolStep, require_steps, stops_a_run
from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.cycler import Cycler, State, TimeStep
from operando.electrochemistry.resolved.equations import problem_of
from operando.electrochemistry.resolved.fluxes import Factors


@dataclass(frozen=True, eq=False)
class Run(CycledRun):
    """What came of a protocol.

    Attributes
    ----------
    states:
        At the times asked for and at the end of each of the protocol's steps.
    steps:
        Every time step, where they were asked for.
    """

    states: tuple[State, ...] = field(repr=False)
    steps: tuple[TimeStep, ...] = field(repr=False)


def run_protocol(
    cell: ResolvedCell,
    *,
    protocol: Sequence[ProtocolStep],
    lithiation: Any,
    times: Iterable[float] = (),
    tolerance: float = 1e-3,
    factors: Factors | None = None,
    keep_steps: bool = False,
) -> Run:
    """Take a cell through a protocol.

    Parameters
    ----------
    lithiation:
        x at the start: a number, or one for every voxel ``(z, y, x)``.
    times:
        At which states are kept [s].
    tolerance:
        Largest error of x in a time step.
    factors:
        Multiples of the materials' values.
    keep_steps:
        Whether to keep every time step, as gradients need them.

    Raises
    ------
    InputError
        If x is not between 0 and 1 in active material, or the protocol is empty.
    """
    x = lithiation_on_voxels(lithiation, active=cell.reached.active)
    require_tolerance(tolerance)
    require_steps(protocol)
    cycler = Cycler(problem_of(cell, factors=factors), times, tolerance, keep_steps)
    cycler.begin(np.where(cell.reached.active, x, 0.5))
    for step in protocol:
        if stops_a_run(cycler.take(step)):
            break
    points = cycler.points
    return Run(
        endings=tuple(cycler.endings),
        complete=len(cycler.endings) == len(protocol) and not stops_a_run(cycler.endings[-1]),
        time=np.array([p.time for p in points]),
        voltage=np.array([p.voltage for p in points]),
        current_density=np.array([p.current_density for p in points]),
        charge=np.array([p.charge for p in points]),
        states=tuple(cycler.states),
        steps=tuple(cycler.steps),
    )
