"""Cone-beam reconstruction by the method of Feldkamp, Davis and Kress, in a compiled kernel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
import xarray as xr

from operando.errors import InputError
from operando.frames import Grid
from operando.tomography.axis import RotationAxis
from operando.tomography.coarse import coarse_points
from operando.tomography.filters import Filter, angle_weights, ramp_from_length
from operando.tomography.labels import check_line_integrals, pixel_of
from operando.tomography.scan import ConeBeam
from operando.tomography.shared_variance import shared_variance_from_pixels
from operando.tomography.tilt import untilted_from_line_integrals

Array = npt.NDArray[Any]

_COARSE = 4
"""Voxels per step, along x and y, of the grid on which variances, which are smooth, are evaluated."""
_SLAB = 4
"""Lines of voxels along y that one thread takes at a time: their part of the volume stays in cache."""


def volume_from_cone_beam(
    corrected: xr.Dataset,
    beam: ConeBeam,
    axis: RotationAxis,
    *,
    midplane: float,
    filter: Filter = "ram-lak",
    grid: Grid | None = None,
    workers: int = 1,
) -> xr.Dataset:
    """Reconstruct a region of a full-turn cone-beam scan.

    ``mu(x) = 1/2 sum_k w_k (D / U_k)^2 p'_k(u, v)`` with D the distance from source to axis, ``U = D + y cos a - x sin
    a`` and p' the projection weighted with the cosine of each ray and filtered along its rows; linear between pixels.
    Exact on the midplane; away from it the density drops slowly with the cone angle.

    Parameters
    ----------
    corrected:
        Line integrals with variance; coordinates row and column in metres on the detector. Angles over 360 deg.
    beam:
        Distances and pixel.
    axis:
        Column on which axis and source fall together.
    midplane:
        Row index of the whole detector on which the source falls [pixels].
    filter:
        ``"ram-lak"`` or ``"hann"``.
    grid:
        Voxels wanted: x and y from the axis, z such that ``midplane * beam.voxel`` lies on the midplane; `cone_grid`
        builds one, and is the default.
    workers:
        Threads. The result does not depend on their number.

    Returns
    -------
    Volume with ``attenuation`` [1/m], ``attenuation_var`` and the part of it that projections share,
    ``attenuation_shared_var`` [1/m^2]. All are 0 outside the circle that every projection sees, where the sample is
    taken to be air.

    Raises
    ------
    InputError
        If line integrals are not finite, angles leave a gap in the full turn, or the grid is not seen by all rows.

    Notes
    -----
    Feldkamp, Davis & Kress, J. Opt. Soc. Am. A 1 (1984) 612, https://doi.org/10.1364/JOSAA.1.000612.
    """
    check_line_integrals(corrected)
    level = untilted_from_line_integrals(corrected, axis)
    grid = grid or cone_grid(corrected, beam, axis, midplane=midplane)
    view = _view(level, beam, axis, midplane, grid)
    ramp = ramp_from_length(length=view.padded, filter=filter) / beam.voxel
    filtered = _filtered(level.line_integral.values, view, ramp)
    values = _back_projected(filtered, view, view.x, view.y, squared=False, workers=workers)
    counting = _counting_variance(level.line_integral_var.values, view, ramp, workers)
    shared = _shared_variance(level.line_integral_shared_var.values, view, ramp)
    seen = np.hypot(view.y[:, None], view.x[None, :]) <= view.radius
    counting = (counting + shared) * seen
    shared *= seen
    return xr.Dataset(
        {
            "attenuation": grid.array(values, name="attenuation", units="1/m"),
            "attenuation_var": grid.array(counting, name="attenuation_var", units="1/m^2"),
            "attenuation_shared_var": grid.array(shared, name="attenuation_shared_var", units="1/m^2"),
        },
        attrs={"filter": filter, **{key: value for key, value in corrected.attrs.items() if key == "steps"}},
    )


def cone_grid(
    corrected: xr.Dataset,
    beam: ConeBeam,
    axis: RotationAxis,
    *,
    midplane: float,
    spacing: float | None = None,
    half_width: float | None = None,
) -> Grid:
    """Largest grid that all projections see with the rows at hand.

    Parameters
    ----------
    corrected, beam, axis, midplane:
        As for `volume_from_cone_beam`.
    spacing:
        Voxel size [m]; `beam.voxel` by default.
    half_width:
        From the axis to the slices' edge [m]; by default the radius that every projection sees.

    Raises
    ------
    InputError
        If no slice is seen by all projections.
    """
    step = beam.voxel if spacing is None else spacing
    radius = _seen_radius(corrected, beam, axis)
    half = radius if half_width is None else half_width
    width = 2 * int(np.floor(half / step + 1e-6))
    reach = min(radius, np.sqrt(2) * half)
    lowest, highest = _seen_heights(corrected, beam, midplane, reach)
    count = int(np.floor((highest - lowest) / step + 1e-6)) + 1
    if width < 2 or count < 1:
        raise InputError("grid", must="seen by all projections", received=f"{count} slices of {width} voxels")
    first = -(width - 1) / 2 * step
    start = (
        np.ceil(lowest / step - 1e-6) * step
    )  # so that blocks of rows share one lattice, with a slice on the midplane
    count = int(np.floor((highest - start) / step + 1e-6)) + 1
    return Grid((count, width, width), (step, step, step), (midplane * beam.voxel + start, first, first))


def rows_of_slices(beam: ConeBeam, *, midplane: float, first: float, last: float, radius: float) -> tuple[float, float]:
    """Row indices on which voxels with z from `first` to `last` [m] and up to `radius` from the axis fall.

    This says which rows of the detector a block of slices needs.
    """
    low, high = first - midplane * beam.voxel, last - midplane * beam.voxel
    scale = beam.source_to_detector / beam.pixel
    near, far = scale / (beam.source_to_object - radius), scale / (beam.source_to_object + radius)
    return midplane + min(low * near, low * far), midplane + max(high * near, high * far)


@dataclass(frozen=True)
class _View:
    """Projections and voxels as the kernel needs them [m], places on the detector in pixels of the block."""

    beam: ConeBeam
    angle: Array
    weight: Array
    axis_column: Array
    middle_row: float
    x: Array
    y: Array
    z: Array
    radius: float
    padded: int


def _view(corrected: xr.Dataset, beam: ConeBeam, axis: RotationAxis, midplane: float, grid: Grid) -> _View:
    if not 0 < beam.source_to_object < beam.source_to_detector:
        raise InputError("beam", must="with the sample between source and detector", received=beam)
    if corrected.sizes["row"] < 2:
        raise InputError("line integrals", must="of two rows or more for a cone beam", received=dict(corrected.sizes))
    x, y, z = grid.coordinate("x"), grid.coordinate("y"), grid.coordinate("z") - midplane * beam.voxel
    radius = _seen_radius(corrected, beam, axis)
    corner = float(np.hypot(np.abs(x).max(), np.abs(y).max()))
    lowest, highest = _seen_heights(corrected, beam, midplane, min(corner, radius))
    slack = 1e-3 * beam.voxel
    if z[0] < lowest - slack or z[-1] > highest + slack:
        raise InputError(
            "grid",
            must=f"between {lowest:.4g} and {highest:.4g} m of the midplane, where all projections see it",
            received=f"{z[0]:.4g} to {z[-1]:.4g} m",
            remedy="Take fewer slices or more rows; cone_grid gives the largest grid.",
        )
    angle = np.asarray(corrected.angle.values, dtype=float)
    row = corrected.row.values / beam.pixel
    return _View(
        beam=beam,
        angle=angle,
        weight=angle_weights(angle, period=2 * np.pi) / 2,
        axis_column=axis.column_at(row) - corrected.column.values[0] / beam.pixel,
        middle_row=midplane - float(row[0]),
        x=x,
        y=y,
        z=z,
        radius=radius,
        padded=2 * scipy.fft.next_fast_len(corrected.sizes["column"], real=True),
    )


def _seen_radius(corrected: xr.Dataset, beam: ConeBeam, axis: RotationAxis) -> float:
    """Radius of the circle about the axis that every projection sees [m]."""
    pixel = pixel_of(corrected)
    if not np.isclose(pixel, beam.pixel, rtol=1e-3):
        raise InputError("columns", must=f"one pixel of {beam.pixel:.4g} m apart", received=f"{pixel:.4g} m")
    column = axis.column_at(corrected.row.values / beam.pixel) - corrected.column.values[0] / beam.pixel
    half = min(float(column.min()), corrected.sizes["column"] - 1 - float(column.max())) * beam.pixel
    if half <= beam.pixel:
        raise InputError("rotation axis", must="inside the detector", received=f"column {axis.centre:.1f}")
    return beam.source_to_object * half / float(np.hypot(half, beam.source_to_detector))


def _seen_heights(corrected: xr.Dataset, beam: ConeBeam, midplane: float, radius: float) -> tuple[float, float]:
    """Heights over the midplane that the rows at hand see at every distance up to `radius` from the axis [m]."""
    ends = corrected.row.values[[0, -1]] - midplane * beam.pixel
    near = (beam.source_to_object - radius) / beam.source_to_detector
    far = (beam.source_to_object + radius) / beam.source_to_detector
    return float(max(ends[0] * near, ends[0] * far)), float(min(ends[1] * near, ends[1] * far))


def _filtered(projections: Array, view: _View, ramp: Array) -> Array:
    """Weight with each ray's cosine and filter the rows: (projection, row, column) to (projection, column, row).

    Rows are shifted so that the axis falls on the same column, that of the middle row, in all of them.
    """
    count, rows, columns = projections.shape
    mean_axis = float(view.axis_column.mean())
    shift = np.exp(2j * np.pi * np.fft.rfftfreq(view.padded) * (view.axis_column - mean_axis)[:, None])
    transfer = (shift * ramp).astype(np.complex64)
    cosine = _cosines(view, rows, columns)
    filtered = np.empty((count, columns, rows), dtype=np.float32)
    for k in range(count):
        spectrum = scipy.fft.rfft(projections[k].astype(np.float32, copy=False) * cosine, view.padded, axis=1)
        spectrum *= transfer
        filtered[k] = scipy.fft.irfft(spectrum, view.padded, axis=1)[:, :columns].T
    return filtered


def _cosines(view: _View, rows: int, columns: int) -> Array:
    distance = view.beam.source_to_detector
    u = (np.arange(columns) - view.axis_column[:, None]) * view.beam.pixel
    v = (np.arange(rows) - view.middle_row)[:, None] * view.beam.pixel
    return np.asarray((distance / np.sqrt(distance**2 + u**2 + v**2)).astype(np.float32))


def _back_projected(filtered: Array, view: _View, x: Array, y: Array, *, squared: bool, workers: int) -> Array:
    """Sum over all projections what falls on each voxel, ``(z, y, x)``; with squared weights for a variance."""
    from operando.tomography.cone_kernel import add_projections

    volume = np.zeros((y.size, x.size, view.z.size), dtype=np.float32)
    beam = view.beam
    scale = beam.source_to_detector / beam.pixel
    step = float(view.z[1] - view.z[0]) if view.z.size > 1 else 0.0
    turns = np.stack([np.cos(view.angle), np.sin(view.angle), view.weight], axis=1)
    places = np.array(
        [beam.source_to_object, scale, float(view.axis_column.mean()), view.middle_row, view.radius, view.z[0], step]
    )

    def slab(start: int) -> None:
        part = slice(start, start + _SLAB)
        add_projections(filtered, volume[part], turns, places, x, y[part], squared)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(slab, range(0, y.size, _SLAB)))
    return np.ascontiguousarray(np.moveaxis(volume, 2, 0))


def _counting_variance(variance: Array, view: _View, ramp: Array, workers: int) -> Array:
    """Propagate independent variances, on every fourth voxel along x and y.

    Along the columns the squared filter, averaged over where between two pixels a voxel falls, is short: its sum is
    taken. Along the rows the interpolation's squared weights are applied as they are.
    """
    kernel = np.fft.irfft(ramp, view.padded)
    gain = (2 * np.sum(kernel**2) + np.sum(kernel * np.roll(kernel, 1))) / 3
    cosine = _cosines(view, *variance.shape[1:])
    spread = np.ascontiguousarray((variance * (gain * cosine**2).astype(np.float32)).transpose(0, 2, 1))
    step = _COARSE * view.beam.voxel
    coarse_x, to_x = coarse_points(view.x, step)
    coarse_y, to_y = coarse_points(view.y, step)
    wide = replace(view, radius=view.radius + 2 * step)
    return np.asarray(to_y @ _back_projected(spread, wide, coarse_x, coarse_y, squared=True, workers=workers) @ to_x.T)


def _shared_variance(variance: Array, view: _View, ramp: Array) -> Array:
    """Propagate errors that all projections share, ``(z, y, x)``.

    Taken from the row on which a slice falls at the axis: right on the midplane; above and below, where points
    wander over several rows, an upper bound.
    """
    beam = view.beam

    def rays(radius: float, direction: float) -> tuple[Array, Array]:
        r = min(radius * beam.voxel, 0.9 * beam.source_to_object)
        near = beam.source_to_object / (beam.source_to_object + r * np.sin(direction - view.angle))
        column = view.axis_column.mean() + near * r / beam.voxel * np.cos(direction - view.angle)
        return column, view.weight * near**2

    row = view.middle_row + view.z / beam.voxel
    lower = np.clip(row.astype(int), 0, max(variance.shape[0] - 2, 0))
    upper = np.minimum(lower + 1, variance.shape[0] - 1)
    share = (row - lower)[:, None]
    between = np.sinc(np.fft.rfftfreq(view.padded)) ** 2  # linear interpolation between columns
    return shared_variance_from_pixels(
        variance=variance[lower] * (1 - share) ** 2 + variance[upper] * share**2,
        rays=rays,
        ramp=ramp * between,
        x=view.x / beam.voxel,
        y=view.y / beam.voxel,
    )
