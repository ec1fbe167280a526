"""A described cell on the voxels of its transport: layers of equal height in cathode and separator, columns across.

These voxels are coarser than an image's and follow the layers: the first lies on the cathode's collector, the last
on the anode, wherever the layers' faces are uneven. Their amounts are those of the cell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from operando.cell.amounts import (
    amounts_from_cell,
    area_from_cell,
    cathode_thickness_from_cell,
    composite_volume_fractions_from_cell,
    separator_thickness_from_cell,
)
from operando.cell.foil import foil_from_cell
from operando.cell.geometry import disc_coverage
from operando.cell.surface import weighted_mean
from operando.electrochemistry.porous.electrode import PorousCell, particles_of
from operando.electrochemistry.prescribed import PATH_PLACE, PATH_RADIUS
from operando.frames import Grid
from operando.materials.curve import namespace_of
from operando.materials.kinetics import thermal_voltage
from operando.materials.open_circuit import open_circuit_curve
from operando.materials.transport import transport_constant
from operando.units import FARADAY

if TYPE_CHECKING:
    from operando.cell.model import Cell
    from operando.electrochemistry.transport.settings import TransportSettings
    from operando.frames import Array

FULL = 0.995
"""Share of its sites that lithium fills in NCM as assembled; a potential at exactly 1 means nothing."""


@dataclass(frozen=True, eq=False)
class Columns:
    """The transport's voxels.

    Attributes
    ----------
    porous:
        The cell that the solver sees.
    cathode, separator:
        Numbers of layers.
    inside:
        Columns in the bore ``(y, x)``.
    y, x:
        Places of the columns [m].
    electrolyte, particles:
        Lithium as assembled in each voxel [mol].
    mixing:
        Diffusion's face conductance over that of the current [mol/(s S)], ``H R T / F^2``.
    path:
        Weight of the preferential path ``(y, x)``, of mean 1.
    """

    porous: PorousCell
    cathode: int
    separator: int
    inside: Array
    y: Array
    x: Array
    electrolyte: Array
    particles: Array
    mixing: float
    path: Array


def columns_from_cell(*, cell: Cell, settings: TransportSettings, seed: int) -> Columns:
    """Lay a cell on its transport's voxels."""
    composite, separator = cathode_thickness_from_cell(cell=cell), separator_thickness_from_cell(cell=cell)
    cathode_layers = max(4, int(np.ceil(composite / settings.layer)))
    height = composite / cathode_layers
    layers = max(4, round(separator / height))
    flat = _lateral_grid(cell, settings)
    coverage = disc_coverage(grid=flat, radius=cell.body.inner_diameter.value / 2)
    inside = coverage > 0.5
    # Whole columns have the bore's area
    side = float(np.sqrt(area_from_cell(cell=cell) / inside.sum()))
    y, x = flat.coordinate("y"), flat.coordinate("x")

    shape = (cathode_layers + layers, *inside.shape)
    in_cathode = (np.arange(shape[0]) < cathode_layers)[:, None, None] & inside
    in_separator = (np.arange(shape[0]) >= cathode_layers)[:, None, None] & inside
    path = np.exp(-((y[:, None] - PATH_PLACE[0]) ** 2 + (x - PATH_PLACE[1]) ** 2) / (2 * PATH_RADIUS**2))
    path /= weighted_mean(path, inside)
    dense = transport_constant(material="Li5.5PS4.5Cl1.5", quantity="ionic_conductivity").value
    concentration = cell.electrolyte.density.value * cell.electrolyte.composition.lithium
    concentration /= cell.electrolyte.composition.molar_mass
    solid = 1 - cell.separator.porosity.value
    uneven = 1 + settings.path_strength * path
    separated = dense * solid**1.5 * layers * height / separator * uneven / weighted_mean(uneven, inside)
    ionic = np.where(in_cathode, settings.cathode_conductivity * _lead(settings, y, x, inside), 0.0)
    ionic = np.where(in_separator, separated, ionic)

    amounts = amounts_from_cell(cell=cell)
    active = composite_volume_fractions_from_cell(cell=cell)[0] * (1 - cell.cathode.porosity.value)
    volume = height * side**2
    particles = particles_of(
        "NCM83", radius=settings.particle_radius, exchange_current_density=settings.exchange_current_density
    )
    sites = amounts.active / (FULL * active * volume * in_cathode.sum())
    porous = PorousCell(
        grid=Grid(shape=shape, spacing=(height, side, side), origin=(height / 2, float(y[0]), float(x[0]))),
        particles=replace(particles, maximum_concentration=sites, open_circuit_potential=_open_circuit),
        electronic_conductivity=np.where(in_cathode, settings.cathode_electronic_conductivity, 0.0),
        ionic_conductivity=ionic,
        active_fraction=np.where(in_cathode, active, 0.0),
        counter_potential=float(open_circuit_curve("LiIn")(0.5)),
        counter_resistance=settings.contact_resistance / _contact(cell, flat, coverage, seed),
    )
    electrolyte = np.where(in_cathode, amounts.cathode_electrolyte / in_cathode.sum(), 0.0)
    electrolyte += np.where(in_separator, amounts.separator / in_separator.sum(), 0.0)
    return Columns(
        porous=porous,
        cathode=cathode_layers,
        separator=layers,
        inside=inside,
        y=y,
        x=x,
        electrolyte=electrolyte,
        particles=np.where(in_cathode, amounts.active / in_cathode.sum(), 0.0),
        mixing=settings.tracer_diffusivity * concentration / dense,
        path=path,
    )


