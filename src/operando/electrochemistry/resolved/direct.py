"""Linear systems of sections: a factorisation, kept as the preconditioner until it has become a poor one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres, splu

from operando.electrochemistry.resolved.faces import Faces
from operando.electrochemistry.resolved.fluxes import Fields
from operando.electrochemistry.resolved.jacobian import Control, Slopes
from operando.electrochemistry.resolved.sparse import SparseSystem

_PATIENCE = 8
"""Iterations after which a new factorisation is the cheaper way."""
_RELATIVE = 1e-6


@dataclass(eq=False)
class DirectSolver:
    """Solves by a sparse factorisation.

    Attributes
    ----------
    faces:
        Of the cell.
    """

    faces: Faces
    system: SparseSystem = field(init=False)
    _factors: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.system = SparseSystem(self.faces)

    def solve(self, residual: Fields, slopes: Slopes, storage: Any, control: Control) -> Fields | None:
        """Change of the unknowns that the residual asks for; None where the matrix is singular."""
        matrix, wanted = self.system.matrix(slopes, storage, control), self.system.vector(residual)
        if not np.isfinite(matrix.data).all():
            return None
        found = self._iterated(matrix, wanted) if self._factors is not None else None
        if found is None:
            try:
                self._factors = splu(
                    matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.01, options={"SymmetricMode": True}
                )
            except RuntimeError:  # what SciPy raises for a singular matrix
                return None
            found = self._iterated(matrix, wanted)
        return None if found is None else self.system.fields(found)

    def _iterated(self, matrix: Any, wanted: Any) -> Any:
        preconditioner = LinearOperator(matrix.shape, self._factors.solve)
        found, failed = gmres(matrix, wanted, M=preconditioner, rtol=_RELATIVE, restart=_PATIENCE, maxiter=1)
        return None if failed or not np.isfinite(found).all() else found
