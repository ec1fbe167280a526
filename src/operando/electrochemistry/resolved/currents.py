"""Currents of a solved cell on the faces of its grid, those within metals included."""

from __future__ import annotations

from typing import Any

import numpy as np

from operando.currents import FaceCurrents
from operando.electrochemistry.connectivity import parts_of
from operando.electrochemistry.finite_volume import (
    Faces,
    conductances_from_conductivity,
    face_areas,
    flows_from_potential,
    net_outflow,
    on_side,
    side_conductance_from_conductivity,
)
from operando.electrochemistry.multigrid import solve
from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.cycler import State
from operando.electrochemistry.resolved.faces import faces_of
from operando.frames import Array

_OPPOSITE = {"+": "-", "-": "+"}
_REPEATS = 4


def face_currents(cell: ResolvedCell, state: State) -> FaceCurrents:
    """Current density through every face, as the magnetics needs it.

    Within a metal, an equipotential to the cell, the current spreads as in a uniform conductor between its surface and
    the plate. What crosses the two plates goes on in the leads; every voxel's net current is zero.
    """
    found = _balanced(_between_voxels(cell, state), cell)
    for sign in (1, -1):
        metal = cell.reached.metal == sign
        side = cell.negative_side
        if metal.any():
            found = _with_metal(found, cell, metal, side if sign < 0 else _OPPOSITE[side[0]] + side[1])
    areas = face_areas(cell.grid.spacing)
    return FaceCurrents(z=found.z / areas[0], y=found.y / areas[1], x=found.x / areas[2], grid=cell.grid)


def _between_voxels(cell: ResolvedCell, state: State) -> Faces:
    """Currents through all faces but those within metals [A]."""
    areas, shape, met = face_areas(cell.grid.spacing), cell.grid.shape, faces_of(cell)
    flows = []
    for axis, inner in enumerate(state.through.charge):
        flow = np.pad(np.asarray(inner) * areas[axis], [(1, 1) if k == axis else (0, 0) for k in range(3)])
        for voxel, along, beyond, outwards, through in (
            (met.reacting.active, met.reacting.axis, met.reacting.sign, 1, state.through.reacting),
            (met.plating.electrolyte, met.plating.axis, -met.plating.sign, -1, state.through.plating),
            (met.contacts.active, met.contacts.axis, met.contacts.sign, 1, state.through.contacts),
        ):
            here = along == axis
            place = list(np.unravel_index(voxel[here], shape))
            place[axis] = place[axis] + (beyond[here] > 0)
            np.add.at(flow, tuple(place), outwards * beyond[here] * np.asarray(through)[here] * areas[axis])
        flows.append(flow)
    return Faces(*flows)


def _balanced(flows: Faces, cell: ResolvedCell) -> Faces:
    """Lead what the solver left in voxels, up to 1e-9 of the cell's current each, to the metals and plates.

    It is led as a uniform conductor of all that is not metal would: on short ways, and no voxel keeps any.
    """
    reached, side = cell.reached, cell.negative_side
    metal, matter = reached.metal != 0, reached.electrolyte | reached.active
    ways = conductances_from_conductivity(conductivity=(matter | metal).astype(float), spacing=cell.grid.spacing)
    for beyond, touching in (
        (side, reached.electrolyte & (cell.plate is not None)),
        (_OPPOSITE[side[0]] + side[1], reached.active),
    ):
        on_side(ways, beyond)[...] = side_conductance_from_conductivity(
            conductivity=touching.astype(float), side=beyond, spacing=cell.grid.spacing
        )
    to_metal = Faces(*(g * _touches(metal, axis) for axis, g in enumerate(ways)))
    left = np.where(matter, -net_outflow(flows), 0.0)
    size = float(np.abs(left).max())
    if size == 0:
        return flows
    found = solve(
        conductances=Faces(*(g - m for g, m in zip(ways, to_metal, strict=True))),
        diagonal=np.where(matter, sum(_both_sides(m, axis) for axis, m in enumerate(to_metal)), 0.0),
        b=left / size,
        tolerance=1e-6,
    )
    more = flows_from_potential(potential=np.where(matter, found.value * size, 0.0), conductances=ways)
    return Faces(*(a + b for a, b in zip(flows, more, strict=True)))


def _touches(mask: Array, axis: int) -> Array:
    """Faces normal to an axis with a voxel of `mask` on either side."""
    padded = np.pad(mask, [(1, 1) if k == axis else (0, 0) for k in range(3)])
    moved = np.moveaxis(padded, axis, 0)
    return np.moveaxis(moved[1:] | moved[:-1], 0, axis)


def _both_sides(faces: Array, axis: int) -> Array:
    """Sum over each voxel's two faces normal to an axis."""
    moved = np.moveaxis(faces, axis, 0)
    return np.moveaxis(moved[1:] + moved[:-1], 0, axis)


def _with_metal(flows: Faces, cell: ResolvedCell, metal: Array, side: str) -> Faces:
    """Lead what enters a metal through its surface to its side."""
    conductivity, spacing = metal.astype(float), cell.grid.spacing
    inner = conductances_from_conductivity(conductivity=conductivity, spacing=spacing)
    on_side(inner, side)[...] = side_conductance_from_conductivity(
        conductivity=conductivity, side=side, spacing=spacing
    )
    for _ in range(_REPEATS):
        missing = np.where(metal, -net_outflow(flows), 0.0)
        size = float(np.abs(missing).max())
        if size == 0:
            break
        found = solve(conductances=inner, diagonal=np.zeros(metal.shape), b=missing / size, tolerance=1e-8)
        more = flows_from_potential(potential=found.value * size, conductances=inner)
        flows = Faces(*(a + b for a, b in zip(flows, more, strict=True)))
    return flows


def lithium_in_particles(cell: ResolvedCell, state: State, particles: Array | None = None) -> Array:
    """Mean x of each particle, numbered from 1; without numbers, of each connected piece of active material."""
    active = cell.reached.active
    labels = np.asarray(particles) if particles is not None else parts_of(active)[0]
    number = labels[active]
    x: Any = np.asarray(state.fields.lithiation)[active]
    counts = np.bincount(number)[1:]
    return np.bincount(number, weights=x)[1:] / np.where(counts > 0, counts, 1)
