"""A composite from a representative microstructure: conduction solved through each of its phases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from operando.electrochemistry.finite_volume import Faces
from operando.electrochemistry.grain_boundaries import resistances_between_grains
from operando.electrochemistry.interface_area import interface_area
from operando.electrochemistry.porous.composite import Composite
from operando.electrochemistry.tortuosity import transport_through_phase
from operando.errors import InputError

if TYPE_CHECKING:
    from operando.cell.microstructure.structure import Microstructure
    from operando.frames import Array, Grid


def composite_from_microstructure(
    structure: Microstructure,
    *,
    electrolyte_conductivity: float,
    active_conductivity: float,
    axis: str | None = None,
    grain_resistance: float = 0.0,
    tolerance: float = 1e-6,
) -> Composite:
    """Solve the conduction through both phases of a representative microstructure.

    Ions go through the electrolyte and its grain boundaries, electrons through the active material. The particles'
    radius is that of spheres with the volume and the surface of the active material that touches electrolyte.

    Parameters
    ----------
    structure:
        All of it composite: no lithium, no separator. Of a labelled volume by `microstructure_from_labels`.
    electrolyte_conductivity, active_conductivity:
        Of the phases themselves [S/m].
    axis:
        Along which the current flows, such as ``x``; by default the mean of all axes with more than one voxel.
    grain_resistance:
        Of one grain boundary [Ohm m^2].
    tolerance:
        Of the currents' closure.

    Raises
    ------
    InputError
        If there is lithium, or a phase does not lead through.
    """
    active, electrolyte = structure.mask("active"), structure.mask("electrolyte")
    if structure.mask("lithium").any():
        raise InputError("microstructure", must="of a composite alone", received="lithium metal in it")
    axes = [axis] if axis else ["zyx"[k] for k in range(3) if structure.grid.shape[k] > 1]
    boundaries = None
    if grain_resistance:
        boundaries = resistances_between_grains(
            grains=structure.grain,
            resistance=grain_resistance * electrolyte_conductivity,
            spacing=structure.grid.spacing,
        )
    touched = interface_area(phase=active, spacing=structure.grid.spacing, inside=active | electrolyte)
    volume = float(active.sum()) * structure.grid.voxel_volume
    if touched == 0:
        raise InputError("microstructure", must="active material that touches electrolyte", received="none")
    through = {"electrolyte": (electrolyte, boundaries), "active": (active, None)}
    ionic, electronic = (
        np.mean([_through(name, phase, contact, structure.grid, a, tolerance) for a in axes])
        for name, (phase, contact) in through.items()
    )
    return Composite(
        active=float(active.mean()),
        electrolyte=float(electrolyte.mean()),
        additive=0.0,
        pores=float(structure.mask("void").mean()),
        particle_radius=3 * volume / touched,
        ionic_conductivity=electrolyte_conductivity * float(ionic),
        electronic_conductivity=active_conductivity * float(electronic),
    )


def _through(name: str, phase: Array, contact: Faces | None, grid: Grid, axis: str, tolerance: float) -> float:
    """Effective conductivity of a phase over its own; names the phase where it does not lead through."""
    try:
        return transport_through_phase(
            phase=phase, grid=grid, axis=axis, tolerance=tolerance, contact=contact
        ).relative_conductivity
    except InputError as problem:
        raise InputError(
            f"{name} of the microstructure", must=f"a path along {axis}", received=str(problem)
        ) from problem
