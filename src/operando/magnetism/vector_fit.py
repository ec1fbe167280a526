"""Field vector, temperature and strain from resonance lines, by the full Hamiltonian of every centre."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.magnetism.fit_solver import CONVERGED, MISSING
from operando.magnetism.fit_verdict import Verdict, masked_map, misfits, verdict_map
from operando.magnetism.nv import NV, NVCentre
from operando.magnetism.vector_solver import solve_fields

Array = npt.NDArray[Any]

COMPONENTS = ("x", "y", "z")
_MHZ = 1e6


def fit_vector(
    lines: xr.Dataset,
    *,
    frames: Array,
    bias: Sequence[float] | Array,
    splitting: float | None = None,
    strain: float | None = 0.0,
    each_axis: bool = False,
    centre: NVCentre = NV,
) -> xr.Dataset:
    """Fit the ground-state Hamiltonian to all lines of every pixel.

    With the lines of three centres or more the field vector is free; with those of one centre only the field along
    its axis is, and the field across it is that of the bias. Strain enters by its square: the direction of random
    local strain averages out of the lines.

    Fields that the crystal's symmetry turns or mirrors into each other have the same lines. Of these the bias picks
    one: it should lie farther from every mirror plane (where lines of two centres meet) than the sample's field is
    strong, as a pixel beyond the plane comes back mirrored.

    Parameters
    ----------
    lines:
        From `operando.magnetism.fit_lines.fit_lines`: ``centre`` [Hz] and ``centre_cov`` [Hz^2], two lines for each
        centre in ascending order.
    frames:
        ``(centre, 3, 3)`` of the centres that are seen, see `operando.magnetism.nv.nv_frames_from_cut`.
    bias:
        Approximate field ``(x, y, z)`` in the laboratory [T].
    splitting:
        D [Hz] where it is known; None to fit it.
    strain:
        Transverse splitting E common to all centres [Hz] where it is known; None to fit it.
    each_axis:
        Fit a splitting D for each centre, as stress gives them (Kehayias et al. 2019, doi:10.1103/PhysRevB.100.174103).

    Returns
    -------
    ``field`` with dims component, y, x [T] and ``field_cov`` with component, component_2, y, x [T^2];
    ``splitting`` (mean over the centres) [Hz], ``temperature_shift`` [K], ``strain_squared`` [Hz^2], each with
    ``_var``, zero where it was given; ``chi_squared`` and ``verdict``. Whatever the verdict masks is NaN.

    Raises
    ------
    InputError
        If there are not two lines for each centre, more unknowns than lines, or no bias.
    """
    axes = np.ascontiguousarray(np.asarray(frames, dtype=float)[:, 2])
    basis = _basis(axes)
    kept, zero_field = _checked(lines, axes, bias, splitting, strain, each_axis, basis.shape[0])
    hertz_per_tesla = centre.gyromagnetic_ratio
    start_field = np.asarray(bias, dtype=float) * hertz_per_tesla / _MHZ
    along = basis @ start_field
    known = (splitting if splitting is not None else centre.splitting) / _MHZ
    start = np.array([*along, *[known] * zero_field, ((strain or 0.0) / _MHZ) ** 2])
    free = np.array(
        [
            *range(len(along)),
            *(range(len(along), len(along) + zero_field) if splitting is None else ()),
            *((start.size - 1,) if strain is None else ()),
        ]
    )
    centres, covariance = (np.ascontiguousarray(a) for a in _by_pixel(kept))
    parameters = np.tile(start, (len(centres), 1))
    origin = start_field - along @ basis
    cov, chi2, outcome = solve_fields(centres, covariance, axes, basis, origin, free, parameters)
    full = np.zeros((len(centres), start.size, start.size))
    full[:, free[:, None], free[None, :]] = cov
    verdict = _verdicts(kept, outcome, chi2, centres.shape[1] - free.size)
    return _labelled(parameters, full, chi2, verdict, kept, basis, origin, zero_field, centre)


def _basis(axes: Array) -> Array:
    """Directions along which the lines tell the field: all three, or the only axis."""
    if axes.shape[0] == 1:
        return axes.copy()
    if axes.shape[0] == 2:
        raise InputError("frames", must="those of one centre, or of three or four", received="two")
    return np.eye(3)


def _checked(
    lines: xr.Dataset,
    axes: Array,
    bias: Any,
    splitting: float | None,
    strain: float | None,
    each_axis: bool,
    unknown_fields: int,
) -> tuple[xr.Dataset, int]:
    for name in ("centre", "centre_cov"):
        if name not in lines:
            raise InputError("lines", must=f"with {name}, as fit_lines returns them", received=list(lines.data_vars))
    found = lines.sizes["line"]
    if found != 2 * len(axes):
        remedy = "Pass the frames of the centres whose lines were fitted, two lines for each."
        raise InputError("lines", must=f"{2 * len(axes)} for {len(axes)} centres", received=found, remedy=remedy)
    if np.shape(bias) != (3,) or not np.isfinite(bias).all():
        raise InputError("bias", must="a field (x, y, z) in tesla", received=bias)
    zero_field = len(axes) if each_axis else 1
    unknown = unknown_fields + (zero_field if splitting is None else 0) + (strain is None)
    if unknown > found:
        remedy = "Give splitting or strain instead of fitting it."
        raise InputError("lines", must=f"at least as many as the {unknown} unknowns", received=found, remedy=remedy)
    if strain is not None and strain < 0:
        raise InputError("strain", must="a magnitude, not negative", received=strain)
    return lines.transpose("line", "line_2", "y", "x"), zero_field


def _by_pixel(lines: xr.Dataset) -> tuple[Array, Array]:
    n = lines.sizes["line"]
    centre = lines["centre"].values.reshape(n, -1).T / _MHZ
    covariance = lines["centre_cov"].values.reshape(n, n, -1)
    return centre, np.moveaxis(covariance, 2, 0) / _MHZ**2


def _verdicts(lines: xr.Dataset, outcome: Array, chi2: Array, freedom: int) -> Array:
    """Verdicts of the lines, and those that this fit adds."""
    verdict = np.full(outcome.shape, Verdict.GOOD, np.uint8)
    verdict[misfits(chi2, freedom=freedom)] = Verdict.MISFIT
    verdict[outcome != CONVERGED] = Verdict.NOT_CONVERGED
    verdict[outcome == MISSING] = Verdict.MISSING
    if "verdict" in lines:
        before = lines["verdict"].values.ravel()
        verdict = np.where(before != Verdict.GOOD, before, verdict)
    return verdict


def _labelled(
    parameters: Array,
    covariance: Array,
    chi2: Array,
    verdict: Array,
    lines: xr.Dataset,
    basis: Array,
    origin: Array,
    zero_field: int,
    centre: NVCentre,
) -> xr.Dataset:
    along, tesla = len(basis), _MHZ / centre.gyromagnetic_ratio
    field = (parameters[:, :along] @ basis + origin) * tesla
    field_cov = basis.T @ covariance[:, :along, :along] @ basis * tesla**2
    own = slice(along, along + zero_field)
    splitting, splitting_var = parameters[:, own].mean(1) * _MHZ, covariance[:, own, own].mean((1, 2)) * _MHZ**2
    maps = {
        "splitting": (splitting, "Hz"),
        "splitting_var": (splitting_var, "Hz^2"),
        "temperature_shift": ((splitting - centre.splitting) / centre.splitting_slope, "K"),
        "temperature_shift_var": (splitting_var / centre.splitting_slope**2, "K^2"),
        "strain_squared": (parameters[:, -1] * _MHZ**2, "Hz^2"),
        "strain_squared_var": (covariance[:, -1, -1] * _MHZ**4, "Hz^4"),
        "chi_squared": (chi2, ""),
    }
    plane = lines["centre"].isel(line=0, drop=True)
    fitted = xr.Dataset(coords={"component": list(COMPONENTS)})
    fitted["field"] = masked_map(field, verdict=verdict, template=plane, units="T", dims=("component",))
    fitted["field_cov"] = masked_map(
        field_cov, verdict=verdict, template=plane, units="T^2", dims=("component", "component_2")
    )
    for name, (values, units) in maps.items():
        fitted[name] = masked_map(values, verdict=verdict, template=plane, units=units)
    fitted["verdict"] = verdict_map(verdict.reshape(plane.shape), plane)
    return fitted
