"""Parallel-beam reconstruction: filtered back-projection by a non-uniform fast Fourier transform."""

from __future__ import annotations

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
from operando.tomography.filters import Filter, angle_weights, ramp_from_length, squared_from_ramp
from operando.tomography.labels import check_line_integrals, pixel_of
from operando.tomography.shared_variance import shared_variance_from_pixels
from operando.tomography.tilt import untilted_from_line_integrals

Array = npt.NDArray[Any]

_ACCURACY = 3e-4
"""Relative accuracy asked of the transform: far below counting noise."""
_BATCH = 4
"""Slices per transform: enough to share its set-up, few enough to stay in cache."""
_COARSE = 4
"""Pixels per step of the grid on which variances, which are smooth, are evaluated."""


def volume_from_line_integrals(
    corrected: xr.Dataset, axis: RotationAxis, *, filter: Filter = "ram-lak", grid: Grid | None = None
) -> xr.Dataset:
    """Reconstruct a block of rows, one slice for each row.

    ``mu(x, y) = sum_k w_k sum_f |f| P_k(f) exp(2 pi i f (x cos a_k + y sin a_k))``: the sum over all filtered
    projections' frequencies, evaluated by an adjoint non-uniform FFT. Between pixels a projection is its
    trigonometric interpolant, so nothing is blurred. Outside the circle that every projection sees there is taken to be
    air: attenuation and variance are 0.

    Parameters
    ----------
    corrected:
        Line integrals with variance, from `line_integrals_from_scan`. Angles may be spaced unevenly, over 180 deg
        or more.
    axis:
        The rotation axis.
    filter:
        ``"ram-lak"`` or ``"hann"``.
    grid:
        Voxels wanted: y and x from the axis, z at the rows' coordinates; `slice_grid` builds one. By default one voxel
        per pixel over the detector's width.

    Returns
    -------
    Volume with ``attenuation`` [1/m], ``attenuation_var`` [1/m^2] per voxel, counting and shared errors together,
    and ``attenuation_shared_var``, the part of it from the open beam and dark frames: it makes rings, so
    neighbours along a ring have it in common.

    Raises
    ------
    InputError
        If line integrals are not finite, their labels do not fit, or the grid's slices are not the rows at hand.

    Notes
    -----
    Barnett, Magland & af Klinteberg, SIAM J. Sci. Comput. 41 (2019) C479, https://doi.org/10.1137/18M120885X.
    """
    check_line_integrals(corrected)
    level = untilted_from_line_integrals(corrected, axis)
    grid = grid or slice_grid(corrected)
    view = _view(level, axis, grid)
    ramp = ramp_from_length(length=view.padded, filter=filter)
    values = _back_projected(level.line_integral.values, view, transfer=ramp / view.pixel)
    counting = _counting_variance(level.line_integral_var.values, view, ramp / view.pixel)
    shared = shared_variance_from_pixels(
        variance=level.line_integral_shared_var.values,
        rays=lambda r, phi: (view.axis_column.mean() + r * np.cos(view.angle - phi), view.weight),
        ramp=ramp / view.pixel,
        x=view.x,
        y=view.y,
    )
    seen = np.hypot(view.y[:, None], view.x[None, :]) <= view.radius
    for quantity in (values, counting, shared):
        quantity *= seen
    return xr.Dataset(
        {
            "attenuation": grid.array(values, name="attenuation", units="1/m"),
            "attenuation_var": grid.array(counting + shared, name="attenuation_var", units="1/m^2"),
            "attenuation_shared_var": grid.array(shared, name="attenuation_shared_var", units="1/m^2"),
        },
        attrs={"filter": filter, **{key: value for key, value in corrected.attrs.items() if key == "steps"}},
    )


def slice_grid(corrected: xr.Dataset, *, spacing: float | None = None, half_width: float | None = None) -> Grid:
    """Square slices about the axis, one for each row.

    Parameters
    ----------
    corrected:
        Line integrals; their rows give z.
    spacing:
        Voxel size along x and y [m]; the pixel by default. Larger voxels are samples, not averages: bin
        the frames instead.
    half_width:
        From the axis to the slices' edge [m]; half the detector's width by default.
    """
    pixel = pixel_of(corrected)
    step = pixel if spacing is None else spacing
    half = corrected.sizes["column"] * pixel / 2 if half_width is None else half_width
    if not (np.isfinite(step) and step > 0 and half >= step):
        raise InputError("grid", must="at least two voxels of positive size wide", received=(step, half))
    width = 2 * int(np.floor(half / step + 1e-6))
    row = corrected.row.values
    first = -(width - 1) / 2 * step
    return Grid(shape=(row.size, width, width), spacing=(pixel, step, step), origin=(float(row[0]), first, first))


@dataclass(frozen=True)
class _View:
    """Projections and voxels as the transform needs them; all lengths in columns."""

    angle: Array
    weight: Array
    axis_column: Array
    x: Array
    y: Array
    radius: float
    padded: int
    pixel: float


