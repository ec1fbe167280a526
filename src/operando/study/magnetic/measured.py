"""From the file that a study names to a map of the field: spectra fitted where the file holds spectra.

A field is stored as ``field`` ``(axis, y, x)`` [T] beside ``direction`` ``(axis, xyz)``, the unit vectors that its maps
are projections on, and ``field_var`` where it is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.errors import InputError, RunError
from operando.frames import Array
from operando.io.magnetic import read_field_map, read_odmr_cube
from operando.magnetism.fit_lines import fit_lines
from operando.magnetism.fit_verdict import Verdict, verdict_counts
from operando.magnetism.map_drift import MapDrift
from operando.magnetism.nv import nv_frames_from_cut
from operando.magnetism.vector_fit import fit_vector
from operando.study.magnetic.drift import drift_since

if TYPE_CHECKING:
    from operando.study.magnetic.settings import Lines, Magnetic

LEAST_SIDE = 8
"""Pixels along an axis of the map, from which an inversion learns anything."""

GAP = 5.0
"""A step of the frequency longer than this many median steps parts two sweeps."""

LEAST_GOOD = 0.5
"""Share of good pixels below which a map is too full of holes to be inverted."""

PARAMETERS = 3
"""Of one line: centre, width, depth; two more belong to the background."""


@dataclass(frozen=True)
class Measurement:
    """What a study's file holds: spectra ``(frequency, y, x)`` or a field, and what was resolved in reading it.

    Attributes
    ----------
    drift:
        Since an earlier map, where one is named.
    """

    content: xr.DataArray | xr.Dataset
    notes: tuple[str, ...]
    drift: MapDrift | None = None

    @property
    def y(self) -> Array:
        """Pixel centres along y [m]."""
        return np.asarray(self.content.y.values)

    @property
    def x(self) -> Array:
        """Pixel centres along x [m]."""
        return np.asarray(self.content.x.values)


def measurement_of(magnetic: Magnetic) -> Measurement:
    """Read the file that a study names, and check what the study says of it.

    Raises
    ------
    FileError, InputError
        If the file or what is stated of it is not as it must be.
    """
    data, stated = magnetic.data, magnetic.data.stated
    if data.cube is not None and magnetic.lines is not None:
        cube = read_odmr_cube(data.cube, stated=stated)
        _check_size(cube, "magnetic.data.cube")
        _check_sweep(cube, magnetic.lines)
        return Measurement(cube, tuple(cube.attrs.pop("notes")))
    read = read_field_map(data.path, stated=stated)
    _check_size(read.field, "magnetic.data.map")
    _check_varies(read.field)
    field, drift = _along_axes(read, magnetic), None
    if data.earlier is not None:
        drift = drift_since(_along_axes(read_field_map(data.earlier, stated=stated), magnetic), field)
    return Measurement(field, tuple(read.attrs["notes"]), drift)


def fitted_lines(cube: xr.DataArray, lines: Lines) -> xr.Dataset:
    """Fit the lines of every pixel, two for each centre; sweeps with a gap in between are brought to one level."""
    fitted = fit_lines(evened(cube), lines=2 * len(lines.centres), shape=lines.shape, nitrogen=lines.nitrogen)
    _check_enough(fitted.verdict)
    return fitted


def field_of_lines(fitted: xr.Dataset, lines: Lines) -> xr.Dataset:
    """Field of the lines: its vector from three or four centres, its projection from one.

    Returns
    -------
    ``field``, ``field_var``, ``direction``; ``temperature_shift`` with its variance, and ``strain_squared`` with its
    own where it was fitted; ``verdict``.
    """
    frames = nv_frames_from_cut(cut=lines.cut, azimuth=lines.azimuth)[list(lines.centres)]
    found = fit_vector(
        fitted,
        frames=frames,
        bias=lines.bias,
        splitting=lines.splitting,
        strain=lines.strain,
        each_axis=lines.each_axis,
    )
    _check_enough(found.verdict)
    direction = frames[:, 2] if len(frames) == 1 else np.eye(3)
    values = np.einsum("ai,iyx->ayx", direction, found.field.values)
    variance = np.einsum("ai,ijyx,aj->ayx", direction, found.field_cov.values, direction)
    names = ["temperature_shift", *(["strain_squared"] if lines.strain is None else [])]
    kept = found[["verdict", *names, *(f"{name}_var" for name in names)]].drop_vars("component", errors="ignore")
    return field_dataset(found.verdict, values, direction, variance).merge(kept)


def field_dataset(plane: xr.DataArray, values: Array, direction: Array, variance: Array | None = None) -> xr.Dataset:
    """Label maps ``(axis, y, x)`` [T] as the magnetic road hands them on."""
    made = xr.Dataset(coords={d: plane[d] for d in ("y", "x")})
    made["field"] = xr.Variable(("axis", "y", "x"), values, {"units": "T"})
    if variance is not None:
        made["field_var"] = xr.Variable(("axis", "y", "x"), variance, {"units": "T^2"})
    made["direction"] = xr.Variable(("axis", "xyz"), np.asarray(direction, dtype=float), {"units": ""})
    return made


def evened(cube: xr.DataArray) -> xr.DataArray:
    """Divide each of several sweeps by its mean in each pixel: light and microwave differ between sweeps.

    A cube of a single sweep stays as it is.
    """
    steps = np.diff(cube.frequency.values)
    breaks = np.flatnonzero(steps > GAP * np.median(steps)) + 1
    if not breaks.size:
        return cube
    ordered = cube.transpose("frequency", "y", "x")
    parts = [part / part.mean(axis=0) for part in np.split(ordered.values.astype(float), breaks)]
    return ordered.copy(data=np.concatenate(parts)).assign_attrs(units="")


def masked_counts(verdict: xr.DataArray) -> dict[str, int]:
    """Number of masked pixels by reason."""
    return {reason: n for reason, n in verdict_counts(verdict).items() if reason != Verdict.GOOD.message}


def _along_axes(read: xr.Dataset, magnetic: Magnetic) -> xr.Dataset:
    axis = magnetic.sensor.axis
    whole = "component" in read.field.dims
    if whole == (axis is not None):
        must = "left out for a map of all components" if whole else "given for a map of one component"
        remedy = "" if whole else "Such as [0, 0, 1] for Bz, or the direction of the nitrogen-vacancy centre."
        raise InputError("magnetic.sensor.axis", must=must, received=axis, remedy=remedy)
    maps = [name for name in ("field", "field_var") if name in read]
    direction = np.eye(3) if axis is None else np.array([axis])
    values = {name: read[name].transpose(..., "y", "x").values for name in maps}
    stacked = {name: v if v.ndim == 3 else v[None] for name, v in values.items()}
    return field_dataset(read.field, stacked["field"], direction, stacked.get("field_var"))


def _check_size(content: xr.DataArray, key: str) -> None:
    if min(content.sizes["y"], content.sizes["x"]) < LEAST_SIDE:
        received = f"{content.sizes['y']} x {content.sizes['x']} pixels"
        raise InputError(key, must=f"of {LEAST_SIDE} pixels along both axes or more", received=received)


def _check_varies(field: xr.DataArray) -> None:
    pixels = ("y", "x")
    if not float((field.max(pixels) - field.min(pixels)).max()) > 0:
        raise InputError(
            "magnetic.data.map",
            must="a field that is not the same everywhere",
            received="one value in all pixels",
            remedy="A uniform field tells nothing of what lies below the sensor.",
        )


def _check_sweep(cube: xr.DataArray, lines: Lines) -> None:
    least = 2 + PARAMETERS * 2 * len(lines.centres) + 2
    if cube.sizes["frequency"] < least:
        raise InputError(
            "magnetic.lines.centres",
            must=f"so few that {cube.sizes['frequency']} frequencies hold their lines ({least} for these)",
            received=lines.centres,
            remedy="Name the centres that the sweep covers.",
        )


def _check_enough(verdict: xr.DataArray) -> None:
    good = float((verdict == Verdict.GOOD).mean())
    if good < LEAST_GOOD:
        reasons = ", ".join(f"{n} pixels: {reason}" for reason, n in masked_counts(verdict).items())
        raise RunError(
            f"Only {100 * good:.0f} % of the pixels have a good fit ({reasons}). Do bias, centres and nitrogen in "
            "[magnetic.lines] describe this measurement?"
        )
