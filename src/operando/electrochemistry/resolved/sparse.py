"""The linear system of a step as a sparse matrix: for sections, where factorising it is the fastest way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csc_matrix

from operando.electrochemistry.resolved.faces import Faces
from operando.electrochemistry.resolved.fluxes import Fields
from operando.electrochemistry.resolved.jacobian import Control, Slopes
from operando.frames import Array

Term = tuple[Array, Array, Callable[[Slopes], Array]]
"""Rows, columns, and how to read the values from the slopes."""


@dataclass(frozen=True, eq=False)
class SparseSystem:
    """The unknowns as one vector, potential and x of a voxel side by side and the voltage last; its matrix."""

    faces: Faces

    @cached_property
    def order(self) -> Array:
        """Into all potentials followed by all x, in the vector's order."""
        active = np.asarray(self.faces.active).ravel()
        used = active | np.asarray(self.faces.electrolyte).ravel()
        places = np.concatenate([2 * np.flatnonzero(used), 2 * np.flatnonzero(active) + 1])
        entries = np.concatenate([np.flatnonzero(used), used.size + np.flatnonzero(active)])
        return np.asarray(entries[np.argsort(places)])

    @cached_property
    def places(self) -> tuple[Array, Array]:
        """Place of each voxel's potential and x; -1 where it has none."""
        size = np.size(self.faces.active)
        places = np.full(2 * size, -1)
        places[self.order] = np.arange(self.order.size)
        return places[:size], places[size:]

    def vector(self, fields: Fields) -> Array:
        """Unknowns in use, as one vector."""
        both = np.concatenate([np.asarray(fields.potential).ravel(), np.asarray(fields.lithiation).ravel()])
        return np.append(both[self.order], float(fields.voltage))

    def fields(self, vector: Array) -> Fields:
        """Unknowns on the grid, zero where there are none."""
        shape = np.shape(self.faces.active)
        both = np.zeros(2 * np.size(self.faces.active))
        both[self.order] = vector[:-1]
        potential, lithiation = both.reshape(2, *shape)
        return Fields(potential, lithiation, vector[-1])

    def matrix(self, slopes: Slopes, storage: Any, control: Control) -> csc_matrix:
        """Assemble the matrix of `jacobian.action`."""
        values = [np.asarray(read(slopes)) for _, _, read in self._terms]
        active = np.asarray(self.faces.active)
        total = [control.current * v for v in values[-self._circuit :]]
        flat = np.concatenate([*values[: -self._circuit], *total, np.asarray(storage)[active], [control.voltage]])
        rows, starts, kept, where = self._pattern
        summed = np.bincount(where, weights=flat[kept], minlength=rows.size)
        size = self.order.size + 1
        return csc_matrix((summed, rows, starts), shape=(size, size))

    @cached_property
    def _terms(self) -> list[Term]:
        circuit = list(self._circuit_terms())
        return [t for axis in range(3) for t in self._bulk_terms(axis)] + list(self._interface_terms()) + circuit

    @cached_property
    def _circuit(self) -> int:
        return len(list(self._circuit_terms()))

    @cached_property
    def _pattern(self) -> tuple[Array, Array, Array, Array]:
        """Row numbers and column starts, which values are kept, and the entry that each of them is added to."""
        _, x = self.places
        stored = x[np.asarray(self.faces.active).ravel()]
        last = np.array([self.order.size])
        rows = np.concatenate([*(t[0] for t in self._terms), stored, last])
        columns = np.concatenate([*(t[1] for t in self._terms), stored, last])
        kept = np.flatnonzero((rows >= 0) & (columns >= 0))
        size = self.order.size + 1
        keys, where = np.unique(columns[kept].astype(np.int64) * size + rows[kept], return_inverse=True)
        starts = np.searchsorted(keys // size, np.arange(size + 1))
        return (keys % size).astype(np.int32), starts.astype(np.int32), kept, where.ravel()

    def _bulk_terms(self, axis: int) -> Iterator[Term]:
        numbers = np.arange(np.size(self.faces.active)).reshape(np.shape(self.faces.active))
        bulk = self.faces.bulk[axis]
        phi, x = self.places
        for kind, passes, place in (("charge", bulk.conducts, phi), ("lithium", bulk.exchanges, x)):
            met = np.asarray(passes)
            left = np.take(numbers, range(numbers.shape[axis] - 1), axis)[met]
            right = np.take(numbers, range(1, numbers.shape[axis]), axis)[met]
            for column, which, turn in ((phi[left], 0, 1), (phi[right], 0, -1), (x[left], 1, 1), (x[right], 2, 1)):
                read = _reader(axis, kind, which, met, turn * bulk.area)
                yield place[left], column, read
                yield place[right], column, _turned(read)

    def _interface_terms(self) -> Iterator[Term]:
        (phi, x), faces = self.places, self.faces
        a, e, met = faces.reacting.active, faces.reacting.electrolyte, faces.reacting.area
        voltage = np.full(a.size, self.order.size)
        for row, sign in ((phi[a], 1), (x[a], 1), (phi[e], -1)):
            for column, turn in ((phi[a], 1), (phi[e], -1), (voltage, 1)):
                yield row, column, _scaled(0, sign * turn * met)
            yield row, x[a], _scaled(1, sign * met)
        e, met, positive = faces.plating.electrolyte, faces.plating.area, faces.plating.positive
        yield phi[e], phi[e], lambda s: s.plating * met
        yield phi[e], np.full(e.size, self.order.size), lambda s: -s.plating * met * positive
        c, touching, tied = faces.contacts.active, faces.contacts.area, faces.contacts.positive
        yield phi[c], phi[c], lambda s: s.contacts[0] * touching
        yield phi[c], x[c], lambda s: s.contacts[1] * touching
        yield phi[c], np.full(c.size, self.order.size), lambda s: s.contacts[0] * touching * (1 - tied)

    def _circuit_terms(self) -> Iterator[Term]:
        (phi, x), plating, contacts = self.places, self.faces.plating, self.faces.contacts
        last = self.order.size
        by = plating.positive * plating.area
        yield np.full(by.size, last), phi[plating.electrolyte], lambda s: -s.plating * by
        yield np.full(by.size, last), np.full(by.size, last), lambda s: s.plating * by
        c, tied = contacts.active, contacts.positive * contacts.area
        yield np.full(c.size, last), phi[c], lambda s: -s.contacts[0] * tied
        yield np.full(c.size, last), x[c], lambda s: -s.contacts[1] * tied


def _reader(axis: int, kind: str, which: int, met: Array, by: float) -> Callable[[Slopes], Array]:
    return lambda slopes: np.asarray(getattr(slopes.bulk[axis], kind)[which])[met] * by


def _turned(read: Callable[[Slopes], Array]) -> Callable[[Slopes], Array]:
    return lambda slopes: -read(slopes)


def _scaled(which: int, by: Array) -> Callable[[Slopes], Array]:
    return lambda slopes: np.asarray(slopes.reacting[which]) * by
