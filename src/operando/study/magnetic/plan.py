"""What the magnetic road of a study would run, said before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.report.numbers import aligned
from operando.study.magnetic.figures import check_places
from operando.study.magnetic.measured import measurement_of
from operando.study.magnetic.sheet import DRAWS, systematic_terms
from operando.study.plan import PROGRAM

if TYPE_CHECKING:
    from operando.study.magnetic.settings import Magnetic

PER_LINE_SAMPLE = 1.5e-7
"""CPU seconds to fit one line of one pixel, per frequency."""

PER_SOLVE_PIXEL = 1.5e-4
"""CPU seconds of one inversion, or one draw of its error, per pixel of the map and axis."""

FIXED = 12.0
"""CPU seconds for figures and start."""


@dataclass(frozen=True)
class MagneticPlan:
    """What would be done with a magnetic measurement.

    Attributes
    ----------
    path:
        Of the file that is read.
    shape:
        Pixels ``(y, x)``.
    pixel:
        Side of a pixel along ``(y, x)`` [m].
    frequencies, lines:
        Of a spectrum; 0 for a map of the field.
    maps:
        Of the field along different axes.
    source:
        What is inverted for, in words.
    terms:
        Systematic terms that are worked out.
    memory, seconds:
        Peak [byte] and time on one core [s].
    notes:
        What was resolved in reading.
    """

    path: Path
    shape: tuple[int, int]
    pixel: tuple[float, float]
    frequencies: int
    lines: int
    maps: int
    source: str
    background: str
    terms: tuple[str, ...]
    memory: float
    seconds: float
    notes: tuple[str, ...]

    def text(self) -> str:
        """Lay the plan out for a terminal."""
        size = f"{self.shape[0]} x {self.shape[1]} pixels of {1e6 * self.pixel[0]:.4g} x {1e6 * self.pixel[1]:.4g} um"
        fitted = (
            f"{self.lines} lines a pixel on {self.frequencies} frequencies" if self.lines else "none: a map is read"
        )
        terms = ", ".join(term.replace("_", " ") for term in self.terms) or "none is stated"
        time = f"{self.seconds:.0f} s" if self.seconds < 90 else f"{self.seconds / 60:.0f} min"
        lines = [
            ("Magnetic measurement", f"{self.path.name}, {size}"),
            ("Line fits", fitted),
            ("Field", f"{self.maps} {'map' if self.maps == 1 else 'maps'}, background: {self.background}"),
            ("Inversion", self.source),
            ("Systematic terms", terms),
            ("Memory", f"about {self.memory / 1e9:.2g} GB"),
            ("Time", f"about {time} on one core"),
        ]
        return "\n".join([*aligned(lines), *(f"Note: {note}" for note in self.notes)])


def magnetic_plan_of(magnetic: Magnetic) -> MagneticPlan:
    """Open and check everything that a magnetic study names, and count what running it takes; writes nothing.

    Raises
    ------
    FileError, InputError
        If an input is not as it must be.
    """
    measurement = measurement_of(magnetic)
    check_places(magnetic, measurement.y, measurement.x)
    content = measurement.content
    spectra = isinstance(content, xr.DataArray)
    pixels = measurement.y.size * measurement.x.size
    centres = len(magnetic.lines.centres) if magnetic.lines else 0
    maps = (3 if centres > 1 else 1) if spectra else content.sizes["axis"]
    frequencies = content.sizes["frequency"] if spectra else 0
    terms = systematic_terms(magnetic)
    solves = 1 + DRAWS + 2 * len(terms)
    rounds = 10 if magnetic.source.edges == "sharp" else 1
    fit = PER_LINE_SAMPLE * pixels * frequencies * 2 * centres
    held = 3 * pixels * frequencies * 8 + pixels * 8 * (4 * maps + 3 * 3 * (DRAWS + 3) + (2 * centres) ** 2)
    return MagneticPlan(
        path=magnetic.data.path,
        shape=(measurement.y.size, measurement.x.size),
        pixel=(float(np.diff(measurement.y).mean()), float(np.diff(measurement.x).mean())),
        frequencies=frequencies,
        lines=2 * centres,
        maps=maps,
        source=_source(magnetic),
        background=magnetic.background.kind,
        terms=terms,
        memory=PROGRAM + held,
        seconds=FIXED + fit + PER_SOLVE_PIXEL * pixels * maps * solves * rounds,
        notes=measurement.notes,
    )


def _source(magnetic: Magnetic) -> str:
    source, sensor = magnetic.source, magnetic.sensor
    thick = f", {1e6 * source.thickness.value:.3g} um thick" if source.thickness.value else ""
    what = "current in a sheet"
    if source.invert == "magnetisation":
        along = ", ".join(f"{part:.2f}" for part in source.magnetised_along)
        what = f"magnetisation along ({along})"
    stand_off = f"{1e6 * sensor.stand_off.value:.4g} +- {1e6 * sensor.stand_off.sigma:.2g} um"
    return f"{what}{thick}, {source.edges} edges, {stand_off} below the sensor"
