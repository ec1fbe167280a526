"""A lithium evolution that is prescribed, not solved for: plausible shapes, exact balances.

Every shape is scaled on the grid at hand so that each part of the cell holds the lithium and the Li-6 that the
balance over the charge passed says, at any time and on any grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from operando.cell.amounts import (
    amounts_from_cell,
    area_from_cell,
    separator_thickness_from_cell,
    specific_capacity_from_formula,
)
from operando.cell.foil import layers_from_foil
from operando.cell.geometry import stack_from_cell
from operando.cell.protocol import breakpoints_from_cell, entered_from_cell
from operando.cell.surface import smooth_surface, weighted_mean
from operando.electrochemistry.delithiation import CENTRE_LEAD, delithiation_from_front, front_position_from_mean
from operando.electrochemistry.isotopes import Reservoirs, isotope_history
from operando.electrochemistry.layered import LayeredEvolution, scaled
from operando.electrochemistry.state import Inventory, Lithium
from operando.errors import InputError

if TYPE_CHECKING:
    from operando.cell.foil import FoilLayers
    from operando.cell.geometry import Painting, Stack
    from operando.cell.model import Cell
    from operando.frames import Array, Grid

TRACER_DIFFUSIVITY = 3e-12
"""Tracer diffusivity of lithium in Li5.5PS4.5Cl1.5 at room temperature [m^2/s]; assumed, without a source yet."""

PATH_PLACE = (0.15e-3, 0.75e-3)
"""Where a path crosses the separator, (y, x) [m]."""

PATH_RADIUS = 0.35e-3
"""Standard deviation of a path's Gaussian cross-section [m]."""


@dataclass(frozen=True)
class Prescribed:
    """A simulation is to follow prescribed fronts.

    Attributes
    ----------
    exchange:
        How far isotopes mix between active material and electrolyte of the cathode, from 0 to 1.
    """

    exchange: float = 0.5


class PrescribedEvolution(LayeredEvolution):
    """Lithium in a cell over its protocol.

    Parameters
    ----------
    cell:
        Taken as exact; draw one from its uncertainties with `operando.cell.variants.drawn`.
    exchange:
        How far isotopes mix between active material and electrolyte of the cathode, from 0 to 1.
    tracer_diffusivity:
        Of lithium in the separator [m^2/s].
    path_strength:
        How much more Li-6 the separator takes up along a path at its centre, relative to far from it.

    Raises
    ------
    InputError
        If the grid does not hold the cell, or the protocol takes more lithium than the cathode can give or returns
        more than was taken.
    """

    def __init__(
        self,
        *,
        cell: Cell,
        grid: Grid,
        seed: int = 0,
        exchange: float = 1.0,
        tracer_diffusivity: float = TRACER_DIFFUSIVITY,
        path_strength: float = 1.0,
    ) -> None:
        super().__init__(cell=cell, grid=grid, stack=stack_from_cell(cell=cell, grid=grid, seed=seed))
        self._amounts = amounts_from_cell(cell=cell)
        self._limit = _delithiation_limit(cell)
        thickness = separator_thickness_from_cell(cell=cell)
        self._reservoirs = Reservoirs(
            active=self._amounts.active,
            cathode_electrolyte=self._amounts.cathode_electrolyte,
            separator=self._amounts.separator,
            active_fraction=cell.cathode.active.composition.lithium6_fraction,
            electrolyte_fraction=cell.electrolyte.composition.lithium6_fraction,
            exchange=exchange,
            initial_path=cell.separator.initial_path.value,
            mixing_rate=tracer_diffusivity / thickness**2,
        )
        times, _ = breakpoints_from_cell(cell=cell)
        last = max(times[-1], self.times[-1]) + cell.scans.duration.value
        self._history = isotope_history(
            reservoirs=self._reservoirs,
            times=np.concatenate([[min(times[0], 0.0) - 1.0], times, [last]]),
            entered=np.pad(entered_from_cell(cell=cell), 1, mode="edge"),
        )
        self._shapes = _Shapes(self._stack, self._painting, seed, path_strength)

    def inventory(self, time: float) -> Inventory:
        """Lithium of the cell's parts at `time`."""
        now, amounts = self._history.at(time), self._amounts
        entered = float(now.entered)
        cathode = amounts.active + amounts.cathode_electrolyte - entered
        foil = amounts.lithium_foil * self._foil_fraction
        return Inventory(
            cathode=Lithium(cathode, float(now.kept + now.mixed) + self._electrolyte_kept),
            separator=Lithium(amounts.separator, float(now.separator.sum() + now.path.sum())),
            anode=Lithium(amounts.lithium_foil + entered, foil + float(now.anode)),
        )

    @property
    def _electrolyte_kept(self) -> float:
        """Li-6 of the cathode's electrolyte that takes no part [mol]."""
        r = self._reservoirs
        return (1 - r.initial_path) * (1 - r.exchange) * r.cathode_electrolyte * r.electrolyte_fraction

    def _delithiation(self, entered: float) -> Array:
        """Delithiation of the active material in the cathode's rows; its mean is exact."""
        mean = entered / self._amounts.active
        return self._shapes.delithiation(mean, self._limit)

    def _lithiation(self, time: float) -> Array:
        return 1.0 - self._delithiation(float(self._history.at(time).entered))

    def _fill_cathode(self, lithium: Array, lithium6: Array, time: float) -> None:
        layer, r, now = self._painting.cathode, self._reservoirs, self._history.at(time)
        entered = float(now.entered)
        volume = layer.share.sum() * self.grid.voxel_volume
        active = (1.0 - self._delithiation(entered)) * layer.share * (r.active / volume)
        electrolyte = layer.share * (r.cathode_electrolyte / volume)
        left = r.active - entered
        per_active = now.kept / left + now.mixed / (left + r.cathode_electrolyte)
        per_electrolyte = now.mixed / (left + r.cathode_electrolyte) + self._electrolyte_kept / r.cathode_electrolyte
        lithium[layer.rows] += active + electrolyte
        lithium6[layer.rows] += per_active * active + per_electrolyte * electrolyte

    def _fill_separator(self, lithium: Array, lithium6: Array, time: float) -> None:
        layer, r, shapes = self._painting.separator, self._reservoirs, self._shapes
        now = self._history.at(time)
        slices = len(now.separator)
        density = r.separator / (layer.share.sum() * self.grid.voxel_volume)
        # Towards the fraction that the cathode first gave, which no place can pass
        source = float(self._history.kept[0] / r.active + self._history.mixed[0] / (r.active + r.cathode_electrolyte))
        span = source - r.electrolyte_fraction
        progress = (now.separator * slices / r.separator - r.electrolyte_fraction) / span if span else 0 * now.separator
        taken = shapes.uptake(np.clip(progress, 0.0, 1.0 - 1e-9))
        gained = float(now.separator.sum()) - r.separator * r.electrolyte_fraction
        content = density * layer.share
        shape6 = scaled(content * taken * span, gained / self.grid.voxel_volume)
        path6 = scaled(
            content * shapes.along_path(now.path * slices / r.separator), float(now.path.sum()) / self.grid.voxel_volume
        )
        lithium[layer.rows] += content
        lithium6[layer.rows] += content * r.electrolyte_fraction + shape6 + path6

    def _foil_layers(self, time: float) -> FoilLayers:
        entered = float(self._history.at(time).entered)
        return layers_from_foil(foil=self._stack.foil, entered=entered / area_from_cell(cell=self.cell))

    def _anode_fraction(self, time: float) -> float:
        now = self._history.at(time)
        return float(now.anode / now.entered) if now.entered else 0.0


