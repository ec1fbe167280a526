"""Lithium lost by the cathode from the isotopes imaged at the cathode/separator plane, without the charge.

Lithium that crosses a plane with the current carries the Li-6 fraction of that plane. Li-6 also crosses it against Li-7
by diffusion, which no current shows: where that is not known it is a systematic error of this estimate, though not of
the mass balance in `exchange`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import xarray as xr

from operando.errors import InputError
from operando.lithium.budget import Figure, systematic_from_nuisances, undetermined
from operando.lithium.checked import checked, contrast_from_cross_sections, not_negative, positive
from operando.lithium.lithiation import lithium_cross_section_from_fraction
from operando.materials.formula import AVOGADRO


def mean_crossing_fraction(*, plane_fraction: xr.DataArray, charge: xr.DataArray) -> xr.DataArray:
    """Li-6 fraction of all the lithium that has crossed a plane, ``integral(f dQ) / Q``, by the trapezoidal rule.

    Parameters
    ----------
    plane_fraction:
        Li-6 fraction at the plane, dims ``time``.
    charge:
        Charge passed by then [C], same times, not falling; before the first charge the fraction is the plane's own.
    """
    f, passed = checked(plane_fraction, unit="", name="plane_fraction"), checked(charge, unit="C", name="charge")
    increments = np.diff(passed.values, prepend=passed.values[0])
    if np.any(increments < 0):
        raise InputError("charge", must="rising or constant", received="a reversal")
    middles = (f.values + np.concatenate([f.values[:1], f.values[:-1]])) / 2
    gone = passed.values - passed.values[0]
    mean = np.divide(np.cumsum(middles * increments), gone, out=f.values.astype(float).copy(), where=gone > 0)
    return xr.DataArray(mean, coords=f.coords, dims=f.dims, name="crossing_fraction", attrs={"units": ""})


def lost_lithium_from_plane(
    *, cathode_loss: float, plane_fraction: float, sigma6: float, sigma7: float, diffused_lithium6: float
) -> float:
    """Lithium lost by the cathode without the charge [mol], from the isotopes seen at the cathode/separator plane.

    ``dN = (integral(-dmu) dV / N_A - (sigma6 - sigma7) D6) / (f sigma6 + (1 - f) sigma7)``.

    Parameters
    ----------
    cathode_loss:
        Attenuation lost by the cathode, integrated over its volume [m^2].
    plane_fraction:
        Li-6 fraction at the plane, averaged over the charge.
    diffused_lithium6:
        Li-6 that left against Li-7 by diffusion across the plane, which carries no charge [mol]; see
        `diffused_lithium6_from_gradient`. Leaving it out overestimates the lithium lost.
    """
    contrast = contrast_from_cross_sections(sigma6=sigma6, sigma7=sigma7)
    f = checked(plane_fraction, unit="", name="plane_fraction")
    sigma = lithium_cross_section_from_fraction(lithium6_fraction=f, sigma6=sigma6, sigma7=sigma7)
    positive(sigma, unit="m^2", name="cross section at the plane")
    loss = checked(cathode_loss, unit="m^2", name="cathode_loss")
    diffused = checked(diffused_lithium6, unit="mol", name="diffused_lithium6")
    return float((loss / AVOGADRO - contrast * diffused) / sigma)


def diffused_lithium6_from_gradient(
    *,
    mean_gradient: float,
    lithium_concentration: float,
    tracer_diffusivity: float,
    area: float,
    duration: float,
) -> float:
    """Li-6 that diffused through a plane along +z against Li-7 [mol], ``-c D* A t df/dz``.

    Parameters
    ----------
    mean_gradient:
        Gradient of the Li-6 fraction at the plane, averaged over time [1/m].
    lithium_concentration, tracer_diffusivity:
        Of lithium in the separator [mol/m^3], [m^2/s].
    area, duration:
        [m^2], [s].
    """
    concentration = positive(lithium_concentration, unit="mol/m^3", name="lithium_concentration")
    diffusivity = not_negative(tracer_diffusivity, unit="m^2/s", name="tracer_diffusivity")
    return float(-concentration * diffusivity * area * duration * mean_gradient)


def lithiation_without_charge(
    *,
    cathode_loss: float,
    cathode_loss_sigma: float,
    cathode_loss_terms: Mapping[str, float],
    plane_fraction: float,
    plane_fraction_sigma: float,
    plane_fraction_terms: Mapping[str, float],
    active_lithium: float,
    active_lithium_sigma: float,
    sigma6: float,
    sigma7: float,
    diffused_lithium6: float,
    diffused_lithium6_sigma: float,
    initial_lithiation: float = 1.0,
) -> Figure:
    """Mean lithiation that does not use the charge, ``x_0 - dN / N_active`` with ``dN`` from `lost_lithium_from_plane`.

    Parameters
    ----------
    cathode_loss_sigma, plane_fraction_sigma:
        Statistical standard deviations [m^2], and of the fraction.
    cathode_loss_terms, plane_fraction_terms:
        One-sigma shifts by named systematic causes; a cause named in both moves both.
    active_lithium:
        Lithium of the full active material [mol].
    diffused_lithium6, diffused_lithium6_sigma:
        Li-6 that left by diffusion against Li-7, and its standard deviation [mol]. Where the tracer diffusivity times
        the separator's length is large against the lithium's drift it is most of the Li-6, and the figure says little.

    Returns
    -------
    A figure without a value where the plane shows too little Li-6, less than twice its error, to divide by.
    """
    name, full = "mean lithiation, without the charge", positive(active_lithium, unit="mol", name="active_lithium")
    plane_sigma = math.hypot(plane_fraction_sigma, *plane_fraction_terms.values())
    if plane_fraction < 2 * plane_sigma:
        why = f"The plane's Li-6 fraction, {plane_fraction:.4f}, is not above twice its error, {plane_sigma:.4f}."
        return undetermined(name=name, unit="", why=why)

    def lithiation(loss: float, plane: float, diffused: float, active: float) -> float:
        lost = lost_lithium_from_plane(
            cathode_loss=loss, plane_fraction=plane, diffused_lithium6=diffused, sigma6=sigma6, sigma7=sigma7
        )
        return initial_lithiation - lost / active

    nominal = {"loss": cathode_loss, "plane": plane_fraction, "diffused": diffused_lithium6, "active": float(full)}
    unit_shift = systematic_from_nuisances(
        function=lithiation, nominal=nominal, sigmas={"loss": cathode_loss_sigma, "plane": plane_fraction_sigma}
    )
    terms = {}
    for cause in sorted({*cathode_loss_terms, *plane_fraction_terms}):
        shift = {"loss": cathode_loss_terms.get(cause, 0.0), "plane": plane_fraction_terms.get(cause, 0.0)}
        above, below = (
            lithiation(**{**nominal, **{key: nominal[key] + sign * by for key, by in shift.items()}})
            for sign in (1, -1)
        )
        terms[cause] = (above - below) / 2
    rest = {"diffused": diffused_lithium6_sigma, "active": active_lithium_sigma}
    further = systematic_from_nuisances(function=lithiation, nominal=nominal, sigmas=rest)
    terms |= {"isotope diffusion": further["diffused"], "active mass": further["active"]}
    return Figure(
        name=name,
        value=lithiation(**nominal),
        unit="",
        statistical=math.hypot(*unit_shift.values()),
        terms=terms,
    )
