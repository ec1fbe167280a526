"""Li-6 on its way through a cell: out of the cathode, along the separator, into the anode, and back.

Lithium is the only thing that moves in the electrolyte, so the separator's total is fixed and what enters at one end
leaves at the other; its Li-6 fraction f obeys ``df/dt + u df/dz = D d2f/dz2`` with the drift ``u = i / (F c)``.
The lithium that crosses the plane into the separator carries the cathode's fraction, without diffusion back.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from operando.electrochemistry.recorded import values_at
from operando.errors import InputError

if TYPE_CHECKING:
    from operando.frames import Array

_SLICES = 200
_LONGEST_STEP = 60.0


@dataclass(frozen=True)
class Reservoirs:
    """What lithium the isotopes move through, as assembled [mol], and its Li-6 fractions.

    Attributes
    ----------
    exchange:
        Share of the cathode in which active material and electrolyte have the same isotopes; in the rest they
        keep their own, and only the active material's lithium takes part.
    initial_path:
        Share of the cathode's Li-6 that is in a path along the separator at the start, exchanged for Li-7.
    mixing_rate:
        Tracer diffusivity over the separator's thickness squared [1/s].
    """

    active: float
    cathode_electrolyte: float
    separator: float
    active_fraction: float
    electrolyte_fraction: float
    exchange: float
    initial_path: float
    mixing_rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.exchange <= 1:
            raise InputError("exchange", must="between 0 (none) and 1 (full)", received=self.exchange)
        if not 0 <= self.mixing_rate < np.inf:
            raise InputError("tracer diffusivity", must="zero or more", received=self.mixing_rate)


@dataclass(frozen=True)
class IsotopeHistory:
    """Li-6 in each reservoir over time [mol]; straight between the times, as the totals are.

    Attributes
    ----------
    entered:
        Lithium that has gone from the cathode to the anode.
    kept, mixed:
        In the cathode's active material where isotopes keep apart, and in all of the cathode where they mix.
    separator, path:
        In each slice of the separator ``(time, slice)``, without and of the path that was there at the start.
    anode:
        In the lithium that the anode has gained.
    """

    times: Array
    entered: Array
    kept: Array
    mixed: Array
    separator: Array
    path: Array
    anode: Array

    def at(self, time: float) -> IsotopeHistory:
        """Values at one time [s], held before the first and after the last."""
        return IsotopeHistory(*values_at(time, record=self, times=self.times))


def isotope_history(*, reservoirs: Reservoirs, times: Array, entered: Array) -> IsotopeHistory:
    """Follow Li-6 through a protocol.

    Finite volumes, upwind and implicit; every step hands on exactly what it takes, so that Li-6 is conserved to
    rounding whatever the step.

    Parameters
    ----------
    times, entered:
        Times [s] between which the current is constant, and the lithium that has left the cathode until then [mol].
    """
    steps = np.concatenate(
        [np.linspace(a, b, 1 + int(np.ceil((b - a) / _LONGEST_STEP)))[1:] for a, b in pairwise(times)]
    )
    fine = np.concatenate([times[:1], steps])
    moved = np.interp(fine, times, entered)
    march = _March(reservoirs)
    rows = [march.values()]
    for before, after, start, end in zip(fine[:-1], fine[1:], moved[:-1], moved[1:], strict=True):
        march.step(float(after - before), float(start), float(end))
        rows.append(march.values())
    kept, mixed, separator, path, anode = (np.array(series) for series in zip(*rows, strict=True))
    return IsotopeHistory(fine, moved, kept, mixed, separator, path, anode)


class _March:
    """One step after another."""

    def __init__(self, reservoirs: Reservoirs) -> None:
        r = self._r = reservoirs
        stays = 1 - r.initial_path
        active6 = stays * r.active * r.active_fraction
        electrolyte6 = stays * r.cathode_electrolyte * r.electrolyte_fraction
        moved = r.initial_path * (r.active * r.active_fraction + r.cathode_electrolyte * r.electrolyte_fraction)
        self._kept = (1 - r.exchange) * active6
        self._mixed = r.exchange * (active6 + electrolyte6)
        self._anode = 0.0
        slice_amount = r.separator / _SLICES
        decay = np.linspace(2.0, 0.0, _SLICES + 1)
        path = moved / _SLICES * (decay[1:] + decay[:-1]) / 2
        self._fractions = np.stack([np.full(_SLICES, r.electrolyte_fraction), path / slice_amount], axis=1)
        self._slice = slice_amount

    def values(self) -> tuple[float, float, Array, Array, float]:
        separator, path = (self._fractions * self._slice).T
        return self._kept, self._mixed, separator, path, self._anode

    def step(self, duration: float, start: float, end: float) -> None:
        moved = end - start
        if moved > 0:
            entering = self._from_cathode(start, moved)
        elif moved < 0:
            entering = -moved * self._anode / start
            self._anode -= entering
        else:
            entering = 0.0
        leaving = self._through_separator(duration, moved, entering)
        if moved > 0:
            self._anode += leaving
        elif moved < 0:
            self._kept += (1 - self._r.exchange) * leaving
            self._mixed += self._r.exchange * leaving

    def _from_cathode(self, gone: float, moved: float) -> float:
        """Each share of the cathode gives lithium of its own fraction."""
        r = self._r
        active = r.active - gone
        kept = self._kept * moved / active
        mixed = self._mixed * moved / (active + r.cathode_electrolyte)
        self._kept -= kept
        self._mixed -= mixed
        return kept + mixed

    def _through_separator(self, duration: float, moved: float, entering: float) -> float:
        """Advect and diffuse for one step; returns the Li-6 that left at the other end."""
        from scipy.linalg import solve_banded

        forward, backward = max(moved, 0.0), max(-moved, 0.0)
        spread = self._r.mixing_rate * _SLICES**2 * duration * self._slice
        bands = np.zeros((3, _SLICES))
        bands[0, 1:] = -(spread + backward)
        bands[2, :-1] = -(spread + forward)
        bands[1] = self._slice + forward + backward + 2 * spread
        bands[1, [0, -1]] -= spread
        amounts = self._fractions * self._slice
        amounts[0 if moved >= 0 else -1, 0] += entering
        self._fractions = solve_banded((1, 1), bands, amounts)
        outlet = self._fractions[-1 if moved >= 0 else 0].sum()
        return float((forward + backward) * outlet)
