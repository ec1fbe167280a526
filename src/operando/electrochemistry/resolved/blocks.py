"""Linear systems of volumes: Krylov iterations on the action of the Jacobian, preconditioned by multigrid in blocks.

Potentials of ions, potentials of electrons and lithium have a multigrid hierarchy each, for hierarchies must not gather
voxels of different phases. Reactions couple the blocks: each is solved with what the ones before have found. The
cell's voltage is eliminated. Nothing is assembled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from operando.electrochemistry import finite_volume
from operando.electrochemistry.multigrid import Hierarchy, hierarchy_from_conductances
from operando.electrochemistry.resolved.faces import Faces
from operando.electrochemistry.resolved.fluxes import Fields
from operando.electrochemistry.resolved.jacobian import Control, Slopes, action
from operando.electrochemistry.resolved.krylov import minimal_residual
from operando.frames import Array

_RELATIVE = 2e-3
"""Finer solves of one iteration save no iteration of Newton's method."""
_PATIENCE, _MOST = 6, 25
_ENOUGH = 0.5


@dataclass(eq=False)
class BlockSolver:
    """Solves without a matrix; hierarchies are kept until they have become poor ones.

    Attributes
    ----------
    faces:
        Of the cell.
    precision:
        Of the slopes that it wants: single is enough for what Newton's method corrects.
    """

    faces: Faces
    precision: Any = np.float32
    _blocks: _Blocks | None = field(default=None, init=False)

    def solve(
        self, residual: Fields, slopes: Slopes, storage: Any, control: Control, *, relative: float
    ) -> Fields | None:
        """Change of the unknowns that the residual asks for; None where the iterations do not get near."""
        shape, wanted, enough = np.shape(self.faces.active), _vector(residual), max(relative, _RELATIVE)

        def operator(vector: Array) -> Array:
            return _vector(action(_fields(vector.astype(float), shape), slopes, storage, control, self.faces))

        known, left = np.zeros_like(wanted), 1.0
        if self._blocks is not None and self._blocks.control == control:
            known, left, _ = minimal_residual(operator, self._blocks, wanted, relative=enough, most=_PATIENCE)
            if left <= enough:
                return _fields(known, shape)
            if left < 1:
                wanted = wanted - operator(known)
            else:
                known, left = np.zeros_like(wanted), 1.0
        self._blocks = None  # a volume has no room for two
        self._blocks = _Blocks(self.faces, slopes, np.asarray(storage), control)
        found, more, _ = minimal_residual(operator, self._blocks, wanted, relative=enough / left, most=_MOST)
        return _fields(known + found, shape) if left * more < _ENOUGH else None


class _Blocks:
    """The preconditioner of one linear system."""

    def __init__(self, faces: Faces, slopes: Slopes, storage: Array, control: Control) -> None:
        self.shape, self.control = np.shape(faces.active), control
        met, plating, contacts = faces.reacting, faces.plating, faces.contacts
        self.active, self.electrolyte = met.active, met.electrolyte
        self.by_drop, self.by_lithium = (np.asarray(s) * met.area for s in slopes.reacting)
        by_plating = np.asarray(slopes.plating) * plating.area
        by_contact = np.asarray(slopes.contacts[0]) * contacts.area
        self.circuit = (
            (plating.electrolyte, -plating.positive * by_plating),
            (contacts.active, -contacts.positive * by_contact),
        )
        through_plates = float((plating.positive * by_plating).sum())
        ions = self._summed(met.electrolyte, self.by_drop) + self._summed(plating.electrolyte, by_plating)
        electrons = self._summed(met.active, self.by_drop) + self._summed(contacts.active, by_contact)
        lithium = self._summed(met.active, self.by_lithium) + np.where(faces.active, storage, 0.0)
        self.ions = _hierarchy(slopes, faces, np.asarray(faces.electrolyte), ions)
        self.electrons = _hierarchy(slopes, faces, np.asarray(faces.active), electrons)
        self.lithium = _hierarchy(slopes, faces, None, np.maximum(lithium, 0.0))
        pull = self._summed(met.active, self.by_drop)
        tied = self._summed(contacts.active, (1 - contacts.positive) * by_contact)
        push = -self._summed(met.electrolyte, self.by_drop) - self._summed(
            plating.electrolyte, plating.positive * by_plating
        )
        self.with_voltage = self._cells(pull + tied + push, pull)
        self.stiffness = (
            control.current * (through_plates + self._current(self.with_voltage[0], -1.0)) + control.voltage
        )

    def __call__(self, vector: Array) -> Array:
        """Solve roughly, in single precision as the hierarchies do: that saves room among the Krylov directions."""
        wanted = _fields(vector, self.shape)
        potential, lithiation = self._cells(wanted.potential, wanted.lithiation)
        voltage = (wanted.voltage - self.control.current * self._current(potential, 1.0)) / self.stiffness
        potential -= voltage * self.with_voltage[0]
        lithiation -= voltage * self.with_voltage[1]
        return _vector(Fields(potential, lithiation, voltage)).astype(np.float32)

    def _cells(self, charge: Array, lithium: Array) -> tuple[Array, Array]:
        """Solve for potentials and x at a given voltage, block after block."""
        x = self.lithium(lithium)
        drawn = self.by_lithium * x.ravel()[self.active]
        charge = charge - self._summed(self.active, drawn) + self._summed(self.electrolyte, drawn)
        electrons = self.electrons(charge)
        drawn = self.by_drop * electrons.ravel()[self.active]
        ions = self.ions(charge + self._summed(self.electrolyte, drawn))
        drawn = -self.by_drop * ions.ravel()[self.electrolyte]
        electrons = self.electrons(charge - self._summed(self.active, drawn))
        drawn = self.by_drop * (electrons.ravel()[self.active] - ions.ravel()[self.electrolyte])
        return electrons + ions, self.lithium(lithium - self._summed(self.active, drawn))

    def _current(self, potential: Array, sign: float) -> float:
        """Current out of the positive plate that goes with potentials."""
        return sign * sum(float((by * potential.ravel()[at]).sum()) for at, by in self.circuit)

    def _summed(self, voxels: Array, values: Array) -> Array:
        size = int(np.prod(self.shape))
        return np.bincount(voxels, weights=values, minlength=size).reshape(self.shape)


def _hierarchy(slopes: Slopes, faces: Faces, phase: Array | None, diagonal: Array) -> Hierarchy:
    """Hierarchy of the potential in a phase, or of the lithium where there is none."""
    conductances = []
    for axis, (bulk, by) in enumerate(zip(slopes.bulk, faces.bulk, strict=True)):
        lower, upper = (slice(None),) * axis + (slice(None, -1),), (slice(None),) * axis + (slice(1, None),)
        if phase is None:
            through = np.maximum((np.asarray(bulk.lithium[1]) - np.asarray(bulk.lithium[2])) / 2, 0.0)
        else:
            through = np.asarray(bulk.charge[0]) * (phase[lower] & phase[upper])
        conductances.append(np.pad(through * by.area, [(1, 1) if k == axis else (0, 0) for k in range(3)]))
    inside = diagonal if phase is None else np.where(phase, diagonal, 0.0)
    return hierarchy_from_conductances(conductances=finite_volume.Faces(*conductances), diagonal=inside)


def _vector(fields: Fields) -> Array:
    return np.concatenate([np.asarray(part).ravel() for part in fields])


def _fields(vector: Array, shape: tuple[int, ...]) -> Fields:
    potential, lithiation = vector[:-1].reshape(2, *shape)
    return Fields(potential, lithiation, vector[-1])