def charge_transfer_resistance(columns: Columns) -> float:
    """Resistance of all particles' surfaces at x = 1/2, per area of the cathode [Ohm m^2]."""
    porous = columns.porous
    exchanged = float((porous.surface * porous.of_particles("exchange_current_density")).sum()) / porous.area
    return thermal_voltage() / exchanged


def exchange_rate(columns: Columns, lithiation: Array) -> Array:
    """Lithium that the exchange current carries across the particles' surface of each voxel [mol/s]."""
    porous = columns.porous
    exchange = porous.exchange_ratio * porous.particles.exchange_current_density(lithiation)
    rate: Array = porous.surface * exchange / FARADAY
    return rate


def _open_circuit(lithiation: Any) -> Any:
    """Potential of NCM83 with the fall of a filling lattice, ``(R T / F) ln((1 - x) / 0.1)``, above x = 0.9.

    The table runs straight to x = 1, where nothing would keep a solver from overfilling a particle. The logarithm
    goes on straight below 1 - x = 1e-4.
    """
    xp = namespace_of(lithiation)
    room = xp.minimum(1 - lithiation, 0.1)
    held = xp.maximum(room, 1e-4)
    wall = xp.log(held / 0.1) + (room - held) / held
    return open_circuit_curve("NCM83")(lithiation) + thermal_voltage() * wall


def _lateral_grid(cell: Cell, settings: TransportSettings) -> Grid:
    diameter = cell.body.inner_diameter.value
    across = 2 * int(np.ceil(diameter / settings.column / 2))
    side = diameter / across
    first = -(across - 1) / 2 * side
    return Grid(shape=(1, across, across), spacing=(side, side, side), origin=(0.0, first, first))


def _lead(settings: TransportSettings, y: Array, x: Array, inside: Array) -> Array:
    squared = y[:, None] ** 2 + x**2
    lead = 1 + settings.centre_lead * (1 - 2 * squared / squared[inside].max())
    even: Array = np.maximum(lead, 0.05)
    return even / weighted_mean(even, inside)


def _contact(cell: Cell, flat: Grid, coverage: Array, seed: int) -> Array:
    contact = foil_from_cell(cell=cell, grid=flat, seed=seed, coverage=coverage).contact
    even: Array = contact / weighted_mean(contact, coverage > 0.5)
    return even
