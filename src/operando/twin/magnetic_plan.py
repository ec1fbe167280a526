"""The best way to see a signal with nitrogen-vacancy centres, and what to beware of; or a no."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from operando.magnetism.nv import NV
from operando.magnetism.photodynamics import EXCITED_CROSSING, GROUND_CROSSING, relative_contrast_from_field
from operando.twin.magnetic_options import Limits, Option, Signal, options_for
from operando.twin.magnetic_protocols import PROTOCOLS, Protocol
from operando.twin.quantity_text import field_text, time_text

BLIND = 0.05
"""Share of the best axis' contrast below which a source counts as invisible to an axis."""

CLEAR = 3e-3
"""Distance from a field where levels cross, within which not even an aligned field is safe [T]."""

STILL = 0.01
"""Change of x that a measurement of the current may make."""

SINGULAR = 0.5e-3
"""Field along the axis below which lines of the same centre overlap [T]: their sign, and soon their shift, is lost."""


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes
    ----------
    options:
        Every combination, the quickest that will do first.
    warnings:
        What to beware of in the best.
    """

    signal: Signal
    limits: Limits
    options: tuple[Option, ...]
    warnings: tuple[str, ...]

    @property
    def best(self) -> Option:
        """What will do soonest; where nothing will, what comes nearest."""
        return self.options[0]

    @property
    def feasible(self) -> bool:
        """Whether anything will do."""
        return not self.best.obstacles


def plan_for(signal: Signal, *, limits: Limits, protocols: tuple[Protocol, ...] = PROTOCOLS) -> Plan:
    """Weigh every way to see a signal within limits.

    Raises
    ------
    InputError
        If no stand-off is one that an instrument reaches.
    """
    options = tuple(options_for(signal, protocols=protocols, limits=limits))
    return Plan(signal, limits, options, tuple(_warnings(signal, limits, options)))


def _warnings(signal: Signal, limits: Limits, options: tuple[Option, ...]) -> Iterator[str]:
    best = options[0]
    yield from _of_axes(signal, options)
    yield from _of_field(signal, limits, best)
    if best.contrast > best.protocol.span:
        yield (
            f"{best.protocol.name} is ambiguous beyond {field_text(best.protocol.span)}: know the field to that "
            "beforehand, by continuous waves or shorter precession"
        )
    if signal.drive == "current":
        yield from _of_current(signal, best)
    elif best.protocol.alternating:
        yield (
            f"the sensor feels the drive itself, {best.amplitude / best.contrast:.1g} times the signal; cancel it "
            "or know it to better than that"
        )
    if best.protocol.instrument.parallel:
        yield "along one axis the lines of the three others coincide: one map gives this component alone"
    if best.protocol.inferred:
        yield f"inferred of {best.protocol.name}: {best.protocol.inferred}"


def _of_axes(signal: Signal, options: tuple[Option, ...]) -> Iterator[str]:
    same = [o for o in options if o.protocol is options[0].protocol and o.stand_off == options[0].stand_off]
    strongest = max(o.contrast for o in same)
    blind = [o.axis for o in same if o.contrast < BLIND * strongest]
    if blind and strongest > 0:
        yield f"this source is all but invisible to a sensor {' or '.join(blind)}"


def _of_field(signal: Signal, limits: Limits, best: Option) -> Iterator[str]:
    if best.applied < SINGULAR:
        yield (
            f"at {1e3 * best.applied:.2g} mT the lines of a centre overlap: the sign of the field is lost, and near "
            "zero its effect; allow 1 mT or more"
        )
    if best.kept < 0.98:
        yield (
            f"{np.degrees(limits.misalignment):.2g} deg off the axis, levels that cross at 50.7 and 102.4 mT take "
            f"{1 - best.kept:.0%} of the lines' depth"
        )
    near = [each for each in (EXCITED_CROSSING, GROUND_CROSSING) if abs(best.applied - each) < CLEAR]
    if near:
        yield (
            f"levels cross at {1e3 * near[0]:.1f} mT, where the slightest tilt or strain mixes them; stay "
            f"{1e3 * CLEAR:g} mT clear, or follow the upper line alone"
        )
    if signal.drive == "applied field" and not best.protocol.alternating and best.contrast > 0:
        yield from _of_magnet(signal, limits, best)


def _of_magnet(signal: Signal, limits: Limits, best: Option) -> Iterator[str]:
    across = float(np.hypot(*signal.axes[best.axis][:2]))
    if across > 0.02:
        normal = best.applied * np.array([across, 0.0, signal.axes[best.axis][2]])
        left = float(relative_contrast_from_field(field=normal))
        yield f"turn the field with the axis: along the normal it would leave {left:.1%} of the lines' depth"
    told = best.contrast / limits.significance
    warm = told * NV.gyromagnetic_ratio / abs(NV.splitting_slope)
    yield (
        f"the applied field must be even over the map, and steady, to {1e6 * told / best.applied:.2g} parts in a "
        f"million, and the diamond's temperature to {warm:.2g} K unless both lines are followed"
    )


def _of_current(signal: Signal, best: Option) -> Iterator[str]:
    stray = signal.background * best.applied
    if stray > 0 and best.contrast > 0 and not best.protocol.alternating:
        yield (
            f"in the bias of {1e3 * best.applied:.3g} mT what is magnetised makes {field_text(stray)}, "
            f"{stray / best.contrast:.2g} times the signal: take half the difference of opposite currents, at no cost"
        )
    if signal.charge > 0 and not best.protocol.alternating:
        moved = time_text(STILL * signal.charge / best.amplitude)
        yield f"the current changes x by {STILL:g} in {moved}: reverse it sooner, or what is magnetised changes too"
    if best.protocol.alternating:
        yield (
            f"at {best.protocol.frequency / 1e3:.0f} kHz part of the current crosses interfaces as displacement, and "
            "the map is that of an impedance"
        )
