"""Scans that lie in a folder as TIFF or FITS files, described by a ``scan.toml`` beside them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import PositiveFloat, PositiveInt, field_validator, model_validator

from operando.described import Description, in_unit, read_description
from operando.errors import FileError, InputError
from operando.io.fits import fits_pages
from operando.io.recorded import (
    ROLES,
    UNIX_EPOCH,
    Array,
    Role,
    ScanShape,
    check_angles,
    check_pixels,
    row_blocks,
    scan_from_frames,
)
from operando.io.stack import Page, check_alike, frames_of, numbered_files
from operando.io.tiff import tiff_pages
from operando.tomography.scan import ConeBeam, ParallelBeam, Scan

DESCRIPTION = "scan.toml"
"""Name of the file that describes the others in its folder."""

Metres = Annotated[float, in_unit("m")]
Seconds = Annotated[float, in_unit("s")]

_PAGES: dict[str, Callable[[Path], list[Page]]] = {
    ".tif": tiff_pages,
    ".tiff": tiff_pages,
    ".fits": fits_pages,
    ".fit": fits_pages,
    ".fts": fits_pages,
}
_NUMBER = r"[-+]?\d+(?:\.\d*)?"
_TURN = re.compile(rf"(?P<first>{_NUMBER}) to (?P<last>{_NUMBER}) (?P<unit>deg|rad) (?P<end>inclusive|exclusive)")
_LISTED = re.compile(r"(?P<file>.+) in (?P<unit>deg|rad)")
MAX_ANGLE_BYTES = 10_000_000


class FramePatterns(Description):
    """Which files show what, relative to the folder; ``*`` stands for anything."""

    projections: str
    open_beam: str
    dark: str
    black_body_open: str | None = None
    black_body_sample: str | None = None


class BeamDescription(Description):
    """Distances of a cone beam, or collimation of a parallel one."""

    collimation: PositiveFloat | None = None
    sample_to_detector: Metres | None = None
    source_to_object: Metres | None = None
    source_to_detector: Metres | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> BeamDescription:
        cone = self.source_to_object, self.source_to_detector
        parallel = self.collimation, self.sample_to_detector
        if (cone[0] is None) != (cone[1] is None) or (cone[0] is not None and parallel != (None, None)):
            raise ValueError("either source_to_object with source_to_detector, or collimation with sample_to_detector")
        if cone[0] is not None and cone[1] is not None and not 0 < cone[0] <= cone[1]:
            raise ValueError("a source_to_object that is positive and no more than source_to_detector")
        return self

    def beam(self, pixel: float) -> ParallelBeam | ConeBeam:
        """Build the beam for a detector with this pixel size [m]."""
        if self.source_to_object is not None and self.source_to_detector is not None:
            return ConeBeam(pixel, self.source_to_object, self.source_to_detector)
        return ParallelBeam(pixel, self.collimation or float("inf"), self.sample_to_detector or 0.0)


class ScanDescription(Description):
    """A ``scan.toml``; docs/formats.md shows one.

    Attributes
    ----------
    angles:
        ``"0 to 360 deg inclusive"``, ``"0 to 180 deg exclusive"`` or ``"angles.txt in deg"``.
    count:
        How many projections the instrument was told to take; a scan that lost some is refused.
    """

    modality: Literal["neutron", "xray"]
    pixel: Metres
    angles: str
    frames: FramePatterns
    name: str | None = None
    count: PositiveInt | None = None
    start: datetime | None = None
    duration: Seconds = 0.0
    beam: BeamDescription = BeamDescription()

    @field_validator("pixel")
    @classmethod
    def _positive(cls, pixel: float) -> float:
        if not pixel > 0:
            raise ValueError("positive")
        return pixel

    @field_validator("angles")
    @classmethod
    def _understood(cls, angles: str) -> str:
        if not (_TURN.fullmatch(angles) or _LISTED.fullmatch(angles)):
            raise ValueError('such as "0 to 360 deg inclusive", "0 to 180 deg exclusive" or "angles.txt in deg"')
        return angles


@dataclass(frozen=True)
class FolderScan:
    """A scan in a folder: its frames indexed and counted, none of them read yet."""

    path: Path
    shape: ScanShape
    angle: Array
    pages: dict[Role, list[Page]]

    def read(
        self, *, rows: slice | None = None, projection_rows: slice | None = None, epoch: datetime = UNIX_EPOCH
    ) -> Scan:
        """Read the scan, or a block of its detector rows; see `operando.io.nxtomo_reader.read_scan`."""
        blocks = row_blocks(rows, projection_rows, self.shape.rows, self.pages)
        frames = {role: frames_of(pages, blocks[role]) for role, pages in self.pages.items()}
        for role, values in frames.items():
            check_pixels(self.path / DESCRIPTION, role, values)
        return scan_from_frames(
            shape=self.shape, frames=frames, angle={"projections": self.angle}, rows=blocks, epoch=epoch
        )


def folder_scan(folder: Path) -> FolderScan:
    """Index the scan that ``scan.toml`` in `folder` describes.

    Raises
    ------
    FileError
        If files are missing, cut short, unlike each other, or do not match the angles in number.
    InputError
        If the description breaks a rule.
    """
    description = read_description(folder / DESCRIPTION, ScanDescription)
    patterns = {role: getattr(description.frames, role) for role in ROLES}
    pages = {role: _pages(folder, pattern, role) for role, pattern in patterns.items() if pattern is not None}
    first = pages["projections"][0]
    for found in pages.values():
        check_alike(found, first)
    projections = len(pages["projections"])
    if description.count not in (None, projections):
        problem = f"{projections} projections, but count says {description.count}"
        raise FileError(folder / DESCRIPTION, problem=problem, remedy="Copy the missing files, or mend count.")
    angle = _angles(folder, description.angles, projections)
    check_angles(folder / DESCRIPTION, angle)
    shape = ScanShape(
        name=description.name or folder.resolve().name,
        modality=description.modality,
        beam=description.beam.beam(description.pixel),
        rows=first.shape[0],
        columns=first.shape[1],
        frames={role: len(found) for role, found in pages.items()},
        dtype=first.dtype,
        started=description.start,
        duration=description.duration,
    )
    return FolderScan(folder, shape, angle, pages)


def _pages(folder: Path, pattern: str, role: Role) -> list[Page]:
    files = numbered_files(folder, pattern, role=role)
    for file in files:
        if file.suffix.lower() not in _PAGES:
            known = ", ".join(_PAGES)
            raise FileError(file, problem="neither TIFF nor FITS", remedy=f"Frames are read from {known}.")
    return [page for file in files for page in _PAGES[file.suffix.lower()](file)]


def _angles(folder: Path, written: str, count: int) -> Array:
    turn = _TURN.fullmatch(written)
    if turn is not None:
        angle = np.linspace(float(turn["first"]), float(turn["last"]), count, endpoint=turn["end"] == "inclusive")
        return np.radians(angle) if turn["unit"] == "deg" else angle
    listed = _LISTED.fullmatch(written)
    if listed is None:
        raise InputError("angles", must="a turn or a file", received=written)
    path = folder / listed["file"]
    if not path.is_file() or path.stat().st_size > MAX_ANGLE_BYTES:
        raise FileError(path, problem="there is no such list of angles", remedy="Write one number on each line.")
    try:
        angle = np.array(path.read_text(encoding="utf-8").split(), dtype=float)
    except ValueError as error:
        problem = f"holds more than numbers ({error})"
        raise FileError(path, problem=problem, remedy="Write one number on each line.") from error
    if angle.size != count:
        problem = f"{angle.size} angles for {count} projections"
        raise FileError(path, problem=problem, remedy="Copy the missing files, or mend the list.")
    return np.radians(angle) if listed["unit"] == "deg" else angle