def _view(corrected: xr.Dataset, axis: RotationAxis, grid: Grid) -> _View:
    pixel = pixel_of(corrected)
    if grid.shape[0] != corrected.sizes["row"] or not np.allclose(
        grid.coordinate("z"), corrected.row.values, rtol=0, atol=1e-3 * pixel
    ):
        raise InputError("grid", must="of one slice at each row of the projections", received=f"{grid.shape[0]} slices")
    if min(grid.shape[1:]) < 2:
        raise InputError("grid", must="of two voxels or more along x and y", received=grid.shape)
    angle = np.asarray(corrected.angle.values, dtype=float)
    axis_column = axis.column_at(corrected.row.values / pixel) - corrected.column.values[0] / pixel
    columns = corrected.sizes["column"]
    radius = float(min(axis_column.min(), columns - 1 - axis_column.max())) + 0.5
    if radius < 1:
        raise InputError("rotation axis", must="inside the detector", received=f"column {axis.centre:.1f}")
    return _View(
        angle=angle,
        weight=angle_weights(angle, period=np.pi),
        axis_column=axis_column,
        x=grid.coordinate("x") / pixel,
        y=grid.coordinate("y") / pixel,
        radius=radius,
        padded=2 * scipy.fft.next_fast_len(columns, real=True),
        pixel=pixel,
    )


def _back_projected(projections: Array, view: _View, transfer: Array) -> Array:
    """Filter with `transfer` and sum over all angles: ``(projection, row, column)`` to ``(row, y, x)``."""
    import finufft

    count, rows, _ = projections.shape
    batch = min(_BATCH, rows)
    turn = 2 * np.pi * np.fft.rfftfreq(view.padded)
    cosine, sine = np.cos(view.angle)[:, None], np.sin(view.angle)[:, None]
    x, y = view.x, view.y
    plan = finufft.Plan(
        1,
        (y.size, x.size),
        n_trans=batch,
        eps=_ACCURACY,
        isign=1,
        dtype="complex64",
        nthreads=1,  # threads would add in varying order, and the bits would differ from run to run
        upsampfac=1.25,
    )
    plan.setpts(_folded((y[1] - y[0]) * sine * turn), _folded((x[1] - x[0]) * cosine * turn))
    middle = x[x.size // 2] * cosine + y[y.size // 2] * sine
    both_signs = np.where((turn == 0) | (turn == np.pi), 1.0, 2.0)
    common = np.exp(1j * turn * middle) * (view.weight[:, None] * both_signs * transfer / view.padded)
    common = common.astype(np.complex64)
    volume = np.empty((rows, y.size, x.size), dtype=np.float32)
    spectra = np.zeros((batch, count, turn.size), dtype=np.complex64)
    for first in range(0, rows, batch):
        block = projections[:, first : first + batch].astype(np.float32, copy=False)
        for i in range(block.shape[1]):
            to_axis = np.exp(1j * turn * view.axis_column[first + i]).astype(np.complex64)
            np.multiply(scipy.fft.rfft(block[:, i], view.padded, axis=1), common, out=spectra[i])
            spectra[i] *= to_axis
        slices = plan.execute(spectra.reshape(batch, -1)).reshape(batch, y.size, x.size)
        volume[first : first + batch] = slices.real[: block.shape[1]]
    return volume


def _folded(phase: Array) -> Array:
    """Bring phases into [-pi, pi), where the transform takes them."""
    return np.asarray((np.mod(phase + np.pi, 2 * np.pi) - np.pi).astype(np.float32).ravel())


def _counting_variance(variance: Array, view: _View, ramp: Array) -> Array:
    """Propagate independent variances: the squared kernel, back-projected with squared weights.

    The result is smooth, because the squared kernel is broad in frequency and back-projection blurs: it is
    evaluated from columns binned by four on a grid as coarse, and interpolated.
    """
    whole = variance[..., : variance.shape[2] // _COARSE * _COARSE]
    binned = sum(whole[..., i::_COARSE] for i in range(1, _COARSE)) + whole[..., ::_COARSE]
    binned /= _COARSE
    padded = 2 * -(-view.padded // (2 * _COARSE))
    frequency = np.fft.rfftfreq(padded)
    squared = np.interp(frequency / _COARSE, np.fft.rfftfreq(view.padded), squared_from_ramp(ramp, view.padded))
    coarse_x, to_x = coarse_points(view.x / _COARSE, 1.0)
    coarse_y, to_y = coarse_points(view.y / _COARSE, 1.0)
    coarse = replace(
        view,
        weight=view.weight**2,
        axis_column=(view.axis_column - (_COARSE - 1) / 2) / _COARSE,
        x=coarse_x,
        y=coarse_y,
        padded=padded,
    )
    smooth = squared * np.cos(np.pi * frequency) ** 2
    blurred = np.maximum(_back_projected(binned, coarse, transfer=smooth), 0)
    return np.asarray(to_y @ blurred @ to_x.T)
