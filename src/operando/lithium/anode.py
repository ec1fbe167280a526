"""Indium, lithium and their alloy in the anode: what attenuation and X-ray labels can say, and what they cannot.

X-rays tell lithium from indium, and neutrons lithium from void. Between indium and LiIn neutrons see 10 % of contrast,
less than the noise of a voxel and than the hardening of indium, and X-rays see nothing through 3 mm of indium: the
alloy is known from labels or from change, not from single voxels.
"""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from operando.cell.phases import LABEL
from operando.errors import InputError
from operando.lithium.budget import Figure, undetermined
from operando.lithium.checked import Values, checked, contrast_from_cross_sections, labelled, not_negative, positive
from operando.lithium.lithiation import lithium_cross_section_from_fraction
from operando.materials.formula import AVOGADRO

ANODE_PHASES = ("lithium", "indium", "lithium_indium", "void")
"""Phases of which an anode is made."""


def anode_volume_fractions(*, phases: xr.DataArray) -> dict[str, float]:
    """Volume fraction of each of the anode's phases in a label volume, voids included.

    Raises
    ------
    InputError
        If no voxel belongs to the anode.
    """
    counts = {name: int((phases == LABEL[name]).sum()) for name in ANODE_PHASES}
    total = sum(counts.values())
    if total == 0:
        raise InputError("phases", must="with voxels of the anode", received="none")
    return {name: count / total for name, count in counts.items()}


def lithium_from_volumes(*, volumes: Mapping[str, float], concentrations: Mapping[str, float]) -> float:
    """Lithium in the anode [mol], ``sum_j c_j V_j`` over the phases that hold any.

    Parameters
    ----------
    volumes:
        Of each phase [m^3].
    concentrations:
        Lithium in each phase [mol/m^3]; a phase that is not named holds none.
    """
    not_negative(xr.DataArray(list(volumes.values()), attrs={"units": "m^3"}), unit="m^3", name="volumes")
    return sum(volumes.get(name, 0.0) * float(c) for name, c in concentrations.items())


def alloyed_fraction_from_attenuation(
    *, attenuation: Values, indium_attenuation: float, alloy_attenuation: float
) -> tuple[object, float]:
    """Volume fraction of LiIn in a mixture with indium, without void, and its slope.

    ``(mu_In - mu) / (mu_In - mu_LiIn)``; the second result, ``-1 / (mu_In - mu_LiIn)`` [m], takes the error of `mu` to
    that of the fraction.
    """
    mu = checked(attenuation, unit="1/m", name="attenuation")
    indium = positive(indium_attenuation, unit="1/m", name="indium_attenuation")
    alloy = not_negative(alloy_attenuation, unit="1/m", name="alloy_attenuation")
    if not indium > alloy:
        raise InputError("alloy_attenuation", must="below indium_attenuation", received=(alloy, indium))
    slope = -1 / (indium - alloy)
    return labelled((mu - indium) * slope, name="alloyed_fraction", units=""), float(slope)


def lithium_gain_from_attenuation_gain(
    *, attenuation_gain: float, arriving_fraction: float, sigma6: float, sigma7: float
) -> float:
    """Lithium that the anode has gained [mol], ``integral(dmu) dV / (N_A (f sigma6 + (1 - f) sigma7))``.

    The indium is conserved, so its share cancels however it alloys, swells or flows, if the integral holds all of it:
    an average over the whole cell (Fig. 4) times the cell's volume.

    Parameters
    ----------
    attenuation_gain:
        Attenuation gained, integrated over the anode [m^2].
    arriving_fraction:
        Li-6 fraction of the lithium that arrived.
    """
    gain = checked(attenuation_gain, unit="m^2", name="attenuation_gain")
    sigma = lithium_cross_section_from_fraction(lithium6_fraction=arriving_fraction, sigma6=sigma6, sigma7=sigma7)
    return float(gain / (AVOGADRO * positive(sigma, unit="m^2", name="cross section of the arriving lithium")))


def lithium_gain_figure(
    *,
    attenuation_gain: float,
    attenuation_gain_sigma: float,
    indium_attenuation: float,
    indium_relative_sigma: float,
    arriving_fraction: float,
    arriving_fraction_sigma: float,
    sigma6: float,
    sigma7: float,
) -> Figure:
    """Lithium gained by the anode with its errors, or why it cannot be told.

    Parameters
    ----------
    attenuation_gain_sigma:
        Statistical standard deviation [m^2].
    indium_attenuation, indium_relative_sigma:
        Integral over all the anode's indium [m^2], and how constant it stays from scan to scan: hardening and labels.
    arriving_fraction_sigma:
        Systematic standard deviation of the fraction.
    """
    name, unit = "lithium gained by the anode", "mol"
    contrast = contrast_from_cross_sections(sigma6=sigma6, sigma7=sigma7)
    value = lithium_gain_from_attenuation_gain(
        attenuation_gain=attenuation_gain, arriving_fraction=arriving_fraction, sigma6=sigma6, sigma7=sigma7
    )
    sigma = sigma7 + contrast * arriving_fraction
    figure = Figure(
        name=name,
        value=value,
        unit=unit,
        statistical=attenuation_gain_sigma / (AVOGADRO * sigma),
        terms={
            "indium": indium_relative_sigma * indium_attenuation / (AVOGADRO * sigma),
            "arriving isotopes": -value * contrast / sigma * arriving_fraction_sigma,
        },
    )
    if abs(value) >= figure.total:
        return figure
    why = (
        f"The gain of attenuation gives {value * 1e6:.2g} +- {figure.total * 1e6:.2g} umol: enriched lithium hardly "
        "attenuates beside indium."
    )
    return undetermined(name=name, unit=unit, why=why)
