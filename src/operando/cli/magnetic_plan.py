"""What ``operando plan magnetic`` shows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from operando.cell.builtin import load_scene
from operando.errors import InputError
from operando.magnetism.lines import lines_from_field
from operando.report.numbers import aligned
from operando.twin.current_signals import CurrentSignal, current_signal
from operando.twin.magnetic_options import Limits, Option, Signal
from operando.twin.magnetic_plan import Plan, plan_for
from operando.twin.magnetic_protocols import PROTOCOLS
from operando.twin.magnetic_signals import SignalName, magnetic_signal
from operando.twin.quantity_text import field_text, length_text, time_text
from operando.units import quantity


def plan_text(
    scene: str,
    *,
    signal: SignalName | CurrentSignal,
    significance: float,
    longest: str,
    field: str,
    current: str,
    nearest: str,
    misalignment: str,
    lithium: float,
    change: float,
) -> str:
    """Plan how to see a signal of a scene, and lay the plan out.

    Raises
    ------
    FileError, InputError
        If there is no such scene, or a quantity is not as it must be.
    """
    limits = Limits(
        field=quantity(field, unit="T", name="--field"),
        current=quantity(current, unit="A/m^2", name="--current"),
        misalignment=quantity(misalignment, unit="rad", name="--misalignment"),
        longest=quantity(longest, unit="s", name="--longest"),
        significance=significance,
    )
    seen = _signal(scene, signal, _stand_offs(quantity(nearest, unit="m", name="--nearest")), lithium, change)
    return text_from_plan(plan_for(seen, limits=limits))


def text_from_plan(plan: Plan) -> str:
    """Lay a plan out for a terminal."""
    rows = [("Signal", plan.signal.name), ("Asked", _asked(plan)), ("Answer", _answer(plan)), *_how(plan)]
    said = [f"Note: {note}" for note in plan.signal.notes] + [f"Beware: {warning}" for warning in plan.warnings]
    return "\n".join([*aligned(rows), "", *_alternatives(plan), "", *said])


def _signal(
    scene: str, signal: SignalName | CurrentSignal, stand_offs: tuple[float, ...], lithium: float, change: float
) -> Signal:
    described = load_scene(scene)
    if signal == "current" or signal == "short":
        return current_signal(described, signal=signal, stand_offs=stand_offs, lithium=lithium)
    return magnetic_signal(described, signal=signal, stand_offs=stand_offs, lithium=lithium, change=change)


def _stand_offs(nearest: float) -> tuple[float, ...]:
    """As near as each instrument comes, and farther, as under a cover."""
    if not nearest >= 0:
        raise InputError("--nearest", must="zero or a distance", received=f"{nearest:g} m")
    own = {max(nearest, p.instrument.stand_off) for p in PROTOCOLS}
    return tuple(sorted(own | {round(min(own) * farther, 12) for farther in (2, 5, 10)}))


def _asked(plan: Plan) -> str:
    limits = plan.limits
    longest, detail = time_text(limits.longest), length_text(plan.signal.detail)
    return f"{limits.significance:g} standard errors in at most {longest} a pixel, details of {detail}"


def _answer(plan: Plan) -> str:
    best = plan.best
    if not plan.feasible:
        return f"no: nearest comes {best.protocol.name}, but {', and '.join(best.obstacles)}{_needed(plan)}"
    share = "" if best.seen == 1 else f"; {best.seen:.0%} of the sources in the longest time"
    whole = "all at once" if best.protocol.instrument.parallel else f"{time_text(best.map_time)} for the map"
    return f"yes: {best.protocol.name}, {time_text(best.time)} a pixel, {whole}{share}"


def _needed(plan: Plan) -> str:
    """What the drive would have to be, where time is all that is wanting."""
    best, longest = plan.best, plan.limits.longest
    if len(best.obstacles) > 1 or not longest < best.time < np.inf:
        return ""
    amplitude = best.amplitude_within(longest=longest)
    wanted = f"{amplitude / 10:.3g} mA/cm^2" if plan.signal.drive == "current" else field_text(amplitude)
    return f"; {wanted} would do"


def _how(plan: Plan) -> Iterator[tuple[str, str]]:
    best, driven = plan.best, plan.signal.drive
    along = np.array([0.0, 0.0, best.applied])
    lower, upper = np.sort(lines_from_field(field=along, frames=np.eye(3)[None])[0])
    lines = f"lines at {lower / 1e9:.3f} and {upper / 1e9:.3f} GHz"
    yield (
        "Applied",
        f"{best.applied * 1e3:.3g} mT along the sensor's axis; {lines}, {best.kept:.0%} of their depth left",
    )
    yield "Axis", best.axis
    rate = f"alternating at {best.protocol.frequency / 1e3:.0f} kHz"
    if driven == "current":
        yield (
            "Current",
            f"{best.amplitude / 10:.3g} mA/cm^2, {rate if best.protocol.alternating else 'now and then reversed'}",
        )
    elif best.protocol.alternating:
        yield "Driven by", f"{best.amplitude * 1e3:.3g} mT {rate}"
    resolved = f"resolves {length_text(best.resolution)}, pixels of {length_text(best.pixel)}"
    yield "Stand-off", f"{length_text(best.stand_off)}; {resolved}"
    told = "" if best.confusion < 1.05 else f"; neighbours cost a factor {best.confusion:.2g} of time"
    yield (
        "Contrast",
        f"{field_text(best.contrast)} from the map's mean, noise {field_text(best.sensitivity)}/sqrt(Hz){told}",
    )


def _alternatives(plan: Plan) -> Iterator[str]:
    """Best of each protocol; of each axis and each stand-off with the best protocol."""
    best = plan.best
    same = [option for option in plan.options if option.protocol is best.protocol]
    yield f"  {'':<34}{'a pixel':>14}{'the map':>14}{'contrast':>14}"
    yield "by protocol"
    for protocol in dict.fromkeys(option.protocol for option in plan.options):
        yield _row(next(o for o in plan.options if o.protocol is protocol), protocol.name)
    yield f"by axis, {best.protocol.name}"
    for axis in plan.signal.axes:
        yield _row(next(o for o in same if o.axis == axis), axis)
    yield f"by stand-off, {best.axis}"
    for option in sorted((o for o in same if o.axis == best.axis), key=lambda o: o.stand_off):
        yield _row(option, length_text(option.stand_off))


def _row(option: Option, name: str) -> str:
    times = f"{time_text(option.time):>14}{time_text(option.map_time):>14}"
    return f"  {name:<34}{times}{field_text(option.contrast):>14}{'  no' if option.obstacles else ''}"
