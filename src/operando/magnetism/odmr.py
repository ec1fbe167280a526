"""Optically detected magnetic resonance: what the fluorescence does when the microwave meets a line."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from operando.errors import InputError
from operando.magnetism.fit_solver import model_into
from operando.magnetism.nv import NUCLEI, Nitrogen

Array = npt.NDArray[Any]


def fluorescence_from_lines(
    *,
    frequency: Array,
    lines: Array,
    width: float,
    contrast: Any,
    shape: Literal["lorentzian", "gaussian"] = "lorentzian",
    nitrogen: Nitrogen | None = None,
) -> Array:
    """Fluorescence relative to that far from any line, ``1 - sum_i C_i mean_m S((f - f_i - h_m) / w)``.

    Parameters
    ----------
    frequency:
        Of the microwave, ``(frequency,)`` [Hz].
    lines:
        ``(..., line)`` [Hz].
    width:
        Full width at half depth of one dip [Hz].
    contrast:
        Depth of a line, shared by the dips of its hyperfine multiplet; broadcast to ``(..., line)``.

    Returns
    -------
    ``(..., frequency)``.

    Raises
    ------
    InputError
        If the width is not positive or a contrast lies outside 0 to 1.
    """
    if not width > 0:
        raise InputError("line width", must="positive", received=width)
    depths = np.broadcast_to(np.asarray(contrast, dtype=float), np.shape(lines))
    if not ((depths >= 0) & (depths <= 1)).all():
        raise InputError("contrast", must="between 0 and 1", received=contrast)
    offsets = NUCLEI[nitrogen].multiplet if nitrogen else np.zeros(1)
    centres = np.asarray(lines, dtype=float)
    count = centres.shape[-1]
    swept = np.asarray(frequency, dtype=float)
    parameters = np.zeros(2 + 3 * count)
    parameters[0], parameters[3::3] = 1.0, width / 2
    model, jacobian = np.empty(swept.size), np.empty((parameters.size, swept.size))
    spectra = np.empty((centres.size // count, swept.size))
    for spectrum, at, depth in zip(spectra, centres.reshape(-1, count), depths.reshape(-1, count), strict=True):
        parameters[2::3], parameters[4::3] = at, depth
        model_into(parameters, swept, offsets, int(shape == "gaussian"), model, jacobian)
        spectrum[:] = model
    return spectra.reshape(*centres.shape[:-1], swept.size)


PUMPING = 5e6
"""Rate of optical polarisation at saturation [1/s], and ..."""

CYCLING = 8e7
"""... rate of optical cycles at saturation, which dephase the spin [1/s]; Dreau et al. 2011, of single centres."""


def contrast_from_power(*, rabi: Any, saturation: Any, greatest: float = 0.2) -> Any:
    """Contrast of a continuous-wave line.

    ``C = C0 W^2 / (W^2 + P K (s/(1+s))^2)`` with the Rabi frequency W, the optical pumping P and cycling K.
    Dreau et al. 2011, doi:10.1103/PhysRevB.84.195204.

    Parameters
    ----------
    rabi:
        Angular Rabi frequency [rad/s].
    saturation:
        Optical power over saturation power.
    greatest:
        Contrast at high microwave power.
    """
    light = np.asarray(saturation) / (1 + np.asarray(saturation))
    square = np.asarray(rabi, dtype=float) ** 2
    return greatest * square / (square + PUMPING * CYCLING * light**2)


def linewidth_from_power(*, rabi: Any, saturation: Any, inhomogeneous: float = 0.0) -> Any:
    """Full width at half depth of a continuous-wave line [Hz], broadened by light and microwave.

    ``w = K/(2 pi) sqrt((s/(1+s))^2 + W^2/(P K))``, symbols and source as in `contrast_from_power`, plus the width
    that remains without power [Hz], which adds to it as widths of Lorentzian lines do.
    """
    light = np.asarray(saturation) / (1 + np.asarray(saturation))
    driven = np.sqrt(light**2 + np.asarray(rabi, dtype=float) ** 2 / (PUMPING * CYCLING))
    return inhomogeneous + CYCLING / (2 * np.pi) * driven
