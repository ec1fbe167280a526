"""How small a field a nitrogen-vacancy centre tells in a second, by protocol, and how long a stated field takes.

A sensitivity eta [T/sqrt(Hz)] is the standard error after one second of measurement, ``sigma(t) = eta / sqrt(t)``.
Formulae as in Barry et al. 2020, doi:10.1103/RevModPhys.92.015004; all are limits of shot and projection noise.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from operando.errors import InputError
from operando.magnetism.nv import NV, NVCentre

SLOPES = {"lorentzian": 4 / (3 * np.sqrt(3)), "gaussian": np.sqrt(np.e / (8 * np.log(2)))}
"""Width over (depth over the steepest slope) of a line: 0.77 and 0.70."""


def sensitivity_from_odmr(
    *,
    linewidth: Any,
    contrast: Any,
    photon_rate: Any,
    shape: Literal["lorentzian", "gaussian"] = "lorentzian",
    centre: NVCentre = NV,
) -> Any:
    """Sensitivity [T/sqrt(Hz)] of a microwave held on the steepest slope of one line.

    ``eta = P w / (gamma C sqrt(R))``; Dreau et al. 2011, doi:10.1103/PhysRevB.84.195204. For pulsed resonance R is
    photons of a readout over the time of a sequence, and w is about 1/(pi T2*).

    Parameters
    ----------
    linewidth:
        Full width at half depth [Hz].
    contrast:
        Depth over the fluorescence far from the line.
    photon_rate:
        Detected [1/s].
    """
    _positive(linewidth=linewidth, contrast=contrast, photon_rate=photon_rate)
    return SLOPES[shape] * linewidth / (centre.gyromagnetic_ratio * contrast * np.sqrt(photon_rate))


def sensitivity_from_sweep(*, linewidth: Any, contrast: Any, photon_rate: Any, span: Any, centre: NVCentre = NV) -> Any:
    """Sensitivity [T/sqrt(Hz)] of a sweep over both lines of a centre, of which the Lorentzian lines are fitted.

    ``eta = sqrt(2 w span / pi) / (sqrt(2) gamma C sqrt(R))``: the Cramer-Rao bound of a line sampled more finely
    than its width on a known background, and two lines that tell the field. `span` is the sweep [Hz].
    """
    _positive(linewidth=linewidth, contrast=contrast, photon_rate=photon_rate, span=span)
    return np.sqrt(linewidth * span / np.pi) / (centre.gyromagnetic_ratio * contrast * np.sqrt(photon_rate))


def line_error_from_noise(*, linewidth: Any, contrast: Any, noise: Any, step: Any) -> Any:
    """Cramer-Rao bound of a Lorentzian line's centre [Hz], ``(sigma/C) sqrt(2 w df / pi)``.

    Parameters
    ----------
    linewidth, step:
        Full width at half depth, and distance between samples, less than half of it [Hz].
    noise:
        Standard deviation of one sample over the fluorescence far from the line.
    """
    _positive(linewidth=linewidth, contrast=contrast, noise=noise, step=step)
    return np.asarray(noise) / contrast * np.sqrt(2 * np.asarray(linewidth) * step / np.pi)


def sensitivity_from_ramsey(
    *,
    precession: Any,
    dephasing_time: float,
    contrast: float,
    photons: float,
    spins: float = 1.0,
    dead_time: float = 0.0,
    exponent: float = 1.0,
    quanta: int = 1,
    centre: NVCentre = NV,
) -> Any:
    """Sensitivity [T/sqrt(Hz)] to a steady field of Ramsey's two pulses.

    ``eta = exp((tau/T2*)^p) / (2 pi gamma dm sqrt(N tau)) sqrt(1 + 1/(C^2 n)) sqrt((tau + t_dead)/tau)``

    Parameters
    ----------
    precession:
        Time tau between the pulses [s].
    dephasing_time:
        T2* [s].
    contrast:
        Of the readout, (a - b)/(a + b) for a and b photons from the bright and the dark state.
    photons:
        Detected in one readout of one spin, (a + b)/2.
    spins:
        Number N of centres along the axis in use.
    dead_time:
        For polarisation and readout [s].
    exponent:
        p, 1 to 2.
    quanta:
        dm: 1, or 2 for a double-quantum superposition of m = +1 and -1.
    """
    _positive(precession=precession, dephasing_time=dephasing_time, contrast=contrast, photons=photons, spins=spins)
    tau = np.asarray(precession, dtype=float)
    decay = np.exp((tau / dephasing_time) ** exponent)
    readout = np.sqrt(1 + 1 / (contrast**2 * photons))
    waiting = np.sqrt((tau + dead_time) / tau)
    return decay * readout * waiting / (2 * np.pi * centre.gyromagnetic_ratio * quanta * np.sqrt(spins * tau))


def sensitivity_from_hahn_echo(*, precession: Any, coherence_time: float, **readout: Any) -> Any:
    """Sensitivity [T/sqrt(Hz)] to the amplitude of a field ``B sin(2 pi t/tau)``, whose zeros meet the echo's pulses.

    ``pi/2`` times that of Ramsey's pulses with T2 for T2*: the echo's middle pulse, at tau/2, turns the sign of the
    second half wave, and the phase gathers ``2/pi`` of what a steady field of that strength gives. A field that is a
    quarter of a wave later, ``B cos(2 pi t/tau)``, gathers none. Parameters `readout` as in `sensitivity_from_ramsey`.
    """
    return np.pi / 2 * sensitivity_from_ramsey(precession=precession, dephasing_time=coherence_time, **readout)


def field_error_from_sensitivity(*, sensitivity: Any, time: Any) -> Any:
    """Standard error of the field [T] after a time [s], ``eta / sqrt(t)``, while noise is white."""
    _positive(sensitivity=sensitivity, time=time)
    return np.asarray(sensitivity) / np.sqrt(time)


def time_from_signal(*, signal: Any, sensitivity: Any, significance: float = 3.0) -> Any:
    """Time [s] until a field [T] stands `significance` standard errors out of the noise, ``(k eta / B)^2``."""
    _positive(signal=np.abs(signal), sensitivity=sensitivity, significance=significance)
    return (significance * np.asarray(sensitivity) / np.asarray(signal)) ** 2


def _positive(**values: Any) -> None:
    for name, value in values.items():
        if not (np.asarray(value) > 0).all():
            raise InputError(name.replace("_", " "), must="positive", received=value)
