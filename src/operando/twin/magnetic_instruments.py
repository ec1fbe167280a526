"""Magnetic microscopes one can buy or has been told of, as a maker of maps sees them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MagneticInstrument:
    """What bounds a map.

    Attributes
    ----------
    sensitivity:
        Of one pixel [T/sqrt(Hz)].
    resolution:
        Of the sensor itself; no map resolves finer than this or than the distance to the source [m].
    stand_off:
        From the sample's surface to the middle of the sensor [m].
    thickness:
        Of the sensing layer, along the normal [m].
    field_of_view:
        Side of one image [m].
    parallel:
        Whether all pixels are measured at once.
    temperature:
        Of the sensor [K].
    source:
        Where the figures are from.
    inferred:
        What of them is an estimate of ours or remembered, and not read in the source.
    pixel:
        Side of the pixel whose sensitivity is stated, where light of a larger one would serve better [m]; 0 for a
        single sensor.
    """

    name: str
    sensitivity: float
    resolution: float
    stand_off: float
    thickness: float
    field_of_view: float
    parallel: bool
    temperature: float
    source: str
    inferred: str = ""
    pixel: float = 0.0

    def sensitivity_of(self, *, pixel: float) -> float:
        """Sensitivity of a pixel of another size [T/sqrt(Hz)]: light, and so precision, comes with its area."""
        return self.sensitivity * self.pixel / pixel if self.pixel else self.sensitivity

    def field_error(self, *, time: float, pixels: int) -> float:
        """Standard error of a pixel [T] after `time` [s] for a map of `pixels`, while noise is white."""
        each = time if self.parallel else time / pixels
        return float(self.sensitivity / each**0.5)


INSTRUMENTS = {
    instrument.name: instrument
    for instrument in (
        MagneticInstrument(
            name="scanning NV",
            sensitivity=1e-6,
            resolution=50e-9,
            stand_off=50e-9,
            thickness=1e-9,
            field_of_view=100e-6,
            parallel=False,
            temperature=300.0,
            source="Pollok et al. 2025: 1 uT/sqrt(Hz) by continuous-wave resonance, centre 10 nm within the tip",
            inferred="field of view; distance of the centre to the sample, tip roughness included",
        ),
        MagneticInstrument(
            name="scanning NV, pulsed",
            sensitivity=50e-9,
            resolution=50e-9,
            stand_off=50e-9,
            thickness=1e-9,
            field_of_view=100e-6,
            parallel=False,
            temperature=300.0,
            source="Pollok et al. 2025: 50 nT in one second by pulsed protocols",
            inferred="field of view; distance of the centre to the sample, tip roughness included",
        ),
        MagneticInstrument(
            name="wide-field NV",
            sensitivity=4e-6,
            resolution=1e-6,
            stand_off=1e-6,
            thickness=1e-6,
            field_of_view=1e-3,
            parallel=True,
            temperature=300.0,
            source="Levine et al. 2019, doi:10.1515/nanoph-2019-0209; stand-off below 0.5 um is possible: Rietwyk et "
            "al. 2024, arXiv:2407.15319",
            inferred="sensitivity: 20 uT um/sqrt(Hz) of Glenn et al. 2017, doi:10.1002/2017GC006946, as remembered, "
            "over pixels of 5 um",
            pixel=5e-6,
        ),
        MagneticInstrument(
            name="scanning SQUID",
            sensitivity=50e-12,
            resolution=200e-6,
            stand_off=200e-6,
            thickness=1e-6,
            field_of_view=100e-3,
            parallel=False,
            temperature=4.2,
            source="Oda et al. 2016, doi:10.1186/s40623-016-0549-3: 40 to 50 pT of background, drift of 1 nT",
            inferred="a bandwidth of 1 Hz for the background",
        ),
        MagneticInstrument(
            name="vapour cell",
            sensitivity=0.43e-12,
            resolution=175e-6,
            stand_off=2e-3,
            thickness=3e-3,
            field_of_view=5e-3,
            parallel=False,
            temperature=350.0,
            source="Hunter et al. 2023, arXiv:2303.10915: 0.43 pT/sqrt(Hz), beam of 175 um",
            inferred="stand-off, thickness of the cell, its width and temperature",
        ),
    )
}
