"""How long each way to look at a signal takes: protocol, direction, distance and strength of what drives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.magnetism.detection import (
    blurred_map,
    confusion_with_prior,
    contrast_from_map,
    resolution_from_distance,
    time_from_contrast,
)
from operando.magnetism.photodynamics import relative_contrast_from_field
from operando.twin.magnetic_protocols import Protocol
from operando.twin.quantity_text import length_text, time_text

Array = npt.NDArray[Any]

WORKING_BIAS = 5e-3
"""Field along the axis that parts the lines when nothing has to be magnetised [T]."""

LARGEST_ALTERNATING = 1e-3
"""Alternating field that a wire beside the tip can apply [T]; an estimate."""


@dataclass(frozen=True)
class Signal:
    """What is to be seen, as maps per unit of what drives it.

    Attributes
    ----------
    drive:
        An applied field [T] along the sensor's axis, which magnetises, or a current density [A/m^2].
    maps:
        Field along each named axis, per tesla or A/m^2, on planes at the stand-offs ``(stand_off, source, y, x)``. Of
        several sources each is to be told from the others.
    axes:
        Unit vectors ``(x, y, z)`` of the same names; z is the normal of the surface.
    stand_offs:
        From the surface, ascending [m].
    asked:
        How many of the sources, from the first, are asked for; the others only confuse. 0 for all.
    spread:
        Standard deviation of the other sources' strengths as known beforehand, over the strength that is asked for.
    pixel:
        Of the maps along ``(y, x)`` [m].
    detail:
        What has to be resolved [m].
    depth:
        Of the source's top below the surface [m].
    background:
        Contrast of what the applied field magnetises besides, per tesla, where a current drives the signal.
    charge:
        That changes lithium by one per formula unit of the positive electrode, over the area [C/m^2]; 0 if unknown.
    notes:
        What the reader should know of it.
    """

    name: str
    drive: Literal["applied field", "current"]
    maps: Mapping[str, Array]
    axes: Mapping[str, tuple[float, float, float]]
    stand_offs: tuple[float, ...]
    pixel: tuple[float, float]
    detail: float
    depth: float = 0.0
    background: float = 0.0
    charge: float = 0.0
    asked: int = 0
    spread: float = np.inf
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """What the experimenter can do, and asks for.

    Attributes
    ----------
    field:
        Largest that can be applied [T].
    current:
        Largest density that the cell bears [A/m^2].
    misalignment:
        Of the applied field from the axis [rad].
    longest:
        Time that may be spent on a pixel [s].
    significance:
        Standard errors by which a feature is to stand out.
    """

    field: float = 0.1
    current: float = 235.0
    misalignment: float = np.radians(1.0)
    longest: float = 1800.0
    significance: float = 5.0

    def __post_init__(self) -> None:
        for name in ("field", "current", "longest", "significance"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise InputError(
                    f"largest {name}" if name in ("field", "current") else name, must="positive", received=value
                )
        if not 0 <= self.misalignment <= np.pi / 2:
            received = f"{np.degrees(self.misalignment):.4g} deg"
            raise InputError("misalignment", must="between 0 and 90 deg", received=received)


@dataclass(frozen=True)
class Option:
    """One way to look, and how long it takes.

    Attributes
    ----------
    applied:
        Field along the axis [T].
    amplitude:
        Of what drives the signal: the applied field, its alternating part [T], or the current density [A/m^2].
    contrast:
        Departure of the feature from the map's mean, as a mean over a pixel [T]; of several sources the middle one's.
    pixel:
        Half of the detail [m].
    kept:
        Share of the lines' depth that the field leaves.
    sensitivity:
        With that depth [T/sqrt(Hz)].
    confusion:
        Factor of time for telling a source from its neighbours.
    time:
        Of one pixel [s].
    map_time:
        Of all pixels of the map [s].
    seen:
        Share of the sources that the longest time suffices for.
    obstacles:
        Why it will not do; empty where it will.
    """

    protocol: Protocol
    axis: str
    stand_off: float
    applied: float
    amplitude: float
    contrast: float
    pixel: float
    kept: float
    sensitivity: float
    resolution: float
    confusion: float
    time: float
    map_time: float
    seen: float
    obstacles: tuple[str, ...] = ()

    def amplitude_within(self, *, longest: float) -> float:
        """What would have to drive the signal for a pixel to take no longer than `longest`, ``A sqrt(t / t_max)``."""
        return float(self.amplitude * np.sqrt(self.time / longest))


def options_for(signal: Signal, *, protocols: tuple[Protocol, ...], limits: Limits) -> list[Option]:
    """Every combination of protocol, axis and stand-off that its instrument allows, the quickest feasible map first."""
    found = list(_options(signal, protocols, limits))
    if not found:
        least = min(p.instrument.stand_off for p in protocols)
        raise InputError("stand-offs", must=f"one of at least {least:g} m", received=signal.stand_offs)
    return sorted(found, key=lambda option: (bool(option.obstacles), option.map_time, option.time))


def best_applied_field(*, largest: float, misalignment: float, step: float = 0.5e-3) -> tuple[float, float]:
    """Field up to `largest` whose signal, in proportion to it, loses least to mixed spins, and the depth it leaves.

    Largest of ``B C(B)`` [T], with C of `relative_contrast_from_field` at an angle to the axis [rad].
    """
    fields = np.unique(np.append(np.arange(step, largest, step), largest))
    kept = relative_contrast_from_field(field=np.outer(fields, [np.sin(misalignment), 0.0, np.cos(misalignment)]))
    best = int((fields * kept).argmax())
    return float(fields[best]), float(kept[best])


def _options(signal: Signal, protocols: tuple[Protocol, ...], limits: Limits) -> Iterator[Option]:
    magnetising = best_applied_field(largest=limits.field, misalignment=limits.misalignment)
    idle = best_applied_field(largest=min(WORKING_BIAS, limits.field), misalignment=limits.misalignment)
    looked: dict[tuple[str, int, float], tuple[Array, Array]] = {}
    for protocol in protocols:
        static = signal.drive == "applied field" and not protocol.alternating
        applied, kept = magnetising if static else idle
        amplitude = applied if static else LARGEST_ALTERNATING if signal.drive == "applied field" else limits.current
        pixel = max(signal.detail, protocol.instrument.resolution) / 2
        width = max(protocol.instrument.resolution, pixel)
        for axis in signal.maps:
            for i, stand_off in enumerate(signal.stand_offs):
                if stand_off < protocol.instrument.stand_off * (1 - 1e-9):
                    continue
                if (axis, i, width) not in looked:
                    looked[axis, i, width] = _sources(signal, signal.maps[axis][i], width, limits.significance)
                contrasts, confusions = looked[axis, i, width]
                seen = _seen(signal, amplitude * contrasts, confusions, protocol, limits, stand_off, pixel, kept)
                yield Option(protocol, axis, applied=applied, amplitude=amplitude, kept=kept, **seen)


def _sources(signal: Signal, maps: Array, width: float, significance: float) -> tuple[Array, Array]:
    """Contrast of each source that is asked for, per unit of what drives it, and what its neighbours cost."""
    blurred = blurred_map(field=maps, width=width, pixel=signal.pixel)
    contrasts, confusions = contrast_from_map(field=blurred), np.ones(len(maps))
    if len(maps) > 1 and (contrasts > 0).all():
        confusions = confusion_with_prior(responses=blurred, spread=signal.spread, significance=significance)
    asked = signal.asked or len(maps)
    return contrasts[:asked], confusions[:asked]


def _seen(
    signal: Signal,
    contrasts: Array,
    confusions: Array,
    protocol: Protocol,
    limits: Limits,
    stand_off: float,
    pixel: float,
    kept: float,
) -> dict[str, Any]:
    instrument = protocol.instrument
    eta = instrument.sensitivity_of(pixel=pixel) / kept
    times = np.asarray(
        time_from_contrast(contrast=contrasts, sensitivity=eta, significance=limits.significance, confusion=confusions)
    )
    middle = int(np.argsort(times)[(len(times) - 1) // 2])
    time = max(float(times[middle]), protocol.least_time)
    area = float(np.prod(next(iter(signal.maps.values())).shape[-2:]) * np.prod(signal.pixel))
    resolution = float(resolution_from_distance(sensor=instrument.resolution, distance=stand_off + signal.depth))
    return {
        "stand_off": stand_off,
        "contrast": float(contrasts[middle]),
        "pixel": pixel,
        "sensitivity": eta,
        "resolution": resolution,
        "confusion": float(confusions[middle]),
        "time": time,
        "map_time": time if instrument.parallel else time * max(area / pixel**2, 1.0),
        "seen": float((times <= limits.longest).mean()),
        "obstacles": tuple(_obstacles(signal, limits, resolution, float(contrasts[middle]), time)),
    }


def _obstacles(signal: Signal, limits: Limits, resolution: float, contrast: float, time: float) -> Iterator[str]:
    if not contrast > 0:
        yield "there is no contrast"
    elif not np.isfinite(time):
        yield "neighbours look alike at this distance"
    elif time > limits.longest:
        yield f"a pixel takes {time_text(time)}, and {time_text(limits.longest)} are allowed"
    if resolution > signal.detail * (1 + 1e-9):
        yield f"it resolves {length_text(resolution)}, and the feature has {length_text(signal.detail)}"
