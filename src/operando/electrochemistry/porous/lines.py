"""Potentials of large cells: conjugate gradients with a multigrid of columns.

Columns along z are solved exactly with both potentials and the reaction between them, so neither thin layers nor a
fast reaction slow the solver down. Blocks of 2 x 2 columns make the next coarser level, whose lateral conductances
are half of the faces' sums because a piecewise constant correction is too stiff by that factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from operando.electrochemistry.porous.chessboard import blocks, by_colour, by_place, coarser, planes_of
from operando.electrochemistry.threads import shared_out

if TYPE_CHECKING:
    from operando.electrochemistry.porous.chessboard import Planes
    from operando.electrochemistry.porous.network import Networks
    from operando.frames import Array


_RESPONSE = 0.03
"""Relative error of the response to a voltage: it costs Newton as much convergence in the voltage."""


@dataclass(frozen=True, eq=False)
class _Level:
    """One grid in single precision, half the memory to pass over and exact enough to guide; see `chessboard`."""

    below: Array
    south: Array
    west: Array
    diagonal: Array
    coupling: Array
    inverse: Array
    cross: Array
    b: Array
    u: Array


class LinePotentials:
    """Solve for corrections of both potentials and of the collector's voltage; see `DirectPotentials`.

    Parameters
    ----------
    tolerance:
        Error, relative to the first guess's in the energy norm, that is left to Newton's next iteration.
    most_iterations:
        Of conjugate gradients.
    """

    def __init__(self, networks: Networks, *, tolerance: float = 1e-3, most_iterations: int = 60) -> None:
        self._tolerance, self._most = tolerance, most_iterations
        planes = planes_of(networks)
        self._layers, self._width = planes.layers, planes.diagonal.shape[2]
        self._reached = planes.diagonal.shape[0] - planes.layers
        self._faces = by_colour(planes.below), by_colour(planes.south), by_colour(planes.west)
        self._diagonal = by_colour(planes.diagonal)
        self._levels = _levels(planes)
        self._coupling = np.full_like(self._diagonal[:, planes.layers :], np.nan)
        self._response, self._drive = (np.zeros_like(self._diagonal) for _ in range(2))
        self._direction, self._product, self._residual = (np.empty_like(self._diagonal) for _ in range(3))
        self._sums = np.empty(planes.diagonal.shape[0])
        self._collector = networks.electronic[0][0]
        self._drive[:, self._layers] = by_colour(self._collector[None])[:, 0]
        self.iterations = 0

    def solve(
        self, *, coupling: Array, electronic: Array, ionic: Array, total: float | None
    ) -> tuple[Array, Array, float]:
        """Corrections of the electronic and the ionic potential, and of the collector's voltage."""
        changed = self._couple(coupling[: self._reached])
        missing = by_colour(np.concatenate([ionic, electronic[: self._reached]]))
        voltage = 0.0
        if total is not None:
            if changed:
                self._response = self._conjugate_gradients(self._drive, self._response, _RESPONSE)
            stiffness = float(self._collector.sum()) - self._dot(self._drive, self._response)
            voltage = (total + self._dot(self._response, missing)) / stiffness
            missing += voltage * self._drive
        found = by_place(
            self._conjugate_gradients(missing, voltage * self._response, self._tolerance), width=self._width
        )
        whole = np.zeros(ionic.shape)
        whole[: self._reached] = found[self._layers :]
        return whole, found[: self._layers], voltage

    def _couple(self, coupling: Array) -> bool:
        """Take a new reaction; whether it is so new that the response to a voltage must be found again."""
        from operando.electrochemistry.porous.line_kernels import eliminate

        new = by_colour(coupling)
        changed = not float(np.abs(new - self._coupling).max()) <= _RESPONSE * float(coupling.max())
        first, self._coupling = np.isnan(self._coupling[0, 0, 0, 0]), new
        top = self._layers if first else self._reached
        part = coupling.astype(np.float32)
        for level in self._levels:
            level.coupling[...] = by_colour(part)
            system = (level.below, level.diagonal, level.coupling, top, self._layers, level.inverse, level.cross)
            shared_out(eliminate, level.u.shape[2], level.u.size, *system)
            part = blocks(part)
        return changed

    def _conjugate_gradients(self, b: Array, start: Array, tolerance: float) -> Array:
        from operando.electrochemistry.porous.gradient_kernels import advance, turn

        u, r = start, self._residual
        direction, product, single = self._direction, self._product, self._levels[0].b
        self._apply(u)
        np.subtract(b, product, out=r)
        single[...] = r
        before, first = 1.0, 0.0
        for count in range(self._most):
            self._descend(0)
            z = self._levels[0].u
            now = self._dot(r, z)
            first = first or now
            # r z measures the error in the energy norm, as far as a cycle inverts the operator
            if now <= tolerance**2 * first or now == 0.0:
                return u
            self.iterations += 1
            if count == 0:
                direction[...] = z
            else:
                self._over_planes(turn, direction, now / before, z)
            before = now
            step = now / self._apply(direction)
            self._over_planes(advance, step, direction, product, u, r, single)
        return u

    def _apply(self, u: Array) -> float:
        """Find the operator times `u`, and ``u`` times that."""
        from operando.electrochemistry.porous.gradient_kernels import apply

        self._over_planes(apply, *self._faces, self._diagonal, self._coupling, u, self._product, self._sums)
        return float(self._sums.sum())

    def _dot(self, a: Array, b: Array) -> float:
        from operando.electrochemistry.porous.gradient_kernels import dot

        self._over_planes(dot, a, b, self._sums)
        return float(self._sums.sum())

    def _over_planes(self, kernel: Any, *args: Any) -> None:
        shared_out(kernel, self._sums.size, self._diagonal.size, *args)

    def _descend(self, index: int) -> None:
        """One V-cycle from zero, symmetric: colours in turn before, in reverse after."""
        from operando.electrochemistry.porous.line_kernels import (
            add_coarse_to_first_colour,
            relax_columns,
            restrict_first_colour,
        )

        level = self._levels[index]
        rows, size = level.u.shape[2], level.u.size
        system = (level.below, level.south, level.west, level.inverse, level.cross, level.b, level.u)
        shared_out(relax_columns, rows, size, *system, 0, True)
        if index + 1 == len(self._levels):
            return
        coarse = self._levels[index + 1]
        shared_out(relax_columns, rows, size, *system, 1, False)
        shared_out(restrict_first_colour, (rows + 1) // 2, size, level.south, level.west, level.u, coarse.b)
        self._descend(index + 1)
        shared_out(add_coarse_to_first_colour, rows, size, level.u, coarse.u, level.inverse)
        shared_out(relax_columns, rows, size, *system, 1, False)
        shared_out(relax_columns, rows, size, *system, 0, False)


def _levels(planes: Planes) -> list[_Level]:
    levels = [_level(planes)]
    while planes.diagonal.shape[1] * planes.diagonal.shape[2] > 1:
        planes = coarser(planes)
        levels.append(_level(planes))
    return levels


def _level(planes: Planes) -> _Level:
    below, south, west, diagonal = (
        by_colour(part, kind=np.float32) for part in (planes.below, planes.south, planes.west, planes.diagonal)
    )
    coupling, cross = (np.zeros_like(diagonal[:, planes.layers :]) for _ in range(2))
    inverse, b, u = (np.zeros_like(diagonal) for _ in range(3))
    return _Level(below, south, west, diagonal, coupling, inverse, cross, b, u)
