"""What every simulated evolution of a cell answers, be it prescribed or solved for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

    from operando.cell.model import Cell
    from operando.frames import Array


@dataclass(frozen=True)
class Lithium:
    """Lithium in one part of a cell, total and Li-6 [mol]."""

    total: float
    lithium6: float

    @property
    def lithium6_fraction(self) -> float:
        """Atom fraction of Li-6; nan where there is no lithium."""
        return self.lithium6 / self.total if self.total else float("nan")


@dataclass(frozen=True)
class Inventory:
    """Where a cell's lithium is."""

    cathode: Lithium
    separator: Lithium
    anode: Lithium


class Evolution(ABC):
    """Lithium on voxels over time, whichever way it was found; `cell` is the true one, taken as exact."""

    cell: Cell

    @property
    @abstractmethod
    def times(self) -> Array:
        """Middle of each scan that left data [s] on the study's clock."""

    @abstractmethod
    def state(self, time: float) -> xr.Dataset:
        """State at `time` [s], dims ``(z, y, x)``.

        ``phase`` (uint8, named by ``attrs["phases"]``), ``solid_fraction``, ``lithium`` [mol per m^3 of voxel], and
        ``lithium6_fraction``, the atom fraction of Li-6 in that lithium.
        """

    @abstractmethod
    def charge_passed(self, time: float) -> float:
        """Net charge until `time` [C], positive when lithium has left the cathode."""

    @abstractmethod
    def inventory(self, time: float) -> Inventory:
        """Lithium of the cell's parts at `time`."""

    @abstractmethod
    def lithiation_profile(self, time: float) -> xr.DataArray:
        """Lithiation of the active material, mean over each voxel row, on ``z``; nan outside the cathode."""
