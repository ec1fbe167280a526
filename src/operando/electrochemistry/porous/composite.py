"""A composite electrode as the porous closure sees it: volume fractions, effective transport and particle size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from operando.electrochemistry.porous.electrode import PorousCell
from operando.errors import InputError
from operando.materials.composites import measured_transport
from operando.materials.transport import effective_conductivity_from_fraction

if TYPE_CHECKING:
    from operando.electrochemistry.porous.electrode import Particles
    from operando.frames import Array, Grid

_FRACTIONS = ("active", "electrolyte", "additive", "pores")


@dataclass(frozen=True, eq=False)
class Composite:
    """What a composite consists of and how it conducts; each a number, or a map ``(z, y, x)``.

    Attributes
    ----------
    active, electrolyte, additive, pores:
        Volume fractions of active material, electrolyte, electronic additive and pores; they add up to 1.
    particle_radius:
        Of the active material [m]: spheres of this radius have its reacting surface, ``3 active / R`` per volume.
    ionic_conductivity, electronic_conductivity:
        Effective [S/m].
    """

    active: Array | float
    electrolyte: Array | float
    additive: Array | float
    pores: Array | float
    particle_radius: Array | float
    ionic_conductivity: Array | float
    electronic_conductivity: Array | float

    def __post_init__(self) -> None:
        for name in _FRACTIONS:
            _require(name, getattr(self, name), "from 0 to 1", lambda v: (v >= 0) & (v <= 1))
        for name in ("particle_radius", "ionic_conductivity", "electronic_conductivity"):
            _require(name, getattr(self, name), "finite and above zero", lambda v: (v > 0) & (v < np.inf))
        total = sum(np.asarray(getattr(self, name)) for name in _FRACTIONS)
        if not np.allclose(total, 1.0, rtol=0, atol=1e-6):
            raise InputError(
                "volume fractions",
                must="such that active, electrolyte, additive and pores add up to 1",
                received=f"sums from {np.min(total):.6g} to {np.max(total):.6g}",
            )


def composite_from_fractions(
    *,
    active: Array | float,
    electrolyte: Array | float,
    additive: Array | float = 0.0,
    particle_radius: Array | float,
    electrolyte_conductivity: float,
    active_conductivity: float,
    additive_conductivity: float = 0.0,
    exponent: float = 1.5,
) -> Composite:
    """Let every phase conduct by the power of its volume fraction, ``sigma epsilon^b``; the rest is pores.

    Active material and additive conduct electrons side by side: the sum of both is a lower bound where they touch.
    Measured composites fall off faster than Bruggeman's b = 3/2, see `composite_from_measurement`.

    Parameters
    ----------
    electrolyte_conductivity, active_conductivity, additive_conductivity:
        Of the phases themselves [S/m].
    exponent:
        b.
    """

    def power(conductivity: float, fraction: Array | float) -> Any:
        return effective_conductivity_from_fraction(conductivity=conductivity, fraction=fraction, exponent=exponent)

    filled = np.asarray(active) + np.asarray(electrolyte) + np.asarray(additive)
    if np.max(filled) > 1 + 1e-9:
        raise InputError("volume fractions", must="at most 1 together", received=float(np.max(filled)))
    pores = np.maximum(1 - filled, 0.0)
    return Composite(
        active=active,
        electrolyte=electrolyte,
        additive=additive,
        pores=pores if pores.ndim else float(pores),
        particle_radius=particle_radius,
        ionic_conductivity=power(electrolyte_conductivity, electrolyte),
        electronic_conductivity=power(active_conductivity, active) + power(additive_conductivity, additive),
    )


def composite_from_measurement(
    *,
    active_share: float,
    additive_mass_fraction: float = 0.0,
    particle_radius: float = 1e-6,
    method: str | None = None,
) -> Composite:
    """Take what was measured of NCM83 in Li6PS5Cl; see `operando.materials.composites.measured_transport`."""
    found = measured_transport(active_share=active_share, additive_mass_fraction=additive_mass_fraction, method=method)
    return Composite(
        active=found.active,
        electrolyte=found.electrolyte,
        additive=found.additive,
        pores=found.pores,
        particle_radius=particle_radius,
        ionic_conductivity=found.ionic_conductivity,
        electronic_conductivity=found.electronic_conductivity,
    )


def porous_cell(
    *,
    grid: Grid,
    where: Array,
    composite: Composite,
    particles: Particles,
    separator_conductivity: Array | float,
    counter: Mapping[str, Any] | None = None,
) -> PorousCell:
    """Lay a composite on the voxels `where` it is, and the separator on all others.

    Parameters
    ----------
    where:
        Boolean ``(z, y, x)``.
    particles:
        Their laws; radius and its map are the composite's.
    separator_conductivity:
        A number or a map ``(z, y, x)`` [S/m]; 0 where there is no cell.
    counter:
        What else `PorousCell` takes, such as ``counter_potential``.
    """
    if np.shape(where) != grid.shape or np.asarray(where).dtype != bool:
        raise InputError("where", must=f"boolean of shape {grid.shape}", received=np.shape(where))
    for name in Composite.__dataclass_fields__:
        if np.shape(getattr(composite, name)) not in ((), grid.shape):
            raise InputError(
                name, must=f"a number or of shape {grid.shape}", received=np.shape(getattr(composite, name))
            )
    return PorousCell(
        grid=grid,
        particles=particles,
        electronic_conductivity=np.where(where, composite.electronic_conductivity, 0.0),
        ionic_conductivity=np.where(where, composite.ionic_conductivity, separator_conductivity),
        active_fraction=np.where(where, composite.active, 0.0),
        particle_radius=composite.particle_radius,
        **(counter or {}),
    )


def _require(name: str, value: Array | float, must: str, allowed: Any) -> None:
    values = np.asarray(value, dtype=float)
    if not allowed(values).all():
        raise InputError(name, must=must, received=float(values[~allowed(values)][0]))
