"""What all blocks of a scan share: noise of the camera, dose of each projection, scattered background."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.tomography.correction_settings import CorrectionSettings
from operando.tomography.dose import air_columns_from_frames, air_columns_from_ranges, dose_from_air
from operando.tomography.noise import dark_variance_from_frames, gain_from_frames
from operando.tomography.scan import Scan
from operando.tomography.scatter import ScatterLevel, scatter_levels_from_frames
from operando.tomography.spots import without_spots

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Conditions:
    """Conditions of one scan.

    Attributes
    ----------
    gain, dark_variance:
        Counts per detected quantum [count] and variance of a dark frame [count^2].
    dose:
        Brightness of the direct beam in each projection, relative to the open beam, ``(projection,)``.
    open_scatter, sample_scatter:
        Scattered background without and with the sample at dose 1, or None where it is not corrected.
    """

    gain: float
    dark_variance: float
    dose: Array
    open_scatter: ScatterLevel | None = None
    sample_scatter: ScatterLevel | None = None


@dataclass(frozen=True)
class References:
    """Mean dark and open-beam frames of some rows, ``(row, column)`` [count], the open beam above dark."""

    dark: Array
    open_beam: Array


def conditions_from_scan(scan: Scan, settings: CorrectionSettings) -> Conditions:
    """Read the conditions from a scan.

    A large scan is read once with the reference frames whole and only some rows of the projections: enough for the
    dose. Its blocks are then corrected with the same conditions.

    Parameters
    ----------
    scan:
        Raw frames; the projections may hold fewer rows than the reference frames.
    settings:
        Which steps are taken.

    Raises
    ------
    InputError
        If no gain can be read, no air is found beside the sample, or the black-body frames show no dots.
    """
    gain, dark_variance = _noise(scan, settings)
    whole = references_from_scan(scan, settings, gain=gain, dark_variance=dark_variance)
    thin = references_from_scan(scan, settings, gain=gain, dark_variance=dark_variance, row=scan.projections.row)
    projections = counts_above_dark(scan.projections, thin.dark, settings, gain, dark_variance)[0]
    air = _air(projections, thin.open_beam, scan.projections.column.values, settings) if settings.dose else None
    open_level = sample_level = None
    if settings.scatter and scan.black_body_open is not None and scan.black_body_sample is not None:
        empty, filled = (
            counts_above_dark(on_rows(frames, scan.open_beam.row), whole.dark, settings, gain, dark_variance)[0]
            for frames in (scan.black_body_open, scan.black_body_sample)
        )
        row, column = scan.open_beam.row.values, scan.open_beam.column.values
        open_level, sample_level = scatter_levels_from_frames(
            empty=empty.mean(axis=0),
            filled=filled.mean(axis=0),
            open_beam=whole.open_beam,
            air=air,
            row=row,
            column=column,
        )
    dose = np.ones(projections.shape[0])
    if air is not None:
        row, column = scan.projections.row.values, scan.projections.column.values
        beam = thin.open_beam
        if open_level is not None and sample_level is not None:
            beam = beam - open_level.at(row=row, column=column) + sample_level.at(row=row, column=column)
        dose = dose_from_air(frames=projections, reference=beam, air=np.broadcast_to(air, beam.shape))
    return Conditions(gain, dark_variance, dose, open_level, sample_level)


def references_from_scan(
    scan: Scan, settings: CorrectionSettings, *, gain: float, dark_variance: float, row: xr.DataArray | None = None
) -> References:
    """Average the dark frames (median, where there are three or more) and the open beam (mean, without spots)."""
    dark_frames, open_frames = on_rows(scan.dark, row), on_rows(scan.open_beam, row)
    average = np.median if dark_frames.shape[0] > 2 else np.mean
    dark = np.asarray(average(dark_frames.values, axis=0), dtype=np.float32)
    beam = counts_above_dark(open_frames, dark, settings, gain, dark_variance)[0].mean(axis=0)
    if not np.median(beam) > 0:
        raise InputError("open-beam frames", must="brighter than the dark frames", received=float(np.median(beam)))
    return References(dark, beam)


def counts_above_dark(
    frames: xr.DataArray, dark: Array, settings: CorrectionSettings, gain: float, dark_variance: float
) -> tuple[Array, float]:
    """Subtract the dark frame and remove gamma spots; return the frames and the share of pixels replaced.

    Raises
    ------
    InputError
        If the frames differ in shape from the dark frame or hold a value that is not finite.
    """
    if frames.ndim != 3 or frames.shape[1:] != dark.shape:
        raise InputError("frames", must=f"(frame, row, column), {dark.shape} pixels", received=frames.shape)
    counts = np.asarray(frames.values, dtype=np.float32) - dark
    if not np.isfinite(counts.sum()):
        raise InputError("frames", must="finite counts", received=f"{int((~np.isfinite(counts)).sum())} that are not")
    if not settings.spots:
        return counts, 0.0
    return without_spots(
        frames=counts,
        threshold=settings.spot_threshold,
        sigmas=settings.spot_sigmas,
        gain=gain,
        dark_variance=dark_variance,
    )


def on_rows(frames: xr.DataArray, row: xr.DataArray | None) -> xr.DataArray:
    """Select the rows of `frames` that lie at the coordinates `row`."""
    if row is None or frames.row.equals(row):
        return frames
    places = np.searchsorted(frames.row.values, row.values - 1e-9)
    if places.max(initial=0) >= frames.sizes["row"] or not np.allclose(frames.row.values[places], row.values):
        raise InputError("reference frames", must="recorded on every row of the projections", received=frames.sizes)
    return frames.isel(row=places)


def _noise(scan: Scan, settings: CorrectionSettings) -> tuple[float, float]:
    gain = settings.gain
    if gain is None:
        gain = gain_from_frames(open_beam=scan.open_beam, dark=scan.dark)
    variance = settings.dark_variance
    if variance is None:
        variance = dark_variance_from_frames(scan.dark) if scan.dark.shape[0] > 1 else 0.0
    if not (np.isfinite(gain) and gain > 0 and np.isfinite(variance) and variance >= 0):
        raise InputError("gain and dark_variance", must="positive and not negative", received=(gain, variance))
    return float(gain), float(variance)


def _air(projections: Array, beam: Array, column: Array, settings: CorrectionSettings) -> Array:
    if settings.air_columns is None:
        return air_columns_from_frames(projections=projections, open_beam=beam)
    pixel = (column[-1] - column[0]) / (column.size - 1)
    return air_columns_from_ranges(ranges=settings.air_columns, index=np.rint(column / pixel).astype(int))
