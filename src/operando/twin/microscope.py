"""A nitrogen-vacancy microscope: what it is set to, what its settings can be, and its lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.magnetism.fit_lines import Shape
from operando.magnetism.lines import lines_from_field
from operando.magnetism.nv import (
    NV,
    Cut,
    Nitrogen,
    NVCentre,
    nv_frames_from_cut,
    splitting_from_temperature,
    stark_shift_from_electric_field,
)

Array = npt.NDArray[Any]

_DIRECTIONS = np.exp(2j * np.pi * np.arange(4) / 4)
"""Directions of random strain across an axis: four average what is linear in it and its square exactly."""


_CHOICES = {"cut": get_args(Cut), "shape": get_args(Shape), "nitrogen": (None, *get_args(Nitrogen))}

_RANGES = {
    "azimuth": (-2 * np.pi, 2 * np.pi, "rad"),
    "width": (1.0, 1e9, "Hz"),
    "photon_rate": (1e-6, 1e18, "1/s"),
    "point_spread": (0.0, 1e-2, "m"),
    "thickness": (0.0, 1e-2, "m"),
    # the law of D(T) is that near room temperature
    "temperature": (100.0, 600.0, "K"),
    "temperature_drift": (-100.0, 100.0, "K"),
    "strain": (0.0, 1e9, "Hz"),
    # light stays above zero ten standard deviations below its mean
    "intensity_drift": (-1.0, 1.0, ""),
    "intensity_noise": (0.0, 0.05, ""),
}
"""What an instrument can be: least and most of each number, and its unit."""


@dataclass(frozen=True)
class NVMicroscope:
    """How spectra are taken.

    Attributes
    ----------
    cut, azimuth:
        The diamond, see `operando.magnetism.nv.nv_frames_from_cut`.
    axes:
        Which of the four centres are seen: all of an ensemble, or the one of a scanning tip.
    bias:
        Uniform field added to the sample's, ``(x, y, z)`` [T].
    width:
        Full width of a dip at half depth [Hz].
    contrast:
        Depth of each line, its hyperfine multiplet together.
    nitrogen:
        Isotope of the hyperfine multiplet; None for none.
    photon_rate:
        Detected from one pixel far from any line [1/s].
    point_spread:
        Full width at half height of the optics' point spread, of the light and not of the field [m].
    thickness:
        Of the layer of centres, above the plane of the field map [m]; every depth adds its own spectrum.
    temperature:
        Of the diamond at mid-measurement [K].
    strain:
        Transverse splitting E of every centre [Hz], of random direction: spectra of all directions are averaged.
    splitting_shifts:
        What stress adds to the zero-field splitting of each of `axes` [Hz]; empty for nothing.
    electric_field:
        Uniform, in the diamond, ``(x, y, z)`` [V/m].
    temperature_drift:
        From first to last frequency, evenly [K].
    intensity_drift:
        Change of the light from first to last frequency, relative.
    intensity_noise:
        Standard deviation of the light from frequency to frequency, relative and common to all pixels.
    """

    cut: Cut = "100"
    azimuth: float = 0.0
    axes: tuple[int, ...] = (0, 1, 2, 3)
    bias: tuple[float, float, float] = (1.1e-3, 2.3e-3, 4.5e-3)
    width: float = 1e6
    contrast: float = 0.01
    shape: Shape = "lorentzian"
    nitrogen: Nitrogen | None = None
    photon_rate: float = 1e7
    point_spread: float = 0.0
    thickness: float = 0.0
    temperature: float = 300.0
    strain: float = 0.0
    splitting_shifts: tuple[float, ...] = ()
    electric_field: tuple[float, float, float] = (0.0, 0.0, 0.0)
    temperature_drift: float = 0.0
    intensity_drift: float = 0.0
    intensity_noise: float = 0.0
    centre: NVCentre = field(default=NV)

    def __post_init__(self) -> None:
        if not self.axes or not set(self.axes) <= {0, 1, 2, 3} or len(set(self.axes)) < len(self.axes):
            raise InputError("axes", must="some of 0, 1, 2, 3, each once", received=self.axes)
        for name, known in _CHOICES.items():
            if getattr(self, name) not in known:
                must = f"one of {', '.join(map(str, known))}"
                raise InputError(name, must=must, received=getattr(self, name))
        # lines of all centres may meet, and light is not negative
        for name, (low, high, unit) in (_RANGES | {"contrast": (0.0, 0.5 / len(self.axes), "")}).items():
            value = getattr(self, name)
            if not low <= value <= high:
                must = f"{low:g} to {high:g} {unit}".rstrip()
                raise InputError(name.replace("_", " "), must=must, received=value)
        shifts = (0, len(self.axes))
        for name, numbers in (("bias", (3,)), ("electric_field", (3,)), ("splitting_shifts", shifts)):
            values = getattr(self, name)
            if len(values) not in numbers or not np.isfinite(values).all():
                must = f"{' or '.join(map(str, numbers))} finite numbers"
                raise InputError(name.replace("_", " "), must=must, received=values)

    @property
    def frames(self) -> Array:
        """Frames of the centres that are seen, ``(centre, 3, 3)``."""
        return nv_frames_from_cut(cut=self.cut, azimuth=self.azimuth)[list(self.axes)]

    @property
    def splittings(self) -> Array:
        """Zero-field splitting of each centre at mid-measurement, ``(centre,)`` [Hz]."""
        common = splitting_from_temperature(temperature=self.temperature, centre=self.centre)
        own = np.array(self.splitting_shifts or [0.0] * len(self.axes))
        return np.asarray(common + own + self._stark[0])

    @property
    def transverse(self) -> Array:
        """Ex + i Ey of strain in each of its directions and of the electric field, ``(direction, centre)`` [Hz]."""
        directions = self.strain * _DIRECTIONS if self.strain else np.zeros(1)
        return np.asarray(directions[:, None] + self._stark[1])

    @property
    def _stark(self) -> tuple[Array, Array]:
        field = np.array(self.electric_field)
        return stark_shift_from_electric_field(electric_field=field, frames=self.frames, centre=self.centre)

    def sweep(self, *, step: float, margin: float = 15e6, largest_field: float = 0.0) -> Array:
        """Frequencies [Hz] that hold all lines of the bias plus fields up to `largest_field` [T]."""
        lines = self.lines(np.array(self.bias))
        reach = margin + self.centre.gyromagnetic_ratio * largest_field
        count = int(np.ceil((np.ptp(lines) + 2 * reach) / step))
        return float(lines.min()) - reach + step * np.arange(count + 1)

    def lines(self, field: Array) -> Array:
        """Lines of fields ``(..., 3)`` [T], for each direction of strain: ``(direction, ..., centre, 2)`` [Hz]."""
        frames, splitting = self.frames, self.splittings
        return np.stack(
            [
                lines_from_field(
                    field=field, frames=frames, splitting=splitting, transverse=transverse, centre=self.centre
                )
                for transverse in self.transverse
            ]
        )
