"""What was measured of whole composites of active material and solid electrolyte, at room temperature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from operando.errors import InputError
from operando.materials.tables import rows_from_table

FIBRE_DENSITY = 2000.0
"""Of vapour-grown carbon fibres [kg/m^3]."""

_DENSITIES = {"NCM83": 4780.0, "Li6PS5Cl": 1860.0}
"""With which the source weighed its volume fractions [kg/m^3]."""


@dataclass(frozen=True)
class MeasuredTransport:
    """Effective transport of a composite.

    Attributes
    ----------
    active, electrolyte, additive, pores:
        Volume fractions; they add up to 1.
    ionic_conductivity, electronic_conductivity:
        Effective [S/m].
    source:
        Where from, and what of it is not the source's own.
    """

    active: float
    electrolyte: float
    additive: float
    pores: float
    ionic_conductivity: float
    electronic_conductivity: float
    source: str


def measured_transport(
    *, active_share: float, additive_mass_fraction: float = 0.0, method: str | None = None
) -> MeasuredTransport:
    """Look up NCM83 in Li6PS5Cl, with or without carbon fibres.

    Between two measured compositions the logarithms of the conductivities run straight, and so does the porosity.

    Parameters
    ----------
    active_share:
        Volume of NCM83 over that of NCM83 and electrolyte, 0.2 to 0.8; with fibres 0.4 alone was measured.
    additive_mass_fraction:
        Of carbon fibres, 0 to 0.05.
    method:
        ``impedance`` or ``polarisation``; by default the first without fibres, and the second with.

    Raises
    ------
    InputError
        Beyond what was measured.
    """
    method = method or ("polarisation" if additive_mass_fraction else "impedance")
    rows = [row for row in rows_from_table("composite_measurements") if row["method"] == method]
    if not rows:
        raise InputError("method", must="impedance or polarisation", received=method)
    if additive_mass_fraction:
        name, at = "additive_mass_fraction", additive_mass_fraction
        rows = [row for row in rows if float(row["active_share"]) == active_share]
    else:
        name, at = "active_share", active_share
        rows = [row for row in rows if float(row["additive_mass_fraction"]) == 0.0]
    places = [float(row[name]) for row in rows]
    if len(rows) < 2 or not min(places) <= at <= max(places):
        raise InputError(
            "composition",
            must="one that was measured, or between two that were",
            received=f"active share {active_share}, additive mass fraction {additive_mass_fraction} by {method}",
            remedy="Without fibres take a share of 0.2 to 0.8; with up to 0.05 of fibres one of 0.4, by polarisation.",
        )

    def between(quantity: str) -> float:
        return float(np.interp(at, places, [float(row[quantity]) for row in rows]))

    def between_logarithms(quantity: str) -> float:
        return float(np.exp(np.interp(at, places, [np.log(float(row[quantity])) for row in rows])))

    solids = _solids(active_share, additive_mass_fraction)
    pores = between("porosity")
    active, electrolyte, additive = (part * (1 - pores) for part in solids)
    return MeasuredTransport(
        active=active,
        electrolyte=electrolyte,
        additive=additive,
        pores=pores,
        ionic_conductivity=between_logarithms("ionic_conductivity"),
        electronic_conductivity=between_logarithms("electronic_conductivity"),
        source=rows[int(np.searchsorted(places, at))]["source"],
    )


def _solids(active_share: float, additive_mass_fraction: float) -> tuple[float, float, float]:
    """Volume fractions of active material, electrolyte and fibres in the solid."""
    density = active_share * _DENSITIES["NCM83"] + (1 - active_share) * _DENSITIES["Li6PS5Cl"]
    matrix, fibres = (1 - additive_mass_fraction) / density, additive_mass_fraction / FIBRE_DENSITY
    share = matrix / (matrix + fibres)
    return active_share * share, (1 - active_share) * share, 1 - share
