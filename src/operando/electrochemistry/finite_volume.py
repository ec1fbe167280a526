"""Finite volumes on voxels: conductances of faces, what flows through them, and what stays in a voxel.

Everything that lives on faces is laid out as `Faces`: one array for each axis, one entry longer along it than the grid
has voxels. The first and last entries are the faces of the grid's sides. Beyond them lies ground, or an electrode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from operando.electrochemistry import faces_numba

Array = npt.NDArray[Any]

SIDES = ("-z", "+z", "-y", "+y", "-x", "+x")
"""The sides of a grid."""


class Faces(NamedTuple):
    """Values on the faces of voxels: ``z (nz+1, ny, nx)``, ``y (nz, ny+1, nx)``, ``x (nz, ny, nx+1)``."""

    z: Array
    y: Array
    x: Array


def on_side(faces: Faces, side: str) -> Array:
    """View of the faces on one side of the grid, such as ``-x``."""
    axis = "zyx".index(side[1])
    return np.asarray(np.moveaxis(faces[axis], axis, 0)[0 if side[0] == "-" else -1])


def voxels_at(volume: Array, side: str) -> Array:
    """View of the voxels that touch one side of the grid, such as ``-x``."""
    return np.asarray(np.moveaxis(volume, "zyx".index(side[1]), 0)[0 if side[0] == "-" else -1])


def face_areas(spacing: tuple[float, float, float]) -> tuple[float, float, float]:
    """Area of a face normal to ``z``, ``y``, ``x`` [m^2]."""
    dz, dy, dx = spacing
    return dy * dx, dz * dx, dz * dy


def conductances_from_conductivity(
    *, conductivity: Array, spacing: tuple[float, float, float], contact_resistance: Faces | None = None
) -> Faces:
    """Conductance between the centres of neighbouring voxels [S]; 0 through the sides.

    ``G = A / (h / 2 s_1 + R + h / 2 s_2)``: two half voxels and a contact in series, exact for layers.

    Parameters
    ----------
    conductivity:
        ``(z, y, x)`` [S/m]; 0 where nothing conducts, infinite in an equipotential metal.
    spacing:
        Voxel size ``(z, y, x)`` [m].
    contact_resistance:
        Area-specific resistance R of each face [Ohm m^2].
    """
    areas = face_areas(spacing)
    values = np.ascontiguousarray(conductivity, dtype=float)
    found = Faces(*faces_numba.conductances(values, spacing, areas))
    if contact_resistance is None:
        return found
    with np.errstate(divide="ignore"):
        return Faces(*(a / (a / g + r) for a, g, r in zip(areas, found, contact_resistance, strict=True)))


def side_conductance_from_conductivity(
    *, conductivity: Array, side: str, spacing: tuple[float, float, float], contact_resistance: Array | float = 0.0
) -> Array:
    """Conductance from the voxels at a side to an electrode on that side [S]: ``A / (h / 2 s + R)``.

    Parameters
    ----------
    conductivity:
        ``(z, y, x)`` [S/m].
    contact_resistance:
        Area-specific resistance R between electrode and voxels, one number or one for each face [Ohm m^2].
    """
    axis = "zyx".index(side[1])
    touching = voxels_at(conductivity, side)
    along = spacing[axis] + 2 * contact_resistance * touching
    return np.asarray(2 * face_areas(spacing)[axis] * touching / along)


def flows_from_potential(
    *, potential: Array, conductances: Faces, outside: Mapping[str, float] | None = None, onto: Faces | None = None
) -> Faces:
    """Current through each face, positive along its axis [A]: ``G (u_before - u_after)``.

    Parameters
    ----------
    potential:
        ``(z, y, x)`` [V].
    conductances:
        [S].
    outside:
        Potential beyond each side [V], by its name such as ``-x``; ground where none is given.
    onto:
        Flows to which these are added in place.
    """
    beyond = tuple((outside or {}).get(side, 0.0) for side in SIDES)
    return Faces(*faces_numba.flows(np.ascontiguousarray(potential, dtype=float), conductances, beyond, onto))


def net_outflow(flows: Faces) -> Array:
    """Sum of what leaves each voxel through its faces ``(z, y, x)``, in the unit of the flows."""
    return faces_numba.net_outflow(flows)


def missing_in_voxels(flows: Faces, fixed: Array) -> tuple[Array, float]:
    """What flows would have to add in each voxel to close, 0 in those that are fixed; and the sum of its size."""
    return faces_numba.missing(flows, fixed)
