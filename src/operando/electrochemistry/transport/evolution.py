"""A lithium evolution that is solved for: currents, lithiation and isotopes of a described cell, on any grid."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from operando.cell.amounts import amounts_from_cell, area_from_cell
from operando.cell.foil import layers_from_foil
from operando.cell.geometry import stack_from_cell
from operando.cell.surface import weighted_mean
from operando.electrochemistry.layered import LayeredEvolution, scaled
from operando.electrochemistry.state import Inventory, Lithium
from operando.electrochemistry.transport.columns import columns_from_cell
from operando.electrochemistry.transport.history import snapshots_from_cell
from operando.electrochemistry.transport.isotopes import Isotopes
from operando.electrochemistry.transport.sampling import Sampling
from operando.electrochemistry.transport.settings import TransportSettings

if TYPE_CHECKING:
    from operando.cell.foil import FoilLayers
    from operando.cell.geometry import Layer
    from operando.cell.model import Cell
    from operando.electrochemistry.transport.columns import Columns
    from operando.frames import Array, Grid


class TransportEvolution(LayeredEvolution):
    """Lithium in a cell over its protocol, from charge conservation, diffusion and kinetics.

    The cell is as assembled at time zero and is followed to the end of its last scan, after which it stays as it is.
    A step that reaches a voltage limit ends there, and the next begins; `cell` then holds the steps as they passed.

    Parameters
    ----------
    cell:
        Taken as exact; draw one from its uncertainties with `operando.cell.variants.drawn`.
    settings:
        What the description does not say.

    Raises
    ------
    InputError
        If the grid does not hold the cell, or the protocol asks for more than the cathode gives at that current.
    """

    def __init__(self, *, cell: Cell, grid: Grid, seed: int = 0, settings: TransportSettings | None = None) -> None:
        super().__init__(cell=cell, grid=grid, stack=stack_from_cell(cell=cell, grid=grid, seed=seed))
        self.settings = settings or TransportSettings()
        self._amounts = amounts_from_cell(cell=cell)
        self.columns = columns_from_cell(cell=cell, settings=self.settings, seed=seed)
        self._end = max(cell.scans.starts) + cell.scans.duration.value
        self.snapshots, cycled = snapshots_from_cell(
            cell=cell,
            columns=self.columns,
            settings=self.settings,
            start=isotopes_as_assembled(cell=cell, columns=self.columns),
            until=self._end,
        )
        self._sampling = Sampling(self.columns, self._stack)
        heights = (self._stack.separator_top + self._foil_layers(t).total for t in np.linspace(0, self._end, 25))
        inside = self._stack.coverage > 0
        collector = max(float(height[inside].max()) for height in heights)
        super().__init__(cell=cycled, grid=grid, stack=replace(self._stack, collector_bottom=collector))

    def charge_passed(self, time: float) -> float:
        """Net charge until `time` [C], from the steps that passed; that at the end of the last scan later."""
        return super().charge_passed(min(time, self._end))

    def inventory(self, time: float) -> Inventory:
        """Lithium of the cell's parts at `time`."""
        now, amounts, layers = self.snapshots.at(time), self._amounts, self.columns.cathode
        entered, entered6 = float(now.anode.sum()), float(now.anode6.sum())
        electrolyte6 = float(now.electrolyte6[:layers].sum())
        return Inventory(
            cathode=Lithium(
                float(now.particles.sum()) + amounts.cathode_electrolyte, float(now.particles6.sum()) + electrolyte6
            ),
            separator=Lithium(amounts.separator, float(now.electrolyte6[layers:].sum())),
            anode=Lithium(amounts.lithium_foil + entered, amounts.lithium_foil * self._foil_fraction + entered6),
        )

    def voltage(self, time: Array) -> Array:
        """Voltage of the modelled cell at each time [V]."""
        found: Array = np.interp(time, self.snapshots.times, self.snapshots.voltage)
        return found

    def _lithiation(self, time: float) -> Array:
        particles = self.snapshots.at(time).particles
        mean = 1.0 - float(particles.sum()) / self._amounts.active
        lost = 1.0 - self._sampled(particles, self.columns.particles[: self.columns.cathode])
        found = weighted_mean(lost, self._painting.cathode.share)
        return 1.0 - (lost * (mean / found) if found > 0 else lost)

    def _fill_cathode(self, lithium: Array, lithium6: Array, time: float) -> None:
        now, layer, layers = self.snapshots.at(time), self._painting.cathode, self.columns.cathode
        active = self._density(self._amounts.active, layer) * self._lithiation(time)
        electrolyte = self._density(self._amounts.cathode_electrolyte, layer)
        lithium[layer.rows] += active + electrolyte
        of_active = self._sampled(now.particles6, now.particles)
        of_electrolyte = self._sampled(now.electrolyte6[:layers], self.columns.electrolyte[:layers])
        volume = self.grid.voxel_volume
        lithium6[layer.rows] += scaled(of_active * active, float(now.particles6.sum()) / volume)
        lithium6[layer.rows] += scaled(of_electrolyte * electrolyte, float(now.electrolyte6[:layers].sum()) / volume)

    def _fill_separator(self, lithium: Array, lithium6: Array, time: float) -> None:
        now, layer, layers = self.snapshots.at(time), self._painting.separator, self.columns.cathode
        content = self._density(self._amounts.separator, layer)
        fraction = self._sampling.in_separator(layer, now.electrolyte6[layers:], self.columns.electrolyte[layers:])
        lithium[layer.rows] += content
        total = float(now.electrolyte6[layers:].sum()) / self.grid.voxel_volume
        lithium6[layer.rows] += scaled(fraction * content, total)

    def _foil_layers(self, time: float) -> FoilLayers:
        anode = self.snapshots.at(time).anode
        entered = max(float(anode.sum()), 0.0) / area_from_cell(cell=self.cell)
        contact = self._sampling.across(anode) if entered > 0 else np.ones_like(self._stack.coverage)
        contact = contact / weighted_mean(contact, self._stack.coverage)
        return layers_from_foil(foil=replace(self._stack.foil, contact=contact), entered=entered)

    def _anode_fraction(self, time: float) -> Array | float:
        now = self.snapshots.at(time)
        entered = float(now.anode.sum())
        return float(now.anode6.sum()) / entered if entered > 0 else 0.0

    def _sampled(self, amount: Array, whole: Array) -> Array:
        return self._sampling.in_cathode(self._painting.cathode, amount, whole)

    def _density(self, total: float, layer: Layer) -> Array:
        """Spread an amount [mol] evenly over a layer [mol per m^3 of voxel]."""
        density: Array = layer.share * (total / (layer.share.sum() * self.grid.voxel_volume))
        return density


def isotopes_as_assembled(*, cell: Cell, columns: Columns) -> Isotopes:
    """Li-6 before any current: the cathode's and the electrolyte's own, and a path already there.

    The path holds a share of the cathode's Li-6, exchanged for Li-7, falling straight from the cathode to the anode.
    """
    share = cell.separator.initial_path.value
    particles = columns.particles * cell.cathode.active.composition.lithium6_fraction
    electrolyte = columns.electrolyte * cell.electrolyte.composition.lithium6_fraction
    cathode = slice(0, columns.cathode)
    wandered = share * (particles.sum() + electrolyte[cathode].sum())
    particles *= 1 - share
    electrolyte[cathode] *= 1 - share
    falling = np.linspace(2.0, 0.0, columns.separator + 1)
    shape = ((falling[1:] + falling[:-1]) / 2)[:, None, None] * (columns.path * columns.inside)
    electrolyte[columns.cathode :] += scaled(shape, wandered)
    nothing = np.zeros(columns.inside.shape)
    return Isotopes(electrolyte, particles, nothing, nothing.copy())
