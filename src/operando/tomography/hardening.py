"""Beam hardening: from what a beam of many energies shows to what one energy would show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from operando.errors import InputError
from operando.materials.cross_sections import PAPER_ENERGY
from operando.materials.spectrum import transmission_from_optical_depth

if TYPE_CHECKING:
    import numpy.typing as npt

    from operando.materials.spectrum import Spectrum

DEEPEST = 12.0
"""Largest line integral that is tabled; beyond it no neutron is left to count."""


def polychromatic_line_integral(
    *, line_integral: npt.NDArray[Any], spectrum: Spectrum, absorption_share: float, energy: float = PAPER_ENERGY
) -> npt.NDArray[Any]:
    """Line integral that a whole spectrum shows, ``-ln sum_E w(E) exp(-p (1 - a + a sqrt(E_0 / E)))``.

    Parameters
    ----------
    line_integral:
        At one energy `energy` [eV].
    absorption_share:
        Share ``a`` of the attenuation that goes as the inverse speed of the neutrons; scattering does not.
    """
    if not 0 <= absorption_share <= 1:
        raise InputError("absorption_share", must="from 0 to 1", received=absorption_share)
    response = 1 - absorption_share + absorption_share * np.sqrt(energy / spectrum.energy)
    depth = np.asarray(line_integral)[..., None] * response
    return np.asarray(-np.log(transmission_from_optical_depth(optical_depth=depth, spectrum=spectrum)))


def linearised(corrected: xr.Dataset, *, spectrum: Spectrum, absorption_share: float) -> xr.Dataset:
    """Turn measured line integrals into those of one energy, the one that cross sections are tabled at.

    The inverse of `polychromatic_line_integral`, exact where the whole ray has one absorption share; what materials of
    another share leave is a systematic term of the calibration. Variances follow by the slope.

    Parameters
    ----------
    corrected:
        With ``line_integral``, ``line_integral_var`` and ``line_integral_shared_var``.
    """
    depth = np.linspace(-1.0, DEEPEST, 2601)
    seen = polychromatic_line_integral(line_integral=depth, spectrum=spectrum, absorption_share=absorption_share)
    slope = np.gradient(depth, seen)
    measured = corrected.line_integral
    beyond = np.maximum(measured - seen[-1], 0) * slope[-1]
    single = np.interp(measured, seen, depth).astype(np.float32) + beyond.astype(np.float32)
    steepness = np.interp(measured, seen, slope).astype(np.float32) ** 2
    variance = corrected.line_integral_var * steepness
    shared = corrected.line_integral_shared_var * steepness.mean(axis=measured.dims.index("projection"))
    return corrected.assign(
        line_integral=measured.copy(data=single),
        line_integral_var=variance.assign_attrs(corrected.line_integral_var.attrs),
        line_integral_shared_var=shared.assign_attrs(corrected.line_integral_shared_var.attrs),
    )