class _Shapes:
    """Where things happen on the grid, apart from how much."""

    def __init__(self, stack: Stack, painting: Painting, seed: int, path_strength: float) -> None:
        grid, coverage = stack.grid, stack.coverage
        y, x = grid.coordinate("y")[:, None], grid.coordinate("x")[None, :]
        z = grid.coordinate("z")[:, None, None]
        radius2 = float(np.max(np.where(coverage > 0, y**2 + x**2, 0.0)))
        uneven = 0.05 * smooth_surface(grid=grid, seed=seed, name="front", correlation=0.5e-3)
        lead = CENTRE_LEAD * (0.5 - (y**2 + x**2) / radius2) + uneven
        self._lead = lead
        self._leads = np.quantile(lead[coverage > 0], (np.arange(64) + 0.5) / 64)
        self._cathode_share = painting.cathode.share
        self._depth = np.clip(1.0 - z[painting.cathode.rows] / stack.separator_bottom, 0.0, 1.0)
        thickness = stack.separator_top - stack.separator_bottom
        self._across = np.clip((z[painting.separator.rows] - stack.separator_bottom) / thickness, 0.0, 1.0)
        column = np.exp(-((y - PATH_PLACE[0]) ** 2 + (x - PATH_PLACE[1]) ** 2) / (2 * PATH_RADIUS**2))
        self._column = column / weighted_mean(column, coverage)
        weight = 1.0 + path_strength * column
        self._weight = weight / weighted_mean(weight, coverage)

    def delithiation(self, mean: float, limit: float) -> Array:
        if mean <= 0:
            return np.zeros_like(self._cathode_share)
        front = front_position_from_mean(mean=mean / limit, lead=self._leads)
        lost = delithiation_from_front(front=front, lead=self._lead, depth=self._depth)
        lost *= mean / weighted_mean(lost, self._cathode_share)
        return lost

    def uptake(self, progress: Array) -> Array:
        """Share of the isotopes exchanged for the source's, ``1 - (1 - p)^weight``: more on the path, never past 1."""
        remaining = np.log1p(-progress)
        taken: Array = -np.expm1(self._along(remaining) * self._weight)
        return taken

    def along_path(self, fraction: Array) -> Array:
        return self._along(fraction) * self._column

    def _along(self, values: Array) -> Array:
        centres = (np.arange(len(values)) + 0.5) / len(values)
        along: Array = np.interp(self._across, centres, values)
        return along


def _delithiation_limit(cell: Cell) -> float:
    """Share of its lithium that the active material can give at all."""
    limit = min(1.0, cell.cathode.capacity.value / specific_capacity_from_formula(material=cell.cathode.active))
    asked = float(entered_from_cell(cell=cell).max() / amounts_from_cell(cell=cell).active)
    if asked > 0.99 * limit:
        raise InputError(
            "protocol.steps",
            must=f"such that no more than {99 * limit:.3g} % of the active material's lithium leaves it",
            received=f"{100 * asked:.3g} %",
            remedy="Shorten the charge, lower the current, or check the masses.",
        )
    return limit
