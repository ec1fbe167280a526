"""The section of Fig. 4a of Pollok et al. 2025 as the equations of a cell charge it, for the examples that need it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.cell.microstructure.structure import Microstructure
from operando.currents import FaceCurrents
from operando.electrochemistry.protocol import galvanostatic
from operando.electrochemistry.resolved.builtin import cell_from_microstructure
from operando.electrochemistry.resolved.currents import face_currents, lithium_in_particles
from operando.electrochemistry.resolved.run import Run, run_protocol

RATES = {"C/10": 0.94, "1C": 9.4, "5C": 47.0, "25C": 235.0}
"""Current density [A/m^2]: 0.09, 0.94, 4.70 and 23.5 mA/cm^2."""
CHARGE = RATES["5C"] * 240.0
"""4 minutes at 5C [C/m^2]."""
START = 0.97

Map = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Charged:
    """One charge: what came of it, x on voxels and of particles that electrons reach, and the currents at its end."""

    run: Run
    lithium: xr.DataArray
    particles: Map
    currents: FaceCurrents

    @property
    def density(self) -> Map:
        """Size of the current density ``(z, y, x)`` [mA/cm^2]."""
        return np.asarray(np.sqrt((self.currents.density() ** 2).sum("component")).values) / 10


def charged(structure: Microstructure, rate: str) -> Charged:
    """Charge the section."""
    cell, current = cell_from_microstructure(structure), RATES[rate]
    run = run_protocol(cell, protocol=[galvanostatic(current, CHARGE / current)], lithiation=START, tolerance=4e-3)
    end = run.states[-1]
    x = np.where(cell.reached.active, np.asarray(end.fields.lithiation), START)
    alive = np.unique(structure.particle[cell.reached.active]) - 1
    return Charged(
        run=run,
        lithium=structure.grid.array(np.where(structure.mask("active"), x, np.nan), name="lithium", units=""),
        particles=lithium_in_particles(cell, end, structure.particle)[alive],
        currents=face_currents(cell, end),
    )
