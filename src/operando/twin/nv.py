"""A nitrogen-vacancy microscope above a magnetic field, simulated: spectra in photons, and the truth apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.ndimage import gaussian_filter

from operando.errors import InputError
from operando.io.field_map import write_map
from operando.magnetism.continuation import upward_continued
from operando.magnetism.odmr import fluorescence_from_lines
from operando.twin.microscope import NVMicroscope
from operando.units import in_units

Array = npt.NDArray[Any]

_FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
_DEPTHS = 4
"""Depths at which a layer is sampled, by Gauss and Legendre."""

_MOST_PHOTONS = float(np.iinfo(np.uint32).max) / 2
"""Expected in one pixel at one frequency; their counts are stored in 32 bits."""


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
        If the map has no three components or holds NaN, the dwell time is not positive, or there are too many photons
        to count.
    """
    if not dwell > 0:
        raise InputError("dwell time", must="positive", received=dwell)
    if set(field_map.dims) != {"component", "y", "x"} or field_map.sizes["component"] != 3:
        must = "labelled with dims component (x, y, z), y, x"
        raise InputError("field map", must=must, received=f"dims {tuple(field_map.dims)}")
    ordered = in_units(field_map, unit="T", name="field map").transpose("component", "y", "x")
    total = ordered + xr.DataArray(list(microscope.bias), dims="component")
    total = total.rename("field").assign_attrs(units="T")
    if not np.isfinite(total.values).all():
        raise InputError("field map", must="finite everywhere", received="NaN or infinity")
    swept = np.asarray(frequency, dtype=float)
    light = _light(total, microscope, swept)
    drawn = np.random.default_rng(seed)
    progress = np.linspace(-0.5, 0.5, swept.size)
    lamp = 1 + microscope.intensity_drift * progress
    if seed is not None:
        lamp = lamp + microscope.intensity_noise * drawn.standard_normal(swept.size)
    brightest = float(lamp.max()) * microscope.photon_rate * dwell
    if brightest > _MOST_PHOTONS:
        must = f"at most {_MOST_PHOTONS:.2g} at one frequency"
        raise InputError("photons of a pixel", must=must, received=brightest, remedy="Split the dwell time.")
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
    # rounding may leave lines that meet a hair below zero
    light = np.maximum(np.moveaxis(np.asarray(spectra), -1, 0), 0.0)
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
