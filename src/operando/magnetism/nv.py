"""The nitrogen-vacancy centre: its constants, its four axes in a cut crystal, and what heat and electric fields do.

Frequencies are cyclic (Hz, energies over h). A centre's frame has z along its axis, from nitrogen to vacancy, and x
in a mirror plane of the centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from operando.errors import InputError

Array = npt.NDArray[Any]

Cut = Literal["100", "110", "111"]
Nitrogen = Literal["14N", "15N"]


@dataclass(frozen=True)
class NVCentre:
    """Constants of the ground state.

    Attributes
    ----------
    splitting:
        Zero-field splitting D at `temperature` [Hz].
    splitting_slope:
        dD/dT near room temperature [Hz/K]; Acosta et al. 2010, doi:10.1103/PhysRevLett.104.070801.
    temperature:
        Where `splitting` holds [K].
    gyromagnetic_ratio:
        g mu_B / h [Hz/T] for g = 2.0028; Felton et al. 2009, doi:10.1103/PhysRevB.79.075203.
    stark_axial, stark_transverse:
        Shift by an electric field along and across the axis [Hz/(V/m)]; van Oort and Glasbeek 1990,
        doi:10.1016/0009-2614(90)85665-Y.
    """

    splitting: float = 2.870e9
    splitting_slope: float = -74.2e3
    temperature: float = 300.0
    gyromagnetic_ratio: float = 28.032e9
    stark_axial: float = 3.5e-3
    stark_transverse: float = 0.170


NV = NVCentre()
"""The centre in unstrained diamond."""


@dataclass(frozen=True)
class Nucleus:
    """The centre's own nitrogen.

    Attributes
    ----------
    spin:
        I.
    axial, transverse:
        Hyperfine coupling [Hz].
    quadrupole:
        P of ``P Iz^2`` [Hz].
    gyromagnetic_ratio:
        Of the nucleus, over 2 pi [Hz/T].
    """

    spin: float
    axial: float
    transverse: float
    quadrupole: float
    gyromagnetic_ratio: float

    @property
    def multiplet(self) -> Array:
        """Offsets of the equally strong lines into which each line splits, to first order [Hz].

        Second order in the coupling across the axis adds ``I (I + 1) A_transverse^2 / D`` to all of them alike: 3.5 kHz
        for 15N and 5.1 kHz for 14N along the axis.
        """
        return abs(self.axial) * np.arange(-self.spin, self.spin + 1)


NUCLEI: dict[Nitrogen, Nucleus] = {
    "14N": Nucleus(1.0, -2.162e6, -2.70e6, -4.945e6, 3.077e6),
    "15N": Nucleus(0.5, 3.05e6, 3.65e6, 0.0, -4.316e6),
}
"""14N: Smeltzer et al. 2009, doi:10.1103/PhysRevA.80.050302; transverse and 15N: Felton et al. 2009,
doi:10.1103/PhysRevB.79.075203 (3.03 +- 0.03 MHz axial) and Rabeau et al. 2006, doi:10.1063/1.2158700 (3.05 MHz)."""

_FIRST_FRAME = np.array([[-1.0, -1.0, 2.0], [1.0, -1.0, 0.0], [1.0, 1.0, 1.0]]) / np.sqrt([[6.0], [2.0], [3.0]])
_HALF_TURNS = np.array([[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
_SURFACES: dict[Cut, Array] = {
    "100": np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    "110": np.array([[0.0, 0.0, 1.0], [1.0, -1.0, 0.0], [1.0, 1.0, 0.0]]),
    "111": np.array([[-1.0, -1.0, 2.0], [1.0, -1.0, 0.0], [1.0, 1.0, 1.0]]),
}
"""Rows: the crystal directions along the laboratory's x, y and z; z is the normal of the diamond's face."""


def nv_frames_from_cut(*, cut: Cut, azimuth: float = 0.0) -> Array:
    """Frames of the four centres in a diamond whose face is the laboratory's plane z = 0.

    For a (100) face all axes lean 54.7 deg from the normal; for (111) one is normal and three lean 70.5 deg; for
    (110) two lie in the face and two lean 35.3 deg. Lines do not tell an axis from its reverse: every axis points to
    positive z or, within the face, to the side of positive x of the unturned crystal.

    Parameters
    ----------
    cut:
        Face of the diamond. At azimuth 0 the laboratory's x lies along the crystal's [100], [001] or [-1 -1 2].
    azimuth:
        Turn of the crystal about the normal, from x to y [rad].

    Returns
    -------
    ``(4, 3, 3)``: for each centre the laboratory's components of its x, y and z.

    Raises
    ------
    InputError
        If the cut is none of 100, 110, 111.
    """
    if cut not in _SURFACES:
        raise InputError("diamond cut", must="100, 110 or 111", received=cut)
    surface = _SURFACES[cut] / np.linalg.norm(_SURFACES[cut], axis=1, keepdims=True)
    cos, sin = np.cos(azimuth), np.sin(azimuth)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    frames = np.asarray((_FIRST_FRAME * _HALF_TURNS[:, None, :]) @ surface.T)
    axes = np.where(np.abs(frames[:, 2]) < 1e-12, 0.0, frames[:, 2])
    reverse = (axes[:, 2] < 0) | ((axes[:, 2] == 0) & (axes[:, 0] < 0))
    frames[reverse] *= np.array([1.0, -1.0, -1.0])[:, None]
    return np.asarray(frames @ turn.T)


def splitting_from_temperature(*, temperature: Any, centre: NVCentre = NV) -> Any:
    """Zero-field splitting [Hz], ``D = D0 + dD/dT (T - T0)``, for temperatures [K]; Acosta et al. 2010."""
    return centre.splitting + centre.splitting_slope * (np.asarray(temperature) - centre.temperature)


def temperature_from_splitting(*, splitting: Any, centre: NVCentre = NV) -> Any:
    """Temperature [K] from the zero-field splitting [Hz]; the inverse of `splitting_from_temperature`."""
    return centre.temperature + (np.asarray(splitting) - centre.splitting) / centre.splitting_slope


def stark_shift_from_electric_field(
    *, electric_field: Array, frames: Array, centre: NVCentre = NV
) -> tuple[Array, Array]:
    """Axial and transverse shifts of the four centres in an electric field.

    ``dD = d_axial E_z`` and ``Ex + i Ey = d_transverse (-E_x + i E_y)`` in each centre's frame, the signs of
    Doherty et al. 2012, doi:10.1103/PhysRevB.85.205203.

    Parameters
    ----------
    electric_field:
        ``(..., 3)`` in the laboratory [V/m].
    frames:
        ``(centre, 3, 3)``, see `nv_frames_from_cut`.

    Returns
    -------
    Added to D, real, and the complex transverse splitting, both ``(..., centre)`` [Hz].
    """
    local = np.einsum("cij,...j->...ci", frames, np.asarray(electric_field, dtype=float))
    transverse = centre.stark_transverse * (-local[..., 0] + 1j * local[..., 1])
    return centre.stark_axial * local[..., 2], transverse
