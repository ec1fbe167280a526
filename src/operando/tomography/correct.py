"""Raw frames to line integrals of attenuation, with variance."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.tomography.conditions import (
    Conditions,
    References,
    conditions_from_scan,
    counts_above_dark,
    references_from_scan,
)
from operando.tomography.correction_settings import CorrectionSettings
from operando.tomography.rings import ring_errors_from_mean, variance_left_by_ring_removal
from operando.tomography.scan import Scan

Array = npt.NDArray[Any]

__all__ = ["CorrectionSettings", "conditions_from_scan", "line_integrals_from_scan"]


def line_integrals_from_scan(
    scan: Scan, settings: CorrectionSettings | None = None, conditions: Conditions | None = None
) -> xr.Dataset:
    """Correct a scan, or a block of its rows, and take the logarithm.

    ``line_integral = -ln((I / dose - S_sample) / (I0 - S_open))`` with I and I0 counts above dark and S the scattered
    background. The bias of the logarithm, 1/(2N) at N quanta, is removed.

    Parameters
    ----------
    scan:
        Raw frames with `settings.halo` more rows on either side than are wanted.
    settings:
        Which steps to take; all by default.
    conditions:
        From `conditions_from_scan`; without them they are read from the rows at hand.

    Returns
    -------
    Dataset with ``line_integral`` and ``line_integral_var`` (projection, row, column), the variance by counting in
    each projection, and ``line_integral_shared_var`` (row, column), that of the open beam and the dark frames: all
    projections share this error, so it does not average away over them. Attributes: ``steps`` taken, ``spot_fraction``,
    ``floored_fraction`` of pixels that counted next to nothing, ``gain``.

    Raises
    ------
    InputError
        If frames, angles and conditions do not fit each other, or counts are not finite.
    """
    settings = settings or CorrectionSettings()
    _check_angles(scan.projections)
    conditions = conditions or conditions_from_scan(scan, settings)
    if conditions.dose.shape != scan.projections.shape[:1]:
        raise InputError(
            "conditions", must=f"of {scan.projections.shape[0]} projections", received=f"{conditions.dose.size} doses"
        )
    noise = {"gain": conditions.gain, "dark_variance": conditions.dark_variance}
    references = references_from_scan(scan, settings, **noise, row=scan.projections.row)
    counts, spots = counts_above_dark(scan.projections, references.dark, settings, **noise)
    scattered_open, scattered = _scattered(scan.projections, conditions)
    quanta, counted = _direct_quanta(counts, scattered, conditions)
    floored = quanta < settings.least_quanta
    np.maximum(quanta, np.float32(settings.least_quanta), out=quanta)
    dose = conditions.dose.astype(np.float32)[:, None, None]
    blank = (references.open_beam - scattered_open) / conditions.gain
    integral = np.log(np.maximum(blank, settings.least_quanta).astype(np.float32) * dose) - np.log(quanta)
    variance = counted / quanta**2
    shared = _shared_variance(scan, references, quanta, blank, conditions)
    if settings.rings:
        integral -= ring_errors_from_mean(
            mean=integral.mean(axis=0, dtype=np.float64), rows=settings.ring_rows, columns=settings.ring_columns
        ).astype(np.float32)
        if integral.shape[1] > 1:
            shared = shared * variance_left_by_ring_removal(rows=settings.ring_rows, columns=settings.ring_columns)
    taken = {
        "dark": True,
        "spots": settings.spots,
        "dose": settings.dose,
        "scatter": conditions.sample_scatter is not None,
        "rings": settings.rings,
    }
    return _labelled(
        scan.projections,
        integral,
        variance,
        shared,
        steps=tuple(step for step, done in taken.items() if done),
        spot_fraction=spots,
        floored_fraction=float(floored.mean()),
        gain=conditions.gain,
    )


def _direct_quanta(counts: Array, scattered: Array, conditions: Conditions) -> tuple[Array, Array]:
    """Quanta of the direct beam in each pixel, raised so that their logarithm is right on average, and their variance.

    To second order the mean of ln n lies var(n) / (2 n^2) below the logarithm of the mean: n is raised by
    var(n) / (2 n), which is one half where nothing but counting makes noise.
    """
    gain, dose = np.float32(conditions.gain), conditions.dose.astype(np.float32)[:, None, None]
    variance = np.maximum(counts / gain, 0) + np.float32(conditions.dark_variance / conditions.gain**2)
    np.maximum(variance, 1, out=variance)
    direct = (counts - dose * scattered.astype(np.float32)) / gain
    direct += np.float32(0.5) * variance / np.maximum(direct, np.sqrt(variance))
    return direct, variance


def _scattered(projections: xr.DataArray, conditions: Conditions) -> tuple[Array, Array]:
    row, column = projections.row.values, projections.column.values
    if conditions.open_scatter is None or conditions.sample_scatter is None:
        nothing = np.zeros((row.size, column.size))
        return nothing, nothing
    return conditions.open_scatter.at(row=row, column=column), conditions.sample_scatter.at(row=row, column=column)


def _shared_variance(scan: Scan, references: References, quanta: Array, blank: Array, conditions: Conditions) -> Array:
    """Variance of the open beam and the dark frames, (row, column).

    A dark frame's error enters projection and open beam with opposite sign; between projections it varies as
    1 / quanta, of which the mean is taken.
    """
    gain, dark_variance = conditions.gain, conditions.dark_variance
    dark = dark_variance / gain**2 * (np.pi / 2 if scan.dark.shape[0] > 2 else 1.0) / scan.dark.shape[0]
    blank = np.maximum(blank, 0.5)
    beam = (np.maximum(references.open_beam, 0) / gain + dark_variance / gain**2) / scan.open_beam.shape[0]
    return np.asarray(beam / blank**2 + dark * ((1 / quanta).mean(axis=0) - 1 / blank) ** 2)


def _check_angles(projections: xr.DataArray) -> None:
    if projections.dims != ("projection", "row", "column"):
        raise InputError("projections", must="labelled (projection, row, column)", received=projections.dims)
    if "angle" not in projections.coords or not np.all(np.isfinite(projections.angle.values)):
        raise InputError("projections", must="labelled with a finite angle each [rad]", received="no such angles")


def _labelled(
    projections: xr.DataArray, integral: Array, variance: Array, shared: Array, **attributes: object
) -> xr.Dataset:
    dims, plain = ("projection", "row", "column"), {"units": ""}
    return xr.Dataset(
        {
            "line_integral": (dims, integral, plain),
            "line_integral_var": (dims, variance, plain),
            "line_integral_shared_var": (dims[1:], shared.astype(np.float32), plain),
        },
        coords={name: projections.coords[name] for name in ("angle", "row", "column")},
        attrs=attributes,
    )
