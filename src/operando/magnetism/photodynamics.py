"""What a magnetic field across the axis costs a nitrogen-vacancy centre: spins mix, and light no longer tells them.

Seven levels: three of the ground state, three of the excited one, one singlet. In a field the eigenstates of both
triplets are mixtures, and rates between them are those of the unmixed states, weighted by how much of each they hold.
Tetienne et al. 2012, doi:10.1088/1367-2630/14/10/103033.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.magnetism.hamiltonian import hamiltonian_from_field
from operando.magnetism.nv import NV, NVCentre

Array = npt.NDArray[Any]

EXCITED_SPLITTING = 1.42e9
"""Zero-field splitting of the excited state at room temperature [Hz]; Fuchs et al. 2008,
doi:10.1103/PhysRevLett.101.117601."""

EXCITED_CROSSING = EXCITED_SPLITTING / NV.gyromagnetic_ratio
"""Field along the axis at which levels of the excited state cross [T], 50.7 mT ..."""

GROUND_CROSSING = NV.splitting / NV.gyromagnetic_ratio
"""... and those of the ground state, 102.4 mT."""

RADIATIVE, TO_SINGLET_0, TO_SINGLET_1, FROM_SINGLET_0, FROM_SINGLET_1 = 65e6, 11e6, 80e6, 3.0e6, 2.6e6
"""Rates [1/s]: to the ground state with light; from m = 0 and from m = +-1 to the singlet; from there to m = 0 and to
each of m = +-1. Of the order measured by Robledo et al. 2011, doi:10.1088/1367-2630/13/2/025013."""

_RELAXED = 1e3
"""Relaxation between the spin states in the dark [1/s], which the light outpaces."""


def relative_contrast_from_field(
    *, field: Array, pumping: float = 2e6, driving: float = 1e7, centre: NVCentre = NV
) -> Array:
    """Contrast of a continuous-wave line in a field over that without mixing.

    The steady light without microwaves and with microwaves that even out the state most like m = 0 and one of the other
    two, whichever dims more. A field along the axis keeps it at 1; 10 mT across leave two thirds, 20 mT a quarter; near
    fields where levels cross, a degree of misalignment does the same.

    Parameters
    ----------
    field:
        ``(..., 3)`` in the centre's frame [T].
    pumping:
        Rate of excitation [1/s].
    driving:
        Rate of the microwave between two ground states [1/s].

    Returns
    -------
    ``(...)``, 0 to 1 or little above.

    Raises
    ------
    InputError
        If fields are of another shape, or a rate is not positive.
    """
    vectors = np.asarray(field, dtype=float)
    if vectors.shape[-1:] != (3,):
        raise InputError("magnetic field", must="of shape (..., 3)", received=vectors.shape)
    if not (pumping > 0 and driving > 0):
        raise InputError("pumping and driving", must="positive", received=(pumping, driving))
    weak = _contrast(np.array([[0.0, 0.0, 1e-3]]), pumping, driving, centre)
    return np.asarray(_contrast(vectors.reshape(-1, 3), pumping, driving, centre) / weak).reshape(vectors.shape[:-1])


def _contrast(fields: Array, pumping: float, driving: float, centre: NVCentre) -> Array:
    ground = _weights(fields, centre.splitting, centre)
    excited = _weights(fields, EXCITED_SPLITTING, centre)
    rates = _rates(ground, excited, pumping)
    bright = ground[:, :, 1].argmax(axis=1)
    dark = _light(rates)
    dimmed = [_light(_driven(rates, bright, (bright + step) % 3, driving)) for step in (1, 2)]
    return np.asarray(1 - np.minimum(*dimmed) / dark)


def _weights(fields: Array, splitting: float, centre: NVCentre) -> Array:
    """Share of the pure states in each eigenstate, ``(field, eigenstate, pure)``, pure states m = +1, 0, -1."""
    hamiltonian = hamiltonian_from_field(field=fields, splitting=splitting, centre=centre)
    return np.asarray(np.abs(np.swapaxes(np.linalg.eigh(hamiltonian)[1], -1, -2)) ** 2)


def _rates(ground: Array, excited: Array, pumping: float) -> Array:
    """Rates ``(field, from, to)`` between three ground levels, three excited ones and the singlet."""
    overlap = np.einsum("bip,bjp->bij", ground, excited)
    rates = np.zeros((ground.shape[0], 7, 7))
    rates[:, :3, :3] = _RELAXED * (1 - np.eye(3))
    rates[:, :3, 3:6] = pumping * overlap
    rates[:, 3:6, :3] = RADIATIVE * np.swapaxes(overlap, 1, 2)
    rates[:, 3:6, 6] = excited @ np.array([TO_SINGLET_1, TO_SINGLET_0, TO_SINGLET_1])
    rates[:, 6, :3] = ground @ np.array([FROM_SINGLET_1, FROM_SINGLET_0, FROM_SINGLET_1])
    return rates


def _driven(rates: Array, first: Array, second: Array, driving: float) -> Array:
    driven, every = rates.copy(), np.arange(rates.shape[0])
    driven[every, first, second] += driving
    driven[every, second, first] += driving
    return driven


def _light(rates: Array) -> Array:
    """Steady occupation of the excited levels, which all shine alike."""
    balance = np.swapaxes(rates, 1, 2) - np.eye(7) * rates.sum(axis=2)[:, :, None]
    balance[:, -1, :] = 1.0
    whole = np.zeros((rates.shape[0], 7, 1))
    whole[:, -1] = 1.0
    return np.asarray(np.linalg.solve(balance, whole)[:, 3:6, 0].sum(axis=1))
