"""Potentials of small cells by one sparse factorisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from operando.electrochemistry.porous.network import diagonal_of

if TYPE_CHECKING:
    from operando.electrochemistry.finite_volume import Faces
    from operando.electrochemistry.porous.network import Networks
    from operando.frames import Array


class DirectPotentials:
    """Solve for corrections of both potentials and of the collector's voltage.

    Cost and memory grow faster than the number of voxels: for columns, and for boxes of some ten thousand.
    """

    def __init__(self, networks: Networks) -> None:
        self._electronic, self._ionic = networks.electronic, networks.ionic
        self._collector = networks.electronic[0][0]
        self._e_cells = np.flatnonzero(diagonal_of(self._electronic) > 0)
        self._i_cells = np.flatnonzero(diagonal_of(self._ionic) > 0)
        self._size = (self._e_cells.size, self._i_cells.size)
        self._base = self._assembled()

    def solve(
        self, *, coupling: Array, electronic: Array, ionic: Array, total: float | None
    ) -> tuple[Array, Array, float]:
        """Corrections of the electronic and the ionic potential ``(z, y, x)``, and of the collector's.

        Parameters
        ----------
        coupling:
            Conductance of the reaction in each voxel [S].
        electronic, ionic:
            Current missing in each voxel [A].
        total:
            Current missing at the collector [A]; None where its voltage is held.

        Returns
        -------
        Not numbers where the matrix is singular, as far from any solution.
        """
        from scipy.sparse.linalg import splu

        matrix, right = self.system(coupling=coupling, electronic=electronic, ionic=ionic, total=total)
        try:
            found = splu(matrix.tocsc()).solve(right)
        except RuntimeError:  # what SciPy raises for a singular matrix
            found = np.full(right.shape, np.nan)
        n_e, n_i = self._size
        d_e, d_i = np.zeros(coupling.size), np.zeros(coupling.size)
        d_e[self._e_cells] = found[:n_e]
        d_i[self._i_cells] = found[n_e : n_e + n_i]
        voltage = float(found[-1]) if total is not None else 0.0
        return d_e.reshape(coupling.shape), d_i.reshape(coupling.shape), voltage

    def system(self, *, coupling: Array, electronic: Array, ionic: Array, total: float | None) -> tuple[Any, Array]:
        """Matrix and right-hand side: electronic voxels, ionic voxels and, where it is not held, the collector."""
        from scipy.sparse import coo_array

        n_e, _ = self._size
        flat = coupling.ravel()
        rows = np.searchsorted(self._e_cells, np.flatnonzero(flat))
        columns = n_e + np.searchsorted(self._i_cells, np.flatnonzero(flat))
        s = flat[flat != 0]
        reaction = coo_array(
            (
                np.concatenate([s, s, -s, -s]),
                (np.concatenate([rows, columns, rows, columns]), np.concatenate([rows, columns, columns, rows])),
            ),
            shape=self._base.shape,
        )
        matrix = (self._base + reaction.tocsc()).tocsc()
        right = np.concatenate([electronic.ravel()[self._e_cells], ionic.ravel()[self._i_cells], [total or 0.0]])
        return (matrix[:-1, :-1], right[:-1]) if total is None else (matrix, right)

    def _assembled(self) -> Any:
        from scipy.sparse import block_diag, coo_array

        collector = np.zeros(self._cells_shape)
        collector[0] = self._collector
        column = -collector.ravel()[self._e_cells][:, None]
        electronic = _laplacian(self._electronic, self._e_cells)
        ionic = _laplacian(self._ionic, self._i_cells)
        base = block_diag([electronic, ionic, coo_array([[self._collector.sum()]])]).tolil()
        base[: self._size[0], -1] = column
        base[-1, : self._size[0]] = column.T
        return base.tocsc()

    @property
    def _cells_shape(self) -> tuple[int, int, int]:
        nz, ny, nx = self._electronic[0].shape
        return nz - 1, ny, nx


def _laplacian(faces: Faces, cells: Array) -> Any:
    """Sparse matrix of a network on the voxels `cells` (flat indices)."""
    from scipy.sparse import coo_array

    diagonal = diagonal_of(faces)
    flat = np.full(diagonal.size, -1)
    flat[cells] = np.arange(cells.size)
    number = flat.reshape(diagonal.shape)
    rows, columns, values = [number.ravel()[cells]], [number.ravel()[cells]], [diagonal.ravel()[cells]]
    for axis, face in enumerate(faces):
        inner = np.moveaxis(face, axis, 0)[1:-1]
        along = np.moveaxis(number, axis, 0)
        first, second, g = along[:-1][inner > 0], along[1:][inner > 0], inner[inner > 0]
        rows += [first, second]
        columns += [second, first]
        values += [-g, -g]
    shape = (cells.size, cells.size)
    return coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape).tocsc()
