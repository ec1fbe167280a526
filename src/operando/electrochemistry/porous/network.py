"""The two conductors of a porous cell as networks of voxels, coupled by the reaction, and the collector.

Faces are those of `finite_volume`: the first z face of the electronic network leads to the collector, the last of the
ionic one to the counter electrode, and all other outer faces are closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from operando.electrochemistry.finite_volume import (
    Faces,
    conductances_from_conductivity,
    flows_from_potential,
    on_side,
    side_conductance_from_conductivity,
)
from operando.electrochemistry.stencil_numba import apply

if TYPE_CHECKING:
    from operando.electrochemistry.porous.electrode import PorousCell
    from operando.frames import Array


@dataclass(frozen=True, eq=False)
class Networks:
    """Face conductances [S] of the electronic and the ionic network."""

    electronic: Faces
    ionic: Faces


def networks_of(cell: PorousCell) -> Networks:
    """Conductances of all faces of a cell."""
    return Networks(
        _to_one_side(cell.electronic_conductivity, cell.grid.spacing, "-z", 0.0),
        _to_one_side(cell.ionic_conductivity, cell.grid.spacing, "+z", cell.counter_resistance),
    )


def flows(faces: Faces, potential: Array, *, below: float = 0.0, above: float = 0.0) -> Faces:
    """Current through each face [A], with what lies below and above at a potential each [V]."""
    return flows_from_potential(potential=potential, conductances=faces, outside={"-z": below, "+z": above})


def outflow(faces: Faces, potential: Array, *, below: float = 0.0, above: float = 0.0) -> Array:
    """Current that leaves each voxel [A] for its neighbours and for what lies below and above."""
    out = apply(faces, np.zeros(potential.shape), potential)
    out[0] -= faces.z[0] * below
    out[-1] -= faces.z[-1] * above
    return out


def diagonal_of(faces: Faces) -> Array:
    """Sum of the conductances of each voxel's faces [S]."""
    fz, fy, fx = faces
    total: Array = fz[1:] + fz[:-1] + fy[:, 1:] + fy[:, :-1] + fx[:, :, 1:] + fx[:, :, :-1]
    return total


def _to_one_side(conductivity: Array, spacing: tuple[float, float, float], side: str, contact: Array | float) -> Faces:
    sigma = np.asarray(conductivity, dtype=float)
    faces = conductances_from_conductivity(conductivity=sigma, spacing=spacing)
    on_side(faces, side)[...] = side_conductance_from_conductivity(
        conductivity=sigma, side=side, spacing=spacing, contact_resistance=contact
    )
    return faces
