"""Li-6 and Li-7 from attenuation where the amount of lithium is known: the solid electrolyte.

Equations 6 and 7 of doi:10.1016/j.xcrp.2026.103136 are two equations in two unknowns. With ``c`` moles of lithium per
volume and ``f`` the atom fraction of Li-6 their solution is
``f = ((mu - mu_host) / (N_A c) - sigma7) / (sigma6 - sigma7)``. Cross sections are in m^2.
"""

from __future__ import annotations

from typing import Any

from operando.lithium.checked import (
    Values,
    checked,
    contrast_from_cross_sections,
    fraction,
    labelled,
    not_negative,
    positive,
)
from operando.materials.formula import AVOGADRO

ARGYRODITE_LITHIUM = 5.5
"""Lithium atoms per formula unit of Li5.5PS4.5Cl1.5."""


def lithium6_fraction_from_attenuation(
    *, attenuation: Values, host_attenuation: Values, lithium_concentration: Values, sigma6: float, sigma7: float
) -> Any:
    """Atom fraction of Li-6, ``((mu - mu_host) / (N_A c) - sigma7) / (sigma6 - sigma7)``.

    Not clipped to 0 to 1: noise goes both ways, and clipping it would bias every average.

    Parameters
    ----------
    attenuation, host_attenuation:
        Of a voxel and of all its atoms but lithium, pores included in the volume [1/m].
    lithium_concentration:
        All lithium of a voxel, pores included in the volume [mol/m^3].
    """
    contrast = contrast_from_cross_sections(sigma6=sigma6, sigma7=sigma7)
    mu = checked(attenuation, unit="1/m", name="attenuation")
    host = not_negative(host_attenuation, unit="1/m", name="host_attenuation")
    lithium = positive(lithium_concentration, unit="mol/m^3", name="lithium_concentration")
    return labelled(((mu - host) / (AVOGADRO * lithium) - sigma7) / contrast, name="lithium6_fraction", units="")


def lithium6_change_from_attenuation_change(
    *, attenuation_change: Values, lithium_concentration: Values, sigma6: float, sigma7: float
) -> Any:
    """Change of the Li-6 fraction, ``dmu / (N_A c (sigma6 - sigma7))``: the host atoms cancel.

    Arguments as in `lithium6_fraction_from_attenuation`.
    """
    contrast = contrast_from_cross_sections(sigma6=sigma6, sigma7=sigma7)
    change = checked(attenuation_change, unit="1/m", name="attenuation_change")
    lithium = positive(lithium_concentration, unit="mol/m^3", name="lithium_concentration")
    return labelled(change / (AVOGADRO * lithium * contrast), name="lithium6_change", units="")


def lithium6_var_from_attenuation_var(
    *, attenuation_var: Values, lithium_concentration: Values, sigma6: float, sigma7: float
) -> Any:
    """Statistical variance of the Li-6 fraction (or its change), ``var(mu) / (N_A c (sigma6 - sigma7))^2``.

    Arguments as in `lithium6_fraction_from_attenuation`; `attenuation_var` [1/m^2].
    """
    contrast = contrast_from_cross_sections(sigma6=sigma6, sigma7=sigma7)
    variance = not_negative(attenuation_var, unit="1/m^2", name="attenuation_var")
    lithium = positive(lithium_concentration, unit="mol/m^3", name="lithium_concentration")
    return labelled(variance / (AVOGADRO * lithium * contrast) ** 2, name="lithium6_fraction_var", units="")


def attenuation_from_lithium6_fraction(
    *, lithium6_fraction: Values, host_attenuation: Values, lithium_concentration: Values, sigma6: float, sigma7: float
) -> Any:
    """Attenuation [1/m], ``mu_host + N_A c (f sigma6 + (1 - f) sigma7)``; arguments as in the inverse."""
    contrast = contrast_from_cross_sections(sigma6=sigma6, sigma7=sigma7)
    f = checked(lithium6_fraction, unit="", name="lithium6_fraction")
    host = not_negative(host_attenuation, unit="1/m", name="host_attenuation")
    lithium = not_negative(lithium_concentration, unit="mol/m^3", name="lithium_concentration")
    return labelled(host + AVOGADRO * lithium * (sigma7 + contrast * f), name="attenuation", units="1/m")


