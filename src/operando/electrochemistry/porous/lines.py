"""Potentials of large cells: conjugate gradients with a multigrid of columns.

Columns along z are solved exactly with both potentials and the reaction between them, so neither thin layers nor a
fast reaction slow the solver down. Blocks of 2 x 2 columns make the next coarser level, whose lateral conductances
are half of the faces' sums because a piecewise constant correction is too stiff by that factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from operando.electrochemistry.porous.network import diagonal_of

if TYPE_CHECKING:
    from operando.electrochemistry.porous.network import Faces, Networks
    from operando.frames import Array


_RESPONSE = 0.03
"""Relative error of the response to a voltage: it costs Newton as much convergence in the voltage."""


@dataclass(frozen=True, eq=False)
class _Level:
    """One grid; fields ``(2, z, y, x)``."""

    faces: Faces
    diagonal: Array
    coupling: Array
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
        self._levels = _levels(networks)
        self._collector = networks.electronic[0][0]
        self._faces, self._diagonal = _stacked(networks)
        self._coupling = np.full(self._diagonal.shape[1:], np.nan)
        self._response = np.zeros_like(self._diagonal)
        self._drive = np.zeros_like(self._diagonal)
        self._drive[0, 0] = self._collector
        self.iterations = 0

    def solve(
        self, *, coupling: Array, electronic: Array, ionic: Array, total: float | None
    ) -> tuple[Array, Array, float]:
        """Corrections of the electronic and the ionic potential, and of the collector's voltage."""
        changed = self._couple(coupling)
        missing = np.stack([electronic, ionic])
        voltage = 0.0
        if total is not None:
            if changed:
                self._response = self._conjugate_gradients(self._drive, self._response, _RESPONSE)
            stiffness = float(self._collector.sum() - np.vdot(self._drive, self._response))
            voltage = (total + float(np.vdot(self._response, missing))) / stiffness
            missing += voltage * self._drive
        start = voltage * self._response
        found = self._conjugate_gradients(missing, start, self._tolerance)
        return found[0], found[1], voltage

    def _couple(self, coupling: Array) -> bool:
        """Take a new reaction; whether it is so new that the response to a voltage must be found again."""
        largest = float(np.abs(coupling - self._coupling).max())
        changed = not largest <= _RESPONSE * float(coupling.max())
        self._coupling[...] = coupling
        self._levels[0].coupling[...] = coupling
        for fine, coarse in zip(self._levels[:-1], self._levels[1:], strict=True):
            coarse.coupling[...] = _blocks(fine.coupling)
        return changed

    def _conjugate_gradients(self, b: Array, start: Array, tolerance: float) -> Array:
        from operando.electrochemistry.porous.line_kernels import apply

        operator = (*self._faces, self._diagonal, self._coupling)
        u = start.copy()
        product = np.empty_like(u)
        apply(*operator, u, product)
        r = b - product
        direction, before, first = np.zeros_like(u), 1.0, 0.0
        for count in range(self._most):
            z = self._cycle(r)
            now = float(np.vdot(r, z))
            first = first or now
            # r z measures the error in the energy norm, as far as a cycle inverts the operator
            if now <= tolerance**2 * first or now == 0.0:
                return u
            self.iterations += 1
            direction *= now / before if count else 0.0
            direction += z
            before = now
            apply(*operator, direction, product)
            step = now / float(np.vdot(direction, product))
            u += step * direction
            r -= step * product
        return u

    def _cycle(self, r: Array) -> Array:
        self._levels[0].b[...] = r
        self._descend(0)
        return self._levels[0].u

    def _descend(self, index: int) -> None:
        """One V-cycle, symmetric: colours in turn before, in reverse after."""
        from operando.electrochemistry.porous.line_kernels import add_coarse, relax_columns, restrict_residual

        level = self._levels[index]
        operator = (*level.faces, level.diagonal, level.coupling)
        level.u[...] = 0.0
        single = level.u.shape[2] * level.u.shape[3] == 1
        for colour in (0,) if single else (0, 1):
            relax_columns(*operator, level.b, level.u, colour)
        if index + 1 < len(self._levels):
            coarse = self._levels[index + 1]
            restrict_residual(*operator, level.b, level.u, coarse.b)
            self._descend(index + 1)
            add_coarse(level.u, coarse.u, level.diagonal)
            for colour in (1, 0):
                relax_columns(*operator, level.b, level.u, colour)


def _stacked(networks: Networks) -> tuple[Faces, Array]:
    first, second = networks.electronic, networks.ionic
    faces: Faces = (
        np.stack([first[0], second[0]]),
        np.stack([first[1], second[1]]),
        np.stack([first[2], second[2]]),
    )
    return faces, np.stack([diagonal_of(first), diagonal_of(second)])


def _levels(networks: Networks) -> list[_Level]:
    """Grids of the preconditioner, in single precision: half the memory to pass over, and exact enough to guide."""
    (z, y, x), diagonal = _stacked(networks)
    single = np.float32
    levels = [_level((z.astype(single), y.astype(single), x.astype(single)), diagonal.astype(single))]
    while levels[-1].u.shape[2] * levels[-1].u.shape[3] > 1:
        levels.append(_coarser(levels[-1]))
    return levels


def _level(faces: Faces, diagonal: Array) -> _Level:
    return _Level(faces, diagonal, np.zeros_like(diagonal[0]), np.zeros_like(diagonal), np.zeros_like(diagonal))


def _coarser(fine: _Level) -> _Level:
    fz, fy, fx = fine.faces
    z = _blocks(fz)
    y = np.zeros((*fy.shape[:2], fy.shape[2] // 2 + 1, (fy.shape[3] + 1) // 2), dtype=fy.dtype)
    x = np.zeros((*fx.shape[:2], (fx.shape[2] + 1) // 2, fx.shape[3] // 2 + 1), dtype=fx.dtype)
    inner_y, inner_x = _pairs(fy[:, :, 2:-1:2], 3) / 2, _pairs(fx[:, :, :, 2:-1:2], 2) / 2
    y[:, :, 1 : 1 + inner_y.shape[2]] = inner_y
    x[:, :, :, 1 : 1 + inner_x.shape[3]] = inner_x
    diagonal = z[:, 1:] + z[:, :-1] + y[:, :, 1:] + y[:, :, :-1] + x[:, :, :, 1:] + x[:, :, :, :-1]
    return _level((z, y, x), diagonal)


def _blocks(values: Array) -> Array:
    """Add up blocks of 2 x 2 over the last two axes; odd ends make smaller blocks."""
    return _pairs(_pairs(values, values.ndim - 2), values.ndim - 1)


def _pairs(values: Array, axis: int) -> Array:
    edges = np.arange(0, values.shape[axis], 2)
    return np.add.reduceat(values, edges, axis=axis)
