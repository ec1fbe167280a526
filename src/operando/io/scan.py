"""Open a tomography in whatever format it lies, and find those of a folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from operando.errors import FileError
from operando.io.hdf5 import is_hdf5
from operando.io.nxtomo_reader import read_scan, scan_shape
from operando.io.recorded import UNIX_EPOCH, ScanShape, utc
from operando.io.scan_toml import DESCRIPTION, folder_scan
from operando.tomography.scan import Scan

SUFFIXES = (".nx", ".nxs")
"""Files that are taken for NXtomo when a folder is searched."""


class ScanSource(Protocol):
    """A recorded scan that is read when wanted, whole or a block of rows."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def shape(self) -> ScanShape:
        """What it holds."""

    def read(
        self, *, rows: slice | None = None, projection_rows: slice | None = None, epoch: datetime = UNIX_EPOCH
    ) -> Scan:
        """Read it, or a block of its detector rows; see `operando.io.nxtomo_reader.read_scan`."""


@dataclass(frozen=True)
class NXtomoScan:
    """A scan in an NXtomo file."""

    path: Path
    shape: ScanShape

    def read(
        self, *, rows: slice | None = None, projection_rows: slice | None = None, epoch: datetime = UNIX_EPOCH
    ) -> Scan:
        """Read it; see `operando.io.nxtomo_reader.read_scan`."""
        return read_scan(self.path, rows=rows, projection_rows=projection_rows, epoch=epoch)


def open_scan(path: Path) -> ScanSource:
    """Open an NXtomo file, a folder with a ``scan.toml``, or that ``scan.toml``.

    Raises
    ------
    FileError
        If there is no scan, or it is damaged or inconsistent.
    """
    if path.is_dir():
        return folder_scan(path)
    if path.name == DESCRIPTION:
        return folder_scan(path.parent)
    if path.is_file() and path.suffix not in SUFFIXES and not is_hdf5(path):
        remedy = f"Give an NXtomo file, or a folder with {DESCRIPTION} beside its TIFF or FITS files."
        raise FileError(path, problem="no tomography in a format that is read", remedy=remedy)
    return NXtomoScan(path, scan_shape(path))


def find_scans(folder: Path) -> list[ScanSource]:
    """Open every scan in a folder, in the order in which they began; a single scan is found too.

    Raises
    ------
    FileError
        If the folder is missing or holds none, a scan is damaged, or several do not say when they began.
    """
    if folder.is_file():
        return [open_scan(folder)]
    if not folder.is_dir():
        raise FileError(folder, problem="there is no such folder", remedy="Check the path.")
    inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    paths = [p for p in inside if p.suffix.lower() in SUFFIXES or (p / DESCRIPTION).is_file()]
    if (folder / DESCRIPTION).is_file():
        paths.append(folder)
    if not paths:
        remedy = f"Put NXtomo files ({', '.join(SUFFIXES)}) there, or folders with a {DESCRIPTION}."
        raise FileError(folder, problem="holds no scan", remedy=remedy)
    scans = [open_scan(path) for path in paths]
    silent = [scan.path.name for scan in scans if scan.shape.started is None]
    if silent and len(scans) > 1:
        raise FileError(
            folder / silent[0], problem="does not say when the scan began", remedy="Add start_time, or start in TOML."
        )
    return sorted(scans, key=lambda scan: utc(scan.shape.started or UNIX_EPOCH))
