"""What a study would run, and whether this machine can hold it, said before anything is written."""

from __future__ import annotations

import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from operando.errors import InputError
from operando.report.numbers import aligned
from operando.study.inputs import inputs_of
from operando.study.scans import half_width_of, workers_of
from operando.study.volumes import LEAST_ROWS, block_rows, bytes_per_row

if TYPE_CHECKING:
    from operando.io.recorded import ScanShape
    from operando.study.inputs import Inputs
    from operando.study.settings import Study

PROGRAM = 0.35e9
"""Memory of one process with the libraries it needs, before it reads anything [byte]."""

VOLUMES_HELD = 6
"""Volumes, with variance, that a process holds at most: its own, the first, and what alignment makes of them."""

BYTES_PER_VOXEL = 8
"""Attenuation and its variance, 4 bytes each."""

STORED_PER_VOXEL = 8.0
"""Bytes on disk for each voxel of a scan: noise does not compress."""

FIGURES = 12e6
"""Bytes of the report and its figures."""

PER_PIXEL, PER_VOXEL, FIXED = 4.5e-7, 4e-7, 20.0
"""CPU seconds per raw pixel corrected and reconstructed, per voxel aligned and mapped, and once for figures.

Of one core of a server, from runs of simulated sessions of cell B: 1.15 s for 2.9 million raw pixels, about 50 s for
105 million; 0.65 s a scan for profiles and maps of 2.3 million voxels. Another machine may take half or twice as long.
"""


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Attributes
    ----------
    scans, projections, rows, columns:
        Of the neutron data.
    xray_scans:
        Number of X-ray scans, of which the first is used.
    voxels, voxel:
        Shape ``(z, y, x)`` of each volume, and the side of a voxel [m].
    raw:
        Memory that all raw neutron frames take as stored [byte].
    workers:
        Processes at a time.
    block:
        Detector rows that each reads at a time.
    memory:
        Peak of all processes together [byte].
    disk, free:
        Results yet to be written, and the room where they go [byte].
    seconds:
        Time of a run from the beginning, where each worker has a core to itself [s].
    done:
        Scans with a volume in the results folder; they are computed again if anything they rest on has changed.
    warnings:
        What the reader should know before starting.
    """

    study: str
    scans: int
    projections: int
    rows: int
    columns: int
    xray_scans: int
    cycler: bool
    voxels: tuple[int, int, int]
    voxel: float
    raw: int
    workers: int
    block: int
    memory: float
    disk: float
    free: float
    seconds: float
    done: int
    results: Path
    warnings: tuple[str, ...]

    def text(self) -> str:
        """Lay the plan out for a terminal."""
        frames = f"{self.projections} projections of {self.rows} x {self.columns} pixels"
        volume = " x ".join(str(n) for n in self.voxels)
        xray = f"{self.xray_scans} scans, of which the first is used" if self.xray_scans else "none"
        done = f"volumes of {self.done} of {self.scans} scans are there" if self.done else "nothing yet"
        lines = [
            ("Study", self.study),
            ("Neutron scans", f"{self.scans}, each {frames}; {_size(self.raw)} raw"),
            ("X-ray scans", xray),
            ("Cycler record", "yes" if self.cycler else "none: no charge, so neither balances nor lithiation"),
            ("Volumes", f"{volume} voxels of {1e6 * self.voxel:.3g} um"),
            ("Work", f"{self.workers} {'process' if self.workers == 1 else 'processes'}, {self.block} rows at a time"),
            ("Memory", f"about {_size(self.memory)} at most"),
            ("Disk", f"about {_size(self.disk)} to write, {_size(self.free)} free"),
            ("Time", f"about {_time(self.seconds)}"),
            ("Results", f"{self.results}: {done}"),
        ]
        return "\n".join([*aligned(lines), *(f"Warning: {warning}" for warning in self.warnings)])


def plan_of(study: Study) -> Plan:
    """Open and check everything that a study names, and count what running it takes; writes nothing.

    Raises
    ------
    FileError, InputError
        If an input is not as it must be, the memory limit holds no block of rows, or the disk is too small.
    """
    return plan_of_inputs(inputs_of(study))


def plan_of_inputs(inputs: Inputs) -> Plan:
    """Count what running a study on inputs that are already open takes; raises what `plan_of` raises."""
    study, shape = inputs.study, inputs.neutron[0].shape
    across = 2 * int(half_width_of(inputs) / shape.pixel)
    voxels = (shape.rows, across, across)
    number = len(inputs.neutron)
    workers = min(workers_of(study), max(number - 1, 1))
    share = study.run.memory / workers
    block = min(block_rows(shape, memory=share / 2), shape.rows)
    memory = _memory(shape, block=block, workers=workers, voxels=math.prod(voxels))
    done = _done(study.results)
    disk = number * math.prod(voxels) * STORED_PER_VOXEL * 1.1 + FIGURES - _occupied(study.results)
    free = shutil.disk_usage(_existing(study.results)).free
    _check_memory(study, shape, workers)
    if disk > free:
        raise InputError(
            "results",
            must=f"on a disk with {_size(disk)} free",
            received=f"{_size(free)} at {study.results}",
            remedy="Make room, or name another folder in the study file.",
        )
    return Plan(
        study=study.name,
        scans=number,
        projections=shape.projections,
        rows=shape.rows,
        columns=shape.columns,
        xray_scans=len(inputs.xray),
        cycler=inputs.cycler is not None,
        voxels=voxels,
        voxel=shape.pixel,
        raw=sum(source.shape.nbytes for source in inputs.neutron),
        workers=workers,
        block=block,
        memory=memory,
        disk=max(disk, 0.0),
        free=float(free),
        seconds=_seconds(shape, number=number, workers=workers, voxels=math.prod(voxels)),
        done=min(done, number),
        results=study.results,
        warnings=_warnings(study, memory),
    )


def _memory(shape: ScanShape, *, block: int, workers: int, voxels: int) -> float:
    """Peak of the main process and its workers."""
    each = PROGRAM + block * bytes_per_row(shape) + VOLUMES_HELD * BYTES_PER_VOXEL * voxels
    return each * workers + (PROGRAM + 2 * BYTES_PER_VOXEL * voxels if workers > 1 else 0.0)


def _check_memory(study: Study, shape: ScanShape, workers: int) -> None:
    """Refuse a limit within which no process can hold even the smallest block."""
    least = workers * (PROGRAM + LEAST_ROWS * bytes_per_row(shape))
    if least > study.run.memory:
        one = least / workers
        remedy = "Set fewer workers in [run]." if one <= study.run.memory and workers > 1 else "Raise it in [run]."
        raise InputError(
            "run.memory",
            must=f"at least {_size(least)} for {workers} processes and {LEAST_ROWS} rows",
            received=_size(study.run.memory),
            remedy=remedy,
        )


def _seconds(shape: ScanShape, *, number: int, workers: int, voxels: int) -> float:
    frames = shape.projections * shape.rows * shape.columns
    return number * (PER_PIXEL * frames / workers + PER_VOXEL * voxels) + FIXED


def _warnings(study: Study, memory: float) -> tuple[str, ...]:
    made = []
    installed = _installed()
    if memory > study.run.memory:
        made.append(
            f"Blocks and volumes together may need more than the {_size(study.run.memory)} allowed in [run]; "
            "set fewer workers there."
        )
    if installed is not None and memory > installed:
        made.append(f"This machine has {_size(installed)} of memory; set fewer workers or less memory in [run].")
    return tuple(made)


def _installed() -> float | None:
    """Memory of the machine [byte], where the system says."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return None


def _done(results: Path) -> int:
    return sum(1 for path in results.glob("study.zarr/scans/*/zarr.json") if path.parent.suffix == "")


def _occupied(results: Path) -> int:
    return sum(path.stat().st_size for path in results.rglob("*") if path.is_file())


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _size(count: float) -> str:
    return f"{count / 1e9:.2g} GB" if count < 1e10 else f"{count / 1e9:.0f} GB"


def _time(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{seconds / 60:.0f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )
