"""What a tomography instrument recorded: frames, their roles, and where they were taken from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import xarray as xr

Modality = Literal["neutron", "xray"]


@dataclass(frozen=True)
class ParallelBeam:
    """A beam whose rays are parallel but for the penumbra of a finite collimation.

    Attributes
    ----------
    pixel:
        Pixel size in the plane of the sample [m].
    collimation:
        L/D, source distance over pinhole diameter (dimensionless).
    sample_to_detector:
        Distance from the rotation axis to the scintillator [m].
    """

    pixel: float
    collimation: float = float("inf")
    sample_to_detector: float = 0.0


@dataclass(frozen=True)
class ConeBeam:
    """A beam from a point source onto a flat detector.

    Attributes
    ----------
    pixel:
        Pixel size on the detector [m].
    source_to_object, source_to_detector:
        Distances from the source to the rotation axis and to the detector [m].
    """

    pixel: float
    source_to_object: float
    source_to_detector: float

    @property
    def voxel(self) -> float:
        """Pixel size referred to the rotation axis [m]."""
        return self.pixel * self.source_to_object / self.source_to_detector


@dataclass(frozen=True)
class Scan:
    """The raw frames of one tomography, or a block of their rows.

    Frames are counts, dims ``(projection, row, column)`` or ``(frame, row, column)``, ``units`` "count".
    Coordinates: ``row`` and ``column`` in metres (pixel index times pixel size, index 0 at the first pixel's
    centre), ``angle`` on ``projection`` in radians. Black-body frames show absorbing dots, with and without the sample.

    Attributes
    ----------
    start, duration:
        When the scan began, in seconds on the study's clock, and how long it took [s].
    """

    name: str
    modality: Modality
    beam: ParallelBeam | ConeBeam
    projections: xr.DataArray
    open_beam: xr.DataArray
    dark: xr.DataArray
    black_body_open: xr.DataArray | None = None
    black_body_sample: xr.DataArray | None = None
    start: float = 0.0
    duration: float = 0.0
