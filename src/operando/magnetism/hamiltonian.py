"""The ground state of a nitrogen-vacancy centre as a matrix: slow, plain, and the measure of everything faster."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from operando.magnetism.nv import NUCLEI, NV, Nitrogen, NVCentre

Array = npt.NDArray[Any]


def spin_matrices(spin: float) -> tuple[Array, Array, Array]:
    """Matrices Sx, Sy, Sz of a spin, in units of hbar, m from +spin down."""
    m = spin - np.arange(round(2 * spin) + 1)
    raising = np.diag(np.sqrt(spin * (spin + 1) - m[1:] * (m[1:] + 1)), 1)
    return (raising + raising.T) / 2, (raising - raising.T) / 2j, np.diag(m)


def hamiltonian_from_field(
    *, field: Array, splitting: Any = NV.splitting, transverse: Any = 0.0, centre: NVCentre = NV
) -> Array:
    """Hamiltonian over h of the electron spin.

    ``H/h = D Sz^2 + Ex (Sx^2 - Sy^2) + Ey (Sx Sy + Sy Sx) + gamma B . S``

    Parameters
    ----------
    field:
        ``(..., 3)`` in the centre's frame [T].
    splitting:
        D, broadcast against the fields [Hz].
    transverse:
        Ex + i Ey of strain or an electric field, broadcast against the fields [Hz].

    Returns
    -------
    ``(..., 3, 3)`` [Hz], states m = +1, 0, -1.
    """
    sx, sy, sz = spin_matrices(1.0)
    zeeman = centre.gyromagnetic_ratio * np.einsum("...i,ijk->...jk", np.asarray(field), np.stack([sx, sy, sz]))
    strain = np.asarray(transverse)[..., None, None]
    return np.asarray(
        zeeman
        + np.asarray(splitting)[..., None, None] * (sz @ sz)
        + strain.real * (sx @ sx - sy @ sy)
        + strain.imag * (sx @ sy + sy @ sx)
    )


def hamiltonian_with_nitrogen(
    *,
    field: Array,
    nitrogen: Nitrogen,
    splitting: Any = NV.splitting,
    transverse: Any = 0.0,
    centre: NVCentre = NV,
) -> Array:
    """Hamiltonian over h of the electron spin and its nitrogen.

    ``H/h + A_axial Sz Iz + A_transverse (Sx Ix + Sy Iy) + P Iz^2 - gamma_n B . I``, of 9 states for 14N and 6 for
    15N; parameters as in `hamiltonian_from_field`. Felton et al. 2009, doi:10.1103/PhysRevB.79.075203.
    """
    nucleus = NUCLEI[nitrogen]
    electron, nuclear = np.stack(spin_matrices(1.0)), np.stack(spin_matrices(nucleus.spin))
    still = np.eye(nuclear.shape[-1])
    coupling = np.array([nucleus.transverse, nucleus.transverse, nucleus.axial])
    own = np.einsum("i,iab,icd->acbd", coupling, electron, nuclear)
    precession = nucleus.gyromagnetic_ratio * np.einsum("...i,icd->...cd", np.asarray(field), nuclear)
    alone = nucleus.quadrupole * nuclear[2] @ nuclear[2] - precession
    bare = hamiltonian_from_field(field=field, splitting=splitting, transverse=transverse, centre=centre)
    total = np.einsum("...ab,cd->...acbd", bare, still) + own + np.einsum("ab,...cd->...acbd", np.eye(3), alone)
    size = 3 * still.shape[0]
    return np.asarray(total.reshape(*total.shape[:-4], size, size))
