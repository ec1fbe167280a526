"""Lithiation of every voxel of the cathode once it is known which isotopes leave."""

from __future__ import annotations

from typing import Any

from operando.lithium.checked import Values, checked, labelled, not_negative
from operando.lithium.lithiation import lithiation_slope, lithium_cross_section_from_fraction


def lithiation_from_attenuation_change(
    *,
    attenuation_change: Values,
    site_concentration: Values,
    leaving_fraction: float,
    sigma6: float,
    sigma7: float,
    initial_lithiation: Values = 1.0,
) -> Any:
    """Local lithiation, ``x_0 + dmu / (N_A c_sites (sigma6 f + sigma7 (1 - f)))``.

    Host atoms, electrolyte and calibration offset cancel in the change. It holds where the electrolyte's isotopes do
    not change while lithium leaves; its average over the cathode is that of the mass balance that gave
    `leaving_fraction`.

    Parameters
    ----------
    attenuation_change:
        Since the initial state, negative where lithium left [1/m].
    site_concentration:
        Lithium of the full active material, pores included in the volume [mol/m^3].
    leaving_fraction:
        Li-6 fraction of the lithium that has left.
    """
    change = checked(attenuation_change, unit="1/m", name="attenuation_change")
    slope = _slope(site_concentration, leaving_fraction, sigma6, sigma7)
    initial = checked(initial_lithiation, unit="", name="initial_lithiation")
    return labelled(initial + change * slope, name="lithiation", units="")


def lithiation_var_from_attenuation_var(
    *, attenuation_var: Values, site_concentration: Values, leaving_fraction: float, sigma6: float, sigma7: float
) -> Any:
    """Statistical variance of the local lithiation; `attenuation_var` is that of the change [1/m^2]."""
    variance = not_negative(attenuation_var, unit="1/m^2", name="attenuation_var")
    slope = _slope(site_concentration, leaving_fraction, sigma6, sigma7)
    return labelled(variance * slope**2, name="lithiation_var", units="")


def _slope(site_concentration: Values, leaving_fraction: float, sigma6: float, sigma7: float) -> Any:
    sigma = lithium_cross_section_from_fraction(lithium6_fraction=leaving_fraction, sigma6=sigma6, sigma7=sigma7)
    return lithiation_slope(site_concentration=site_concentration, lithium_cross_section=sigma)