def isotopes_per_formula_unit(*, lithium6_fraction: Values, lithium: float = ARGYRODITE_LITHIUM) -> tuple[Any, Any]:
    """Li-6 and Li-7 atoms per formula unit, ``n6 = n f`` and ``n7 = n (1 - f)`` (Equation 6)."""
    f = checked(lithium6_fraction, unit="", name="lithium6_fraction")
    return (
        labelled(lithium * f, name="lithium6_per_formula_unit", units=""),
        labelled(lithium * (1 - f), name="lithium7_per_formula_unit", units=""),
    )


def lithium_concentration_from_density(
    *, density: float, molar_mass: float, solid_fraction: Values = 1.0, lithium: float = ARGYRODITE_LITHIUM
) -> Any:
    """Lithium per volume, pores included [mol/m^3], ``n rho s / M``.

    Parameters
    ----------
    density, molar_mass:
        Of the solid [kg/m^3] and of a formula unit with its isotopes [kg/mol].
    solid_fraction:
        One less the porosity.
    lithium:
        Lithium atoms per formula unit.
    """
    rho = positive(density, unit="kg/m^3", name="density")
    mass = positive(molar_mass, unit="kg/mol", name="molar_mass")
    solid = fraction(solid_fraction, name="solid_fraction")
    return labelled(lithium * rho * solid / mass, name="lithium_concentration", units="mol/m^3")


def lithium6_sensitivities(
    *, attenuation: Values, host_attenuation: Values, lithium_concentration: Values, sigma6: float, sigma7: float
) -> dict[str, Any]:
    """How far the Li-6 fraction moves with each input that is only assumed.

    Derivatives of `lithium6_fraction_from_attenuation`, each by the relative change of its input (but for ``offset``,
    per 1/m):

    - ``attenuation scale``: ``+mu / (N_A c dsigma)``, of the calibration;
    - ``solid fraction``: ``-mu / (N_A c dsigma)``, of density and porosity, which scale host and lithium alike. It is
      the exact opposite of the scale: an image of one material cannot tell the two apart;
    - ``host attenuation``: ``-mu_host / (N_A c dsigma)``, of the host's cross sections;
    - ``sigma6``: ``-f sigma6 / dsigma``; ``sigma7``: ``-(1 - f) sigma7 / dsigma``;
    - ``offset``: ``1 / (N_A c dsigma)``, of an error added to the attenuation, such as scatter.

    Arguments as in `lithium6_fraction_from_attenuation`.
    """
    f = lithium6_fraction_from_attenuation(
        attenuation=attenuation,
        host_attenuation=host_attenuation,
        lithium_concentration=lithium_concentration,
        sigma6=sigma6,
        sigma7=sigma7,
    )
    contrast = sigma6 - sigma7
    per_attenuation = 1 / (
        AVOGADRO * checked(lithium_concentration, unit="mol/m^3", name="lithium_concentration") * contrast
    )
    mu = checked(attenuation, unit="1/m", name="attenuation")
    host = checked(host_attenuation, unit="1/m", name="host_attenuation")
    return {
        "attenuation scale": mu * per_attenuation,
        "solid fraction": -mu * per_attenuation,
        "host attenuation": -host * per_attenuation,
        "sigma6": -f * sigma6 / contrast,
        "sigma7": -(1 - f) * sigma7 / contrast,
        "offset": per_attenuation,
    }


def enrichment_sensitivity(
    *, attenuation: Values, reference_attenuation: Values, reference_lithium: Values, lithium_concentration: Values
) -> Any:
    """How far the Li-6 fraction moves with the assumed enrichment of the material that fixed the attenuation scale.

    A scale fixed on a reference of assumed Li-6 fraction ``f_r`` moves by ``N_A c_r dsigma / mu_r`` relatively, so
    ``df / df_r = (mu / mu_r) (c_r / c)``: for the pristine separator itself the whole error of its enrichment.

    Parameters
    ----------
    attenuation, reference_attenuation:
        Of the voxel and of the reference [1/m].
    reference_lithium, lithium_concentration:
        Lithium of uncertain enrichment in the reference, and all lithium in the voxel [mol/m^3].
    """
    mu = checked(attenuation, unit="1/m", name="attenuation")
    mu_reference = positive(reference_attenuation, unit="1/m", name="reference_attenuation")
    c_reference = not_negative(reference_lithium, unit="mol/m^3", name="reference_lithium")
    lithium = positive(lithium_concentration, unit="mol/m^3", name="lithium_concentration")
    return mu / mu_reference * (c_reference / lithium)
