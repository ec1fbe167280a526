"""What evolutions of a described cell share: its layers on voxels, its clock, and the order in which it is painted."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.cell.foil import molar_density_from_material
from operando.cell.geometry import Painting, foil_layers_on, phases_on
from operando.cell.protocol import charge_from_cell
from operando.electrochemistry.state import Evolution

if TYPE_CHECKING:
    from operando.cell.foil import FoilLayers
    from operando.cell.geometry import Layer, Stack
    from operando.cell.model import Cell
    from operando.frames import Array, Grid


class LayeredEvolution(Evolution):
    """A cell whose layers lie where they were built, and whose anode moves."""

    def __init__(self, *, cell: Cell, grid: Grid, stack: Stack) -> None:
        self.cell, self.grid = cell, grid
        self._stack = stack
        self._painting = Painting(cell, stack)

    @property
    def times(self) -> Array:
        """Middle of each scan that left data [s] on the study's clock."""
        return np.array(self.cell.scans.starts) + self.cell.scans.duration.value / 2

    def charge_passed(self, time: float) -> float:
        """Net charge until `time` [C], from the protocol."""
        return charge_from_cell(cell=self.cell, time=time)

    def lithiation_profile(self, time: float) -> xr.DataArray:
        """Lithiation of the active material, mean over each voxel row, on ``z``; nan outside the cathode."""
        layer = self._painting.cathode
        left = self._lithiation(time)
        profile = np.full(self.grid.shape[0], np.nan)
        filled = layer.share.sum(axis=(1, 2))
        np.divide((left * layer.share).sum(axis=(1, 2)), filled, out=profile[layer.rows], where=filled > 0)
        coords = {"z": self.grid.coords()["z"]}
        return xr.DataArray(profile, dims="z", coords=coords, name="lithiation", attrs={"units": "1"})

    def state(self, time: float) -> xr.Dataset:
        """State at `time` [s]; see `Evolution.state`."""
        lithium, lithium6 = np.zeros(self.grid.shape), np.zeros(self.grid.shape)
        self._fill_cathode(lithium, lithium6, time)
        self._fill_separator(lithium, lithium6, time)
        anode = foil_layers_on(stack=self._stack, layers=self._foil_layers(time))
        self._fill_anode(lithium, lithium6, anode, self._anode_fraction(time))
        fraction = np.divide(lithium6, lithium, out=lithium6, where=lithium > 0)
        label, solid = self._painting.with_anode(anode)
        return xr.Dataset(
            {
                "phase": phases_on(grid=self.grid, label=label),
                "solid_fraction": self.grid.array(solid, name="solid_fraction", units="1"),
                "lithium": self.grid.array(lithium, name="lithium", units="mol/m^3"),
                "lithium6_fraction": self.grid.array(fraction, name="lithium6_fraction", units="1"),
            },
            attrs={"time": time},
        )

    @abstractmethod
    def _lithiation(self, time: float) -> Array:
        """Lithiation of the active material in the cathode's rows ``(rows, y, x)``."""

    @abstractmethod
    def _fill_cathode(self, lithium: Array, lithium6: Array, time: float) -> None:
        """Add the cathode's lithium and Li-6 [mol per m^3 of voxel]."""

    @abstractmethod
    def _fill_separator(self, lithium: Array, lithium6: Array, time: float) -> None:
        """Add the separator's lithium and Li-6 [mol per m^3 of voxel]."""

    @abstractmethod
    def _foil_layers(self, time: float) -> FoilLayers:
        """Thickness of the anode's layers."""

    @abstractmethod
    def _anode_fraction(self, time: float) -> Array | float:
        """Li-6 fraction of the lithium that the anode has gained, one number or a map ``(y, x)``."""

    @property
    def _foil_fraction(self) -> float:
        return self.cell.anode.lithium.composition.lithium6_fraction

    def _fill_anode(
        self, lithium: Array, lithium6: Array, anode: tuple[Layer, Layer, Layer, Layer], gained: Array | float
    ) -> None:
        front, _, back, metal = anode
        alloy = molar_density_from_material(material=self.cell.anode.alloy)
        dense = molar_density_from_material(material=self.cell.anode.lithium)
        for layer, density, fraction6 in (
            (front, alloy, gained),
            (back, alloy, self._foil_fraction),
            (metal, dense, self._foil_fraction),
        ):
            lithium[layer.rows] += density * layer.share
            lithium6[layer.rows] += density * fraction6 * layer.share


def scaled(shape: Array, total: float) -> Array:
    """Scale a shape to a sum; one that is zero everywhere stays so."""
    held = shape.sum()
    return shape * (total / held) if held else shape
