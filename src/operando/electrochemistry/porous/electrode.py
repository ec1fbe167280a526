"""A composite electrode, an electrolyte layer and a counter electrode on voxels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from operando.errors import InputError
from operando.frames import Array, Grid
from operando.materials.kinetics import (
    ROOM_TEMPERATURE,
    exchange_current_density_from_lithiation,
    thermal_voltage,
)
from operando.materials.open_circuit import open_circuit_curve
from operando.materials.transport import diffusivity_from_lithiation, transport_constant

Law = Callable[[Any], Any]
"""Of lithiation; takes and returns arrays of numpy or JAX, and JAX can differentiate it."""


@dataclass(frozen=True)
class Particles:
    """What every particle of a composite is made of.

    Attributes
    ----------
    radius:
        [m].
    maximum_concentration:
        Lithium at x = 1 [mol/m^3].
    open_circuit_potential:
        Against lithium metal [V].
    diffusivity:
        Chemical, of lithium [m^2/s].
    exchange_current_density:
        At the surface, of x there [A/m^2]; the reaction is symmetric.
    """

    radius: float
    maximum_concentration: float
    open_circuit_potential: Law
    diffusivity: Law
    exchange_current_density: Law

    def __post_init__(self) -> None:
        x = np.linspace(0.01, 0.99, 99)
        for name, value in (
            ("particle radius", self.radius),
            ("maximum concentration", self.maximum_concentration),
            ("diffusivity", self.diffusivity(x)),
            ("exchange current density", self.exchange_current_density(x)),
        ):
            if not (np.isfinite(value) & (np.asarray(value) > 0)).all():
                raise InputError(name, must="finite and above zero", received=value)
        for name, number in (("particle radius", self.radius), ("maximum concentration", self.maximum_concentration)):
            if np.ndim(number):
                raise InputError(name, must="one number for all particles", received=np.shape(number))
        if not np.isfinite(np.asarray(self.open_circuit_potential(x))).all():
            raise InputError("open-circuit potential", must="finite between x = 0.01 and 0.99", received="not")


def particles_of(material: str, *, radius: float, exchange_current_density: float) -> Particles:
    """Particles of a tabulated material.

    Parameters
    ----------
    exchange_current_density:
        At x = 1/2 [A/m^2].
    """
    return Particles(
        radius=radius,
        maximum_concentration=transport_constant(material=material, quantity="maximum_concentration").value,
        open_circuit_potential=open_circuit_curve(material),
        diffusivity=partial(_diffusivity, material),
        exchange_current_density=partial(_exchange, exchange_current_density),
    )


@dataclass(frozen=True, eq=False)
class PorousCell:
    """Layers along z: a collector below, a composite, an electrolyte layer, and a counter electrode above.

    All maps are ``(z, y, x)`` on the grid; sides are insulated. A voxel without ionic and electronic conductivity is
    not part of the cell.

    Attributes
    ----------
    electronic_conductivity, ionic_conductivity:
        Effective, of each voxel [S/m]; the first is zero outside the composite.
    active_fraction:
        Share of each voxel that is active material.
    counter_potential:
        Of the counter electrode against lithium metal [V].
    counter_resistance:
        Of its interface, one number or a map ``(y, x)`` [Ohm m^2]: contact and linear charge transfer in series.
    particle_radius, exchange_current_density, maximum_concentration:
        One number or a map [m], [A/m^2] at x = 1/2, [mol/m^3]; what `particles` says where none is given. The
        exchange current keeps the course with x that `particles` gives it.
    """

    grid: Grid
    particles: Particles
    electronic_conductivity: Array
    ionic_conductivity: Array
    active_fraction: Array
    counter_potential: float = 0.0
    counter_resistance: Array | float = 0.0
    temperature: float = ROOM_TEMPERATURE
    particle_radius: Array | float | None = None
    exchange_current_density: Array | float | None = None
    maximum_concentration: Array | float | None = None

    def __post_init__(self) -> None:
        for name in ("electronic_conductivity", "ionic_conductivity", "active_fraction"):
            values = np.asarray(getattr(self, name), dtype=float)
            if values.shape != self.grid.shape:
                raise InputError(name, must=f"of shape {self.grid.shape}", received=values.shape)
            if not (np.isfinite(values) & (values >= 0)).all():
                raise InputError(name, must="finite and not negative", received=float(np.nanmin(values)))
        if np.max(self.active_fraction) > 1:
            raise InputError("active_fraction", must="at most 1", received=float(np.max(self.active_fraction)))
        if not np.isfinite(self.counter_potential):
            raise InputError("counter_potential", must="finite", received=self.counter_potential)
        if not 150 < self.temperature < 1000:
            raise InputError("temperature", must="in kelvin, between 150 and 1000", received=self.temperature)
        resistance = np.asarray(self.counter_resistance)
        if resistance.shape not in ((), self.grid.shape[1:]):
            raise InputError(
                "counter_resistance", must=f"one number or of shape {self.grid.shape[1:]}", received=resistance.shape
            )
        if not (np.isfinite(resistance) & (resistance >= 0)).all():
            raise InputError("counter_resistance", must="finite and not negative", received=float(resistance.min()))
        active = self.active
        if not active.any():
            raise InputError("active_fraction", must="above zero somewhere", received="zero everywhere")
        if not ((self.electronic_conductivity > 0) & (self.ionic_conductivity > 0))[active].all():
            raise InputError(
                "conductivities",
                must="above zero wherever there is active material",
                received="zero in a voxel with active material",
                remedy="Give such voxels no active material.",
            )
        for name in ("particle_radius", "exchange_current_density", "maximum_concentration"):
            _require_above_zero(name, getattr(self, name), active)
        _require_path("electronic_conductivity", self.electronic_conductivity > 0, active, 0)
        _require_path("ionic_conductivity", self.ionic_conductivity > 0, active, -1)

    @property
    def active(self) -> Array:
        """Voxels with active material, a mask."""
        return np.asarray(self.active_fraction) > 0

    @property
    def area(self) -> float:
        """Cross-section of the collector's contact [m^2]."""
        return float((np.asarray(self.electronic_conductivity)[0] > 0).sum()) * float(np.prod(self.grid.spacing[1:]))

    @property
    def exchangeable_lithium(self) -> float:
        """Lithium of all particles at x = 1 [mol]."""
        return float(self.sites.sum())

    @property
    def sites(self) -> Array:
        """Lithium of each voxel's particles at x = 1 ``(z, y, x)`` [mol]."""
        maximum = self.of_particles("maximum_concentration")
        return np.asarray(self.active_fraction) * (maximum * self.grid.voxel_volume)

    @property
    def surface(self) -> Array:
        """Surface of each voxel's particles ``(z, y, x)`` [m^2]: ``3 V eps / R``."""
        surface: Array = 3 / self.of_particles("particle_radius") * np.asarray(self.active_fraction)
        return surface * self.grid.voxel_volume

    @property
    def exchange_ratio(self) -> Array:
        """Exchange current density of each voxel over that of `particles` ``(z, y, x)``."""
        at_half = float(self.particles.exchange_current_density(np.float64(0.5)))
        return self.of_particles("exchange_current_density") / at_half

    def of_particles(self, name: str) -> Array:
        """Particles' radius, exchange current density at x = 1/2 or maximum concentration of each voxel, by its name.

        ``(z, y, x)``; 1 where a map has no particles to speak of.
        """
        value = getattr(self, name)
        if value is None:
            own = self.particles
            value = {
                "particle_radius": own.radius,
                "exchange_current_density": float(own.exchange_current_density(np.float64(0.5))),
                "maximum_concentration": own.maximum_concentration,
            }[name]
        values = np.asarray(value, dtype=float)
        return np.where(self.active, values, 1.0) if values.ndim else np.broadcast_to(values, self.grid.shape)

    @property
    def thermal_voltage(self) -> float:
        """``R T / F`` [V]."""
        return thermal_voltage(temperature=self.temperature)


