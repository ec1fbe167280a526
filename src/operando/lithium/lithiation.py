"""Lithiation of a composite cathode from its attenuation, Equation 8 of doi:10.1016/j.xcrp.2026.103136.

The paper prints ``rho_j sigma_i rho_i`` inside the sum where ``rho_j sigma_i n_i`` is meant, as in its Equation 4; only
the latter has the unit of an attenuation. Cross sections are in m^2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from operando.errors import InputError
from operando.lithium.checked import (
    Values,
    checked,
    contrast_from_cross_sections,
    fraction,
    labelled,
    not_negative,
    positive,
)
from operando.materials.formula import AVOGADRO, LITHIUM6_NATURAL

EXTRA_LITHIUM6 = 0.01
"""Li-6 that the paper adds to the cathode's electrolyte, as a fraction of its lithium."""

SCENARIOS = ("no mixing", "1 % mixing", "linear in time")
"""The scenarios of the paper's Fig. 8."""


def lithium_cross_section_from_fraction(*, lithium6_fraction: Values, sigma6: float, sigma7: float) -> Any:
    """Cross section of a mean lithium atom [m^2], ``f sigma6 + (1 - f) sigma7``."""
    contrast = contrast_from_cross_sections(sigma6=sigma6, sigma7=sigma7)
    return sigma7 + contrast * checked(lithium6_fraction, unit="", name="lithium6_fraction")


def lithiation_from_attenuation(
    *, attenuation: Values, host_attenuation: Values, site_concentration: Values, lithium_cross_section: float
) -> Any:
    """Lithium per site of the active material, ``(mu - mu_host) / (N_A c_sites sigma_Li)`` (Equation 8).

    It holds where the electrolyte keeps its isotopes and the active material's lithium is all of one composition.

    Parameters
    ----------
    attenuation, host_attenuation:
        Of the cathode, and of all that is in it but the active material's lithium: its other atoms and the whole
        electrolyte, pores included in the volume [1/m].
    site_concentration:
        Lithium of the active material when full, pores included in the volume [mol/m^3].
    lithium_cross_section:
        Of the active material's lithium [m^2]; see `lithium_cross_section_from_fraction`.
    """
    mu = checked(attenuation, unit="1/m", name="attenuation")
    host = not_negative(host_attenuation, unit="1/m", name="host_attenuation")
    slope = lithiation_slope(site_concentration=site_concentration, lithium_cross_section=lithium_cross_section)
    return labelled((mu - host) * slope, name="lithiation", units="")


def lithiation_slope(*, site_concentration: Values, lithium_cross_section: float) -> Any:
    """Lithiation per attenuation [m], ``1 / (N_A c_sites sigma_Li)``; its square takes variance to variance."""
    sites = positive(site_concentration, unit="mol/m^3", name="site_concentration")
    sigma = positive(lithium_cross_section, unit="m^2", name="lithium_cross_section")
    return labelled(1 / (AVOGADRO * sites * sigma), name="lithiation_slope", units="m")


def apparent_lithiation_from_electrolyte(
    *,
    extra_lithium6: Values,
    electrolyte_concentration: Values,
    site_concentration: Values,
    sigma6: float,
    sigma7: float,
    natural_fraction: float = LITHIUM6_NATURAL,
) -> Any:
    """Lithiation that Equation 8 sees where only the electrolyte's isotopes changed.

    ``(c_e / c_sites) df (sigma6 - sigma7) / sigma_nat``. The ratio of concentrations is the ratio of amounts, so no
    density or porosity enters.

    Parameters
    ----------
    extra_lithium6:
        Rise of the Li-6 fraction of the electrolyte's lithium.
    electrolyte_concentration, site_concentration:
        Lithium in the electrolyte and sites in the active material: [mol/m^3] both, or [mol] both.
    natural_fraction:
        Li-6 fraction of the active material's lithium.
    """
    contrast = contrast_from_cross_sections(sigma6=sigma6, sigma7=sigma7)
    sites = positive(site_concentration, unit="mol/m^3", name="site_concentration")
    electrolyte = not_negative(electrolyte_concentration, unit="mol/m^3", name="electrolyte_concentration")
    sigma = lithium_cross_section_from_fraction(lithium6_fraction=natural_fraction, sigma6=sigma6, sigma7=sigma7)
    return checked(extra_lithium6, unit="", name="extra_lithium6") * electrolyte / sites * contrast / sigma


