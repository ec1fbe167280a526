"""A nitrogen-vacancy microscope above a magnetic field, simulated: spectra in photons, and the truth apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.ndimage import gaussian_filter

from operando.errors import InputError
from operando.io.field_map import write_map
from operando.magnetism.continuation import upward_continued
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
from operando.magnetism.odmr import fluorescence_from_lines
from operando.units import in_units

Array = npt.NDArray[Any]

_FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
_DEPTHS = 4
"""Depths at which a layer is sampled, by Gauss and Legendre."""

_DIRECTIONS = np.exp(2j * np.pi * np.arange(4) / 4)
"""Directions of random strain across an axis: four average what is linear in it and its square exactly."""


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
    shape: Literal["lorentzian", "gaussian"] = "lorentzian"
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
        if not self.axes or not set(self.axes) <= {0, 1, 2, 3}:
            raise InputError("axes", must="some of 0, 1, 2, 3", received=self.axes)
        if not self.photon_rate > 0:
            raise InputError("photon rate", must="positive", received=self.photon_rate)
        if len(self.splitting_shifts) not in (0, len(self.axes)):
            must = f"one for each of the {len(self.axes)} axes, or none"
            raise InputError("splitting shifts", must=must, received=self.splitting_shifts)
        if not 0 <= self.strain < np.inf:
            raise InputError("strain", must="a magnitude, not negative", received=self.strain)

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


def simulate_odmr(
    field_map: xr.DataArray,
    *,
    microscope: NVMicroscope,
    frequency: Sequence[float] | Array,
    dwell: float,
    seed: int | None,
) -> tuple[xr.DataArray, xr.Dataset]:
    """Count the photons that a microscope detects above a field.

    Frequencies are taken one after the other over the whole image. The microscope blurs light: a pixel's spectrum is
    the mean of the spectra within the point spread, not the spectrum of the mean field.

    Parameters
    ----------
    field_map:
        Of the sample at the sensor, or at the face of its layer that is near the sample, dims component, y, x [T].
    frequency:
        Ascending [Hz].
    dwell:
        Time at each frequency [s].
    seed:
        Of the noise; None for expected counts without noise.

    Returns
    -------
    Photons, dims frequency, y, x, units count; and the truth: ``field`` of sample and bias [T], and ``splitting`` at
    mid-measurement, the mean over the centres [Hz].

    Raises
    ------
    InputError
        If the map has no three components, or the dwell time is not positive.
    """
    if not dwell > 0:
        raise InputError("dwell time", must="positive", received=dwell)
    if set(field_map.dims) != {"component", "y", "x"} or field_map.sizes["component"] != 3:
        must = "labelled with dims component (x, y, z), y, x"
        raise InputError("field map", must=must, received=f"dims {tuple(field_map.dims)}")
    ordered = in_units(field_map, unit="T", name="field map").transpose("component", "y", "x")
    total = ordered + xr.DataArray(list(microscope.bias), dims="component")
    total = total.rename("field").assign_attrs(units="T")
    swept = np.asarray(frequency, dtype=float)
    light = _light(total, microscope, swept)
    drawn = np.random.default_rng(seed)
    progress = np.linspace(-0.5, 0.5, swept.size)
    lamp = 1 + microscope.intensity_drift * progress
    if seed is not None:
        lamp = lamp + microscope.intensity_noise * drawn.standard_normal(swept.size)
    expected = light * (lamp * microscope.photon_rate * dwell)[:, None, None]
    counts = expected if seed is None else drawn.poisson(expected).astype(np.uint32)
    coords = {"frequency": xr.Variable("frequency", swept, {"units": "Hz"})}
    coords |= {str(k): v for k, v in ordered.coords.items() if "component" not in v.dims}
    photons = xr.DataArray(
        counts, dims=("frequency", "y", "x"), coords=coords, name="fluorescence", attrs={"units": "count"}
    )
    splitting = float(microscope.splittings.mean())
    truth = xr.Dataset({"field": total, "splitting": ((), splitting, {"units": "Hz"})})
    return photons, truth


def record_odmr(
    path: Path,
    field_map: xr.DataArray,
    *,
    microscope: NVMicroscope,
    frequency: Sequence[float] | Array,
    dwell: float,
    seed: int,
) -> Path:
    """Write the photons of `simulate_odmr` to `path` and the truth to a file beside it; return the latter's path."""
    photons, truth = simulate_odmr(field_map, microscope=microscope, frequency=frequency, dwell=dwell, seed=seed)
    beside = path.with_name(f"{path.stem}-truth{path.suffix}")
    write_map(beside, truth, kind="odmr truth")
    write_map(path, photons, kind="odmr")
    return beside


def _light(total: xr.DataArray, microscope: NVMicroscope, swept: Array) -> Array:
    """Relative fluorescence ``(frequency, y, x)``, averaged over the layer and blurred by the optics."""
    if microscope.thickness > 0:
        depths, weights = np.polynomial.legendre.leggauss(_DEPTHS)
        planes = [upward_continued(total, distance=microscope.thickness * (1 + d) / 2) for d in depths]
        spectra = sum(w / 2 * _spectra(p, microscope, swept) for w, p in zip(weights, planes, strict=True))
    else:
        spectra = _spectra(total, microscope, swept)
    light = np.moveaxis(np.asarray(spectra), -1, 0)
    if microscope.point_spread > 0:
        sigma = microscope.point_spread / _FWHM_PER_SIGMA
        pixels = [sigma / float(np.diff(total[axis].values).mean()) for axis in ("y", "x")]
        light = gaussian_filter(light, sigma=(0.0, *pixels), mode="nearest")
    return np.ascontiguousarray(light)


def _spectra(total: xr.DataArray, microscope: NVMicroscope, swept: Array) -> Array:
    """Relative fluorescence ``(y, x, frequency)`` of centres in one plane, averaged over the directions of strain."""
    lines = microscope.lines(np.moveaxis(total.values, 0, -1))
    centre = microscope.centre
    # lines move with D, all alike: a line later by d is the same as a microwave earlier by d
    drift = centre.splitting_slope * microscope.temperature_drift * np.linspace(-0.5, 0.5, swept.size)
    spectra = [
        fluorescence_from_lines(
            frequency=swept - drift,
            lines=each.reshape(*each.shape[:-2], -1),
            width=microscope.width,
            contrast=microscope.contrast,
            shape=microscope.shape,
            nitrogen=microscope.nitrogen,
        )
        for each in lines
    ]
    return np.asarray(sum(spectra) / len(spectra))
