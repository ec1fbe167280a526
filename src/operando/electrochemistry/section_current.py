"""Prescribed current of a section: conduction in the phases' given conductivities, until a solver of the cell tells it.

One potential drives whatever carries the current in each phase, ions or electrons; there are no reactions.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from operando.cell.microstructure.connectivity import joined_to
from operando.cell.microstructure.structure import Microstructure
from operando.electrochemistry.conduction import Conduction, Electrode, solve_conduction
from operando.electrochemistry.grain_boundaries import resistances_between_grains
from operando.errors import InputError

FLOATING = 1e3
"""Conductivity of lithium that nothing feeds, over the largest of the rest: nearly at one potential."""


def section_current(
    structure: Microstructure,
    *,
    conductivity: Mapping[str, float],
    current_density: float,
    grain_boundary_resistance: float = 0.0,
) -> Conduction:
    """Solve for the current that crosses a section along x.

    It enters and leaves through the side -x, where lithium is a metal at one potential, and through the side +x,
    where only active material is in contact: ions do not leave the cell.

    Parameters
    ----------
    conductivity:
        Of each phase; voids have none. That of lithium does not matter while it exceeds all others by far [S/m].
    current_density:
        Mean over the section, to +x [A/m^2]; negative while charging.
    grain_boundary_resistance:
        Of an area of boundary between two grains of electrolyte [Ohm m^2].

    Returns
    -------
    Its ``currents`` are free of divergence and zero through all sides but -x and +x; the lithium's potential is 0.

    Raises
    ------
    InputError
        If a conductivity is missing or not positive, or nothing conducts from lithium to active material.
    """
    for phase in ("electrolyte", "active", "lithium"):
        if not conductivity.get(phase, 0.0) > 0:
            raise InputError(f"conductivity of {phase}", must="positive", received=conductivity.get(phase))
    grid, lithium = structure.grid, structure.mask("lithium")
    metal = joined_to(lithium, np.broadcast_to(np.arange(grid.shape[2]) == 0, grid.shape))
    if not metal.any():
        raise InputError("microstructure", must="one with lithium at the side -x", received="none there")
    values = np.zeros(grid.shape)
    for phase in ("electrolyte", "active"):
        values[structure.mask(phase)] = conductivity[phase]
    values[lithium & ~metal] = min(conductivity["lithium"], FLOATING * float(values.max()))
    values[:, :, -1] = np.where(structure.mask("active")[:, :, -1], values[:, :, -1], 0.0)
    solved = solve_conduction(
        grid.array(values, name="conductivity", units="S/m"),
        electrodes={
            "negative": Electrode(potential=0.0, voxels=metal, side="-x"),
            "positive": Electrode(potential=-1.0, side="+x"),
        },
        contact_resistance=resistances_between_grains(
            grains=structure.grain, resistance=grain_boundary_resistance, spacing=grid.spacing
        ),
        grid=grid,
    )
    dz, dy, _ = grid.spacing
    return solved.times(current_density * dz * dy * grid.shape[0] * grid.shape[1] / solved.current["negative"])
