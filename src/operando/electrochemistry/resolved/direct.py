"""Linear systems of sections: a factorisation, kept as the preconditioner until it has become a poor one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse.linalg import splu

from operando.electrochemistry.resolved.faces import Faces
from operando.electrochemistry.resolved.fluxes import Fields
from operando.electrochemistry.resolved.jacobian import Control, Slopes
from operando.electrochemistry.resolved.krylov import minimal_residual
from operando.electrochemistry.resolved.sparse import SparseSystem
from operando.frames import Array

_PATIENCE = 10
"""Iterations after which a new factorisation is the cheaper way."""


@dataclass(eq=False)
class DirectSolver:
    """Solves by a sparse factorisation.

    Attributes
    ----------
    faces:
        Of the cell.
    precision:
        Of the slopes that it wants.
    """

    faces: Faces
    precision: Any = float
    system: SparseSystem = field(init=False)
    _factors: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.system = SparseSystem(self.faces)

    def solve(
        self, residual: Fields, slopes: Slopes, storage: Any, control: Control, *, relative: float
    ) -> Fields | None:
        """Change of the unknowns that the residual asks for; None where the matrix is singular."""
        matrix, wanted = self.system.matrix(slopes, storage, control), self.system.vector(residual)
        if not np.isfinite(matrix.data).all():
            return None
        found = self._iterated(matrix, wanted, relative) if self._factors is not None else None
        if found is None:
            try:
                self._factors = splu(
                    matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.01, options={"SymmetricMode": True}
                )
            except RuntimeError:  # what SciPy raises for a singular matrix
                return None
            found = self._iterated(matrix, wanted, relative)
        return None if found is None else self.system.fields(found)

    def _iterated(self, matrix: Any, wanted: Array, relative: float) -> Array | None:
        found, left, _ = minimal_residual(matrix.dot, self._factors.solve, wanted, relative=relative, most=_PATIENCE)
        return found if left <= relative else None
