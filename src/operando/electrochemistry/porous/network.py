"""The two conductors of a porous cell as networks of voxels, coupled by the reaction, and the collector.

Faces are ``z (nz+1, ny, nx), y (nz, ny+1, nx), x (nz, ny, nx+1)``; those between voxels are harmonic means, the
first z face of the electronic network leads to the collector, the last of the ionic one to the counter electrode, and
all other outer faces are closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from operando.electrochemistry.threads import shared_out

if TYPE_CHECKING:
    from operando.electrochemistry.porous.electrode import PorousCell
    from operando.frames import Array

Faces = tuple["Array", "Array", "Array"]


@dataclass(frozen=True, eq=False)
class Networks:
    """Face conductances [S] of the electronic and the ionic network."""

    electronic: Faces
    ionic: Faces


def networks_of(cell: PorousCell) -> Networks:
    """Conductances of all faces of a cell."""
    electronic = _inner_faces(cell.electronic_conductivity, cell.grid.spacing)
    ionic = _inner_faces(cell.ionic_conductivity, cell.grid.spacing)
    dz, dy, dx = cell.grid.spacing
    electronic[0][0] = np.asarray(cell.electronic_conductivity)[0] * (2 * dy * dx / dz)
    top = np.asarray(cell.ionic_conductivity)[-1]
    half = np.divide(dz / 2, top, out=np.full(top.shape, np.inf), where=top > 0)
    ionic[0][-1] = dy * dx / (half + cell.counter_resistance)
    return Networks(electronic, ionic)


def outflow(faces: Faces, potential: Array, *, below: float = 0.0, above: float = 0.0) -> Array:
    """Current that leaves each voxel [A] for its neighbours and for what lies below and above."""
    from operando.electrochemistry.porous.step_kernels import outflow as kernel

    out: Array = np.empty(potential.shape)
    shared_out(kernel, len(out), out.size, *faces, potential, float(below), float(above), out)
    return out


def diagonal_of(faces: Faces) -> Array:
    """Sum of the conductances of each voxel's faces [S]."""
    fz, fy, fx = faces
    total: Array = fz[1:] + fz[:-1] + fy[:, 1:] + fy[:, :-1] + fx[:, :, 1:] + fx[:, :, :-1]
    return total


def _inner_faces(conductivity: Array, spacing: tuple[float, float, float]) -> Faces:
    sigma = np.asarray(conductivity, dtype=float)
    volume = float(np.prod(spacing))
    faces = []
    for axis, step in enumerate(spacing):
        along = np.moveaxis(sigma, axis, 0)
        face = np.zeros((along.shape[0] + 1, *along.shape[1:]))
        product, total = along[1:] * along[:-1], along[1:] + along[:-1]
        np.divide(2 * product, total, out=face[1:-1], where=total > 0)
        faces.append(np.ascontiguousarray(np.moveaxis(face * (volume / step**2), 0, axis)))
    return faces[0], faces[1], faces[2]
