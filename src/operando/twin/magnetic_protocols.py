"""Ways to measure a field with nitrogen-vacancy centres, and the microscopes they are at home in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from operando.magnetism.nv import NV
from operando.magnetism.sensitivity import sensitivity_from_ramsey
from operando.twin.magnetic_instruments import INSTRUMENTS, MagneticInstrument


@dataclass(frozen=True)
class Protocol:
    """How a field is measured.

    Attributes
    ----------
    instrument:
        With the sensitivity that this protocol reaches in a field along the axis.
    frequency:
        Of the fields that it sees [Hz]; 0 for steady ones.
    least_time:
        Of one pixel, however strong the signal [s].
    span:
        Field up to which, on either side, a measurement has one answer [T].
    inferred:
        What is an estimate of ours.
    """

    name: str
    instrument: MagneticInstrument
    frequency: float = 0.0
    least_time: float = 10e-3
    span: float = np.inf
    inferred: str = ""

    @property
    def alternating(self) -> bool:
        """Whether it sees alternating fields alone."""
        return self.frequency > 0


_TIP = INSTRUMENTS["scanning NV"]
_PRECESSION, _PERIOD = 1e-6, 26e-6

_RAMSEY = float(
    sensitivity_from_ramsey(
        precession=_PRECESSION, dephasing_time=1.5e-6, contrast=0.15, photons=0.1, dead_time=3e-6, exponent=2.0
    )
)
"""Of a single centre some 10 nm deep [T/sqrt(Hz)]: T2* 1.5 us, 0.1 photons a readout, 30 % between its states."""

PROTOCOLS = (
    Protocol("continuous wave, tip", _TIP, inferred=_TIP.inferred),
    Protocol(
        "Ramsey, tip",
        replace(_TIP, sensitivity=_RAMSEY),
        span=1 / (4 * NV.gyromagnetic_ratio * _PRECESSION),
        inferred="sensitivity from T2* of 1.5 us, 0.1 photons a readout and contrast 0.15, all assumed",
    ),
    Protocol(
        "echo, tip",
        INSTRUMENTS["scanning NV, pulsed"],
        frequency=1 / _PERIOD,
        span=np.pi / (8 * NV.gyromagnetic_ratio * _PERIOD),
        inferred="frequency: one period in 26 us, best for T2 of 50 us, with which the readout above makes 50 nT",
    ),
    Protocol(
        "continuous wave, wide field",
        INSTRUMENTS["wide-field NV"],
        least_time=1.0,
        inferred=INSTRUMENTS["wide-field NV"].inferred,
    ),
)
"""Sensitivities to static fields of some uT/sqrt(Hz) and to alternating ones of 50 nT/sqrt(Hz) are what scanning tips
reach: Huxter et al. 2022, doi:10.1038/s41467-022-31454-6."""
