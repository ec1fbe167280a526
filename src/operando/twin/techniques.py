"""What images a battery and what measures magnetic fields: two tables with sources, for comparison."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field
from scipy.constants import hbar, mu_0

from operando.described import Description, in_unit, read_description
from operando.errors import InputError
from operando.twin.magnetic_instruments import INSTRUMENTS, MagneticInstrument

_FOLDER = Path(__file__).parent / "data"

Length = Annotated[float, in_unit("m"), Field(gt=0)]


class Technique(Description):
    """An imaging technique in its mode of high resolution.

    Attributes
    ----------
    family:
        What it looks with.
    resolution, field_of_view:
        Finest detail and side of one image [m].
    inferred, note:
        Which figures are estimates of ours or remembered, and how they were made.
    """

    name: str
    family: str
    resolution: Length
    field_of_view: Length
    source: str
    inferred: tuple[Literal["resolution", "field_of_view"], ...] = ()
    note: str = ""


class Magnetometer(Description):
    """A sensor of magnetic fields.

    Attributes
    ----------
    size:
        Length that bounds its resolution [m].
    after_a_second:
        Standard error after a second [T], which is the sensitivity in T/sqrt(Hz).
    temperature:
        Of the sensor [K].
    inferred, note:
        As of `Technique`.
    """

    name: str
    family: str
    size: Length
    after_a_second: Annotated[float, in_unit("T"), Field(gt=0)]
    temperature: Annotated[float, in_unit("K"), Field(gt=0)]
    source: str
    inferred: tuple[Literal["size", "after_a_second", "temperature"], ...] = ()
    note: str = ""


class _Techniques(Description):
    technique: tuple[Technique, ...]


class _Magnetometers(Description):
    magnetometer: tuple[Magnetometer, ...]


_FAMILIES = {"scanning SQUID": "SQUID", "vapour cell": "atoms"}

_SAME_MICROSCOPE = "scanning NV, pulsed"
"""A preset that differs from another in its protocol alone."""


@cache
def imaging_techniques() -> tuple[Technique, ...]:
    """Techniques of Fig. 5a of Pollok et al. 2025, the magnetic microscopes that this package knows among them."""
    listed = read_description(_FOLDER / "imaging-techniques.toml", _Techniques).technique
    microscopes = (
        # quantities are SI already, and need no reading
        Technique.model_construct(
            name=i.name,
            family="magnetic microscopy",
            resolution=max(i.resolution, i.stand_off),
            field_of_view=i.field_of_view,
            source=i.source,
            inferred=_inferred(
                i, {"distance": "resolution", "stand-off": "resolution", "field of view": "field_of_view"}
            ),
            note=i.inferred,
        )
        for i in INSTRUMENTS.values()
        if i.name != _SAME_MICROSCOPE
    )
    return (*listed, *microscopes)


@cache
def magnetometers() -> tuple[Magnetometer, ...]:
    """Magnetometers of Fig. 5b of Pollok et al. 2025 and others, the microscopes that this package knows among them."""
    listed = read_description(_FOLDER / "magnetometers.toml", _Magnetometers).magnetometer
    microscopes = (
        Magnetometer.model_construct(
            name=i.name,
            family=_FAMILIES.get(i.name, "NV"),
            size=i.resolution,
            after_a_second=i.sensitivity,
            temperature=i.temperature,
            source=i.source,
            inferred=_inferred(i, {"sensitivity": "after_a_second", "bandwidth": "after_a_second"}),
            note=i.inferred,
        )
        for i in INSTRUMENTS.values()
    )
    return (*microscopes, *listed)


def _inferred(instrument: MagneticInstrument, named: dict[str, str]) -> tuple[str, ...]:
    """Which figures a preset's own words call inferred."""
    return tuple(dict.fromkeys(figure for word, figure in named.items() if word in instrument.inferred))


def sensitivity_from_energy_resolution(*, size: Any, energy_resolution: float = hbar) -> Any:
    """Sensitivity [T/sqrt(Hz)] of a cube whose energy resolution is given, ``eta = sqrt(2 mu0 E_R / l^3)``.

    The best sensors of all kinds come near hbar. Mitchell and Palacios Alvarez 2020, doi:10.1103/RevModPhys.92.021001.

    Parameters
    ----------
    size:
        Side l of the cube [m].
    energy_resolution:
        Energy of the smallest field in the cube, times the time that it takes [J s].

    Raises
    ------
    InputError
        If the size or the energy resolution is not positive.
    """
    side = np.asarray(size, dtype=float)
    if not ((side > 0).all() and energy_resolution > 0):
        raise InputError("size and energy resolution", must="positive", received=(size, energy_resolution))
    return np.sqrt(2 * mu_0 * energy_resolution / side**3)