def lithiation_scenarios_from_attenuation(
    *,
    attenuation: xr.DataArray,
    attenuation_var: xr.DataArray,
    host_attenuation: float,
    site_concentration: float,
    electrolyte_concentration: float,
    sigma6: float,
    sigma7: float,
    charge_start: float,
    charge_end: float,
    natural_fraction: float = LITHIUM6_NATURAL,
    extra_lithium6: float = EXTRA_LITHIUM6,
) -> xr.Dataset:
    """Lithiation over time in the three scenarios of the paper's Fig. 8.

    1. ``no mixing``: the electrolyte keeps its isotopes, natural lithium leaves.
    2. ``1 % mixing``: the electrolyte has `extra_lithium6` more Li-6 throughout.
    3. ``linear in time``: from the first at `charge_start` to the second at `charge_end`, and constant outside.

    Parameters
    ----------
    attenuation, attenuation_var:
        Of the cathode, with dimension ``time`` (coordinate in s) and any other [1/m], [1/m^2].
    charge_start, charge_end:
        When the first charge began and ended, on the clock of ``time`` [s].

    Returns
    -------
    Dataset with ``lithiation`` and ``lithiation_var``, dims ``(scenario, time, ...)``.
    """
    if "time" not in attenuation.coords:
        raise InputError("attenuation", must="labelled with a coordinate time [s]", received=tuple(attenuation.coords))
    if not charge_end > charge_start:
        raise InputError("charge_end", must="later than charge_start", received=(charge_start, charge_end))
    fraction(extra_lithium6, name="extra_lithium6")
    sigma = lithium_cross_section_from_fraction(lithium6_fraction=natural_fraction, sigma6=sigma6, sigma7=sigma7)
    pristine = lithiation_from_attenuation(
        attenuation=attenuation,
        host_attenuation=host_attenuation,
        site_concentration=site_concentration,
        lithium_cross_section=sigma,
    )
    shift = apparent_lithiation_from_electrolyte(
        extra_lithium6=extra_lithium6,
        electrolyte_concentration=electrolyte_concentration,
        site_concentration=site_concentration,
        sigma6=sigma6,
        sigma7=sigma7,
        natural_fraction=natural_fraction,
    )
    slope = lithiation_slope(site_concentration=site_concentration, lithium_cross_section=sigma)
    variance = not_negative(attenuation_var, unit="1/m^2", name="attenuation_var") * slope**2
    progress = ((attenuation.time - charge_start) / (charge_end - charge_start)).clip(0, 1)
    scenario = xr.DataArray(list(SCENARIOS), dims="scenario", name="scenario")
    lithiation = xr.concat([pristine, pristine - shift, pristine - shift * progress], dim=scenario)
    return xr.Dataset(
        {
            "lithiation": labelled(lithiation, name="lithiation", units=""),
            "lithiation_var": labelled(
                variance.expand_dims(scenario=scenario).transpose(*lithiation.dims), name="lithiation_var", units=""
            ),
        }
    )


def apparent_delithiation_ratio(
    *, leaving_fraction: float, sigma6: float, sigma7: float, natural_fraction: float = LITHIUM6_NATURAL
) -> float:
    """Delithiation that Equation 8 sees over the true one, ``sigma(f_leave) / sigma(f_nat)``.

    Under full exchange the lithium that leaves is the mixture of active material and electrolyte, and without the
    Li-7 term the ratio is that of the fractions, ``n_active / (n_active + n_electrolyte)``.
    """
    leaving, natural = (
        lithium_cross_section_from_fraction(lithium6_fraction=f, sigma6=sigma6, sigma7=sigma7)
        for f in (fraction(leaving_fraction, name="leaving_fraction"), natural_fraction)
    )
    return float(np.divide(leaving, natural))
