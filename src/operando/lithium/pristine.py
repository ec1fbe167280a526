"""What the first scan says of the cell as assembled: attenuation scale, enrichment and masses, together.

Sums over a layer, attenuation times thickness, do not depend on its porosity or density: only on how much of what is
in it. The cathode's sum fixes the scale of attenuation, the separator's then the Li-6 fraction of the electrolyte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from operando.cell.amounts import area_from_cell
from operando.cell.model import Cell
from operando.cell.optics import cross_section_of, host_cross_section_of, lithium_isotopes
from operando.lithium.inference import Posterior, posterior_from_measured
from operando.materials.cross_sections import PAPER_TABLE, CrossSections
from operando.materials.formula import AVOGADRO
from operando.units import Measured

SCALE = Measured(1.0, 0.03)
"""Attenuation as reconstructed over that by the tables, before any reference is used: spectrum, hardening, scatter."""


@dataclass(frozen=True)
class Contents:
    """Amounts in the cell's layers that follow from masses [mol], and the cross sections of their hosts [m^2].

    Attributes
    ----------
    active, cathode_electrolyte, separator:
        Formula units.
    """

    active: float
    cathode_electrolyte: float
    separator: float


def contents_from_masses(
    *, cell: Cell, cathode_mass: float, active_weight: float, separator_mass: float, lithium6_fraction: float
) -> Contents:
    """Formula units in the layers, masses in kg."""
    electrolyte = cell.electrolyte.composition.with_lithium6_fraction(lithium6_fraction).molar_mass
    return Contents(
        active=cathode_mass * active_weight / cell.cathode.active.composition.molar_mass,
        cathode_electrolyte=cathode_mass * (1 - active_weight) / electrolyte,
        separator=separator_mass / electrolyte,
    )


def path_lithium6_from_contents(*, cell: Cell, contents: Contents, lithium6_fraction: float, path: float) -> float:
    """Li-6 that has come from the cathode into the separator before the first scan [mol], a share of all it had."""
    active, electrolyte = cell.cathode.active.composition, cell.electrolyte.composition
    held = contents.active * active.lithium * active.lithium6_fraction
    return path * (held + contents.cathode_electrolyte * electrolyte.lithium * lithium6_fraction)


def layer_sums_from_contents(
    *,
    cell: Cell,
    contents: Contents,
    lithium6_fraction: float,
    initial_lithiation: float = 1.0,
    path: float = 0.0,
    table: CrossSections = PAPER_TABLE,
) -> dict[str, float]:
    """Attenuation integrated across each layer (dimensionless), ``N_A sum_i n_i sigma_i / A``."""
    sigma6, sigma7 = lithium_isotopes(table=table)
    active, electrolyte = cell.cathode.active.composition, cell.electrolyte.composition
    per_electrolyte = host_cross_section_of(electrolyte, table=table) + electrolyte.lithium * (
        lithium6_fraction * sigma6 + (1 - lithium6_fraction) * sigma7
    )
    host = host_cross_section_of(active, table=table)
    per_active = host + initial_lithiation * (cross_section_of(active, table=table) - host)
    per_area = AVOGADRO / area_from_cell(cell=cell)
    # Li-6 that came over was exchanged for Li-7
    crossed = (sigma6 - sigma7) * path_lithium6_from_contents(
        cell=cell, contents=contents, lithium6_fraction=lithium6_fraction, path=path
    )
    return {
        "cathode": per_area * (contents.active * per_active + contents.cathode_electrolyte * per_electrolyte - crossed),
        "separator": per_area * (contents.separator * per_electrolyte + crossed),
    }


def pristine_from_layer_sums(
    *, cell: Cell, sums: Mapping[str, Measured], initial_lithiation: Measured, table: CrossSections = PAPER_TABLE
) -> Posterior:
    """Attenuation scale, Li-6 fraction of the electrolyte, masses and lithiation at the first scan.

    Parameters
    ----------
    sums:
        Attenuation integrated across ``cathode``, ``separator`` or both, as reconstructed (dimensionless). A reference
        that is left out leaves its parameters to their priors.

    Returns
    -------
    Posterior of ``attenuation scale``, ``enrichment`` (Li-6 fraction of the electrolyte), ``cathode mass``,
    ``active weight``, ``separator mass``, ``initial lithiation`` and ``path``, the share of the cathode's Li-6 that has
    come into the separator.
    """
    lithium7 = cell.electrolyte.lithium7 or Measured(1.0 - cell.electrolyte.composition.lithium6_fraction)
    priors = {
        "scale": SCALE,
        "enrichment": Measured(1.0 - lithium7.value, lithium7.sigma),
        "cathode_mass": cell.cathode.mass,
        "active_weight": cell.cathode.active_weight,
        "separator_mass": cell.separator.mass,
        "initial_lithiation": initial_lithiation,
        "path": cell.separator.initial_path,
    }

    def predicted(
        scale: float,
        enrichment: float,
        cathode_mass: float,
        active_weight: float,
        separator_mass: float,
        initial_lithiation: float,
        path: float,
    ) -> dict[str, float]:
        contents = contents_from_masses(
            cell=cell,
            cathode_mass=cathode_mass,
            active_weight=active_weight,
            separator_mass=separator_mass,
            lithium6_fraction=min(max(enrichment, 0.0), 1.0),
        )
        layers = layer_sums_from_contents(
            cell=cell,
            contents=contents,
            lithium6_fraction=enrichment,
            initial_lithiation=initial_lithiation,
            path=path,
            table=table,
        )
        return {name: scale * layers[name] for name in sums}

    return posterior_from_measured(priors=priors, measured=sums, predicted=predicted)