def planar_cell(
    *,
    particles: Particles,
    composite_thickness: float,
    separator_thickness: float,
    active_fraction: float,
    electronic_conductivity: float,
    ionic_conductivity: float,
    separator_conductivity: float,
    voxels: int,
    counter_potential: float = 0.0,
    counter_resistance: float = 0.0,
) -> PorousCell:
    """Lay a planar cell on a column of `voxels` voxels in the composite and as fine ones in the separator.

    The separator's conductivity is scaled so that its whole voxels have the resistance of its thickness.
    """
    for name, length in (("composite_thickness", composite_thickness), ("separator_thickness", separator_thickness)):
        if not 0 < length < np.inf:
            raise InputError(name, must="finite and above zero", received=length)
    if voxels < 1:
        raise InputError("voxels", must="one or more", received=voxels)
    step = composite_thickness / voxels
    layers = max(1, round(separator_thickness / step))
    scale = layers * step / separator_thickness
    composite = np.arange(voxels + layers)[:, None, None] < voxels
    return PorousCell(
        grid=Grid(shape=(voxels + layers, 1, 1), spacing=(step, 1.0, 1.0), origin=(step / 2, 0.0, 0.0)),
        particles=particles,
        electronic_conductivity=np.where(composite, electronic_conductivity, 0.0),
        ionic_conductivity=np.where(composite, ionic_conductivity, separator_conductivity * scale),
        active_fraction=np.where(composite, active_fraction, 0.0),
        counter_potential=counter_potential,
        counter_resistance=counter_resistance,
    )


def _diffusivity(material: str, lithiation: Any) -> Any:
    return diffusivity_from_lithiation(lithiation=lithiation, material=material)


def _exchange(at_half: float, lithiation: Any) -> Any:
    return exchange_current_density_from_lithiation(lithiation=lithiation, at_half=at_half)


def _require_above_zero(name: str, value: Array | float | None, active: Array) -> None:
    """Refuse a number or map of the particles that is not above zero wherever there are any."""
    if value is None:
        return
    values = np.asarray(value, dtype=float)
    if values.shape not in ((), active.shape):
        raise InputError(name, must=f"a number or of shape {active.shape}", received=values.shape)
    inside = np.broadcast_to(values, active.shape)[active]
    if not (np.isfinite(inside) & (inside > 0)).all():
        raise InputError(
            name,
            must="finite and above zero wherever there is active material",
            received=float(inside[~(np.isfinite(inside) & (inside > 0))][0]),
        )


def _require_path(name: str, conducting: Array, active: Array, end: int) -> None:
    """Refuse active voxels that the electrode at one end of z does not reach."""
    from scipy.ndimage import label

    labels, _ = label(conducting)
    reached = np.isin(labels, np.unique(labels[end][labels[end] > 0]))
    lost = int((active & ~reached).sum())
    if lost:
        where = "collector" if end == 0 else "counter electrode"
        raise InputError(
            name,
            must=f"such that the {where} reaches all active material",
            received=f"{lost} active voxels cut off",
            remedy="Prune what is not connected, or give it no active material.",
        )
