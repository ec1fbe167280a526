"""What a study is made from, opened and checked before any work is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.cell.amounts import amounts_from_cell
from operando.cell.builtin import load_cell
from operando.cell.optics import layers_from_cell
from operando.errors import FileError, InputError
from operando.frames import Array
from operando.io.cycler import read_cycler
from operando.io.scan import ScanSource, find_scans
from operando.tomography.scan import ConeBeam
from operando.units import FARADAY

if TYPE_CHECKING:
    from operando.cell.model import Cell
    from operando.io.recorded import ScanShape
    from operando.study.settings import Study

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how many units are done, and how many there are."""

CHECKED_AT_ONCE = 2**28
"""Raw bytes that are read at a time where frames are only looked at."""

STARTED, SEEN_LATE = 0.01, 0.1
"""Shares of the cathode's lithium that may have left before the first scan begins, and by its middle."""


@dataclass(frozen=True)
class Inputs:
    """What a study is made from, checked before any work is done."""

    study: Study
    cell: Cell
    neutron: tuple[ScanSource, ...]
    xray: tuple[ScanSource, ...]
    cycler: xr.Dataset | None

    @cached_property
    def times(self) -> Array:
        """Middle of each neutron scan on the study's clock [s]."""
        starts = [_started(source) for source in self.neutron]
        return np.array(
            [s - starts[0] + source.shape.duration / 2 for s, source in zip(starts, self.neutron, strict=True)]
        )


def inputs_of(study: Study) -> Inputs:
    """Open everything that a study names.

    Raises
    ------
    FileError, InputError
        If a file is missing, damaged or of the wrong kind, or scans do not belong together.
    """
    cell = load_cell(study.cell)
    neutron = _scans(study.data.neutron, "neutron")
    xray = _scans(study.data.xray, "xray") if study.data.xray else ()
    cycler = read_cycler(study.data.cycler) if study.data.cycler else None
    _check_alike(neutron)
    _check_size(cell, neutron[0].shape)
    if xray and not isinstance(xray[0].shape.beam, ConeBeam):
        raise FileError(
            xray[0].path,
            problem="does not state a cone beam",
            remedy="Give the distances from the source to the sample and to the detector.",
        )
    inputs = Inputs(study, cell, neutron, xray, cycler)
    if not pristine_of(inputs).any() and not _begins_with_first_scan(inputs):
        raise InputError(
            "clock_offset in [data]",
            must="the cycler's time at the start of the first scan, which ends before the first charge passes",
            received=f"{study.data.clock_offset:g} s",
            remedy="Compare the clocks of the cycler and the instrument.",
        )
    return inputs


def check_frames(source: ScanSource) -> None:
    """Read every pixel of a scan once, a block of rows at a time, so that damage is found before work is done.

    Raises
    ------
    FileError
        If frames are damaged, or pixels are not finite or saturated.
    """
    shape = source.shape
    step = max(CHECKED_AT_ONCE * shape.rows // shape.nbytes, 1)
    for first in range(0, shape.rows, step):
        source.read(rows=slice(first, min(first + step, shape.rows)))


def pristine_of(inputs: Inputs) -> Array:
    """Which scans ended before any charge passed; without a cycler's record the first."""
    ends = inputs.times + np.array([source.shape.duration for source in inputs.neutron]) / 2
    charge = charge_of(inputs)
    if charge is None:
        return np.asarray(ends <= ends[0])
    return np.array([float(charge.interp(time=end)) <= 0 for end in ends])


def reference_of(inputs: Inputs) -> Array:
    """Which scans changes are counted from: those before any charge, or the first where the charge began with it."""
    pristine = pristine_of(inputs)
    return pristine if pristine.any() else np.arange(pristine.size) == 0


def _begins_with_first_scan(inputs: Inputs) -> bool:
    """Whether nothing but noise had passed when the first scan began, and little by its middle."""
    charge = charge_of(inputs)
    if charge is None:
        return True
    whole = FARADAY * amounts_from_cell(cell=inputs.cell).active
    early = float(charge.interp(time=inputs.times[0])) - float(charge[0])
    before = float(charge.interp(time=0.0)) - float(charge[0])
    return abs(before) < STARTED * whole and 0 <= early < SEEN_LATE * whole


def charge_of(inputs: Inputs) -> xr.DataArray | None:
    """Net charge passed [C] over the study's clock, from the cycler's record; None without one."""
    if inputs.cycler is None:
        return None
    time = inputs.cycler.time.values - inputs.study.data.clock_offset
    current = inputs.cycler.current.values
    passed = np.concatenate([[0.0], np.cumsum((current[1:] + current[:-1]) / 2 * np.diff(time))])
    started = float(np.interp(0.0, time, passed))
    passed = passed - started
    ends = max(inputs.times[-1] + 1e5, time[-1]), min(-1e5, time[0])
    padded = np.concatenate([[ends[1]], time, [ends[0]]])
    values = np.concatenate([passed[:1], passed, passed[-1:]])
    return xr.DataArray(values, dims="time", coords={"time": padded}, attrs={"units": "C"})


def _check_alike(scans: tuple[ScanSource, ...]) -> None:
    first = scans[0].shape
    for source in scans[1:]:
        shape = source.shape
        if (shape.rows, shape.columns, shape.pixel) != (first.rows, first.columns, first.pixel):
            raise FileError(
                source.path,
                problem=f"is {shape.rows} x {shape.columns} pixels of {1e6 * shape.pixel:g} um, unlike the first scan",
                remedy="One study takes scans of one camera setting.",
            )


def _check_size(cell: Cell, shape: ScanShape) -> None:
    stack = sum(layer.thickness for layer in layers_from_cell(cell=cell)[1:-1])
    for name, size, pixels in (
        ("outer diameter of the cell", cell.body.outer_diameter.value, shape.columns),
        ("height of the cell's stack", stack, shape.rows),
    ):
        if pixels * shape.pixel < size:
            raise InputError(
                name,
                must=f"less than the image's {1e3 * pixels * shape.pixel:.3g} mm",
                received=f"{1e3 * size:.3g} mm",
                remedy="Check the scan's pixel size and the cell's description.",
            )


def _scans(folder: Path, wanted: str) -> tuple[ScanSource, ...]:
    sources = tuple(find_scans(folder))
    for source in sources:
        if source.shape.modality != wanted:
            other = {"neutron": "neutrons", "xray": "X-rays"}
            raise FileError(
                source.path,
                problem=f"was taken with {other[source.shape.modality]}, not {other[wanted]}",
                remedy="Are the paths of neutron and xray swapped in [data]?",
            )
    return sources


def _started(source: ScanSource) -> float:
    started = source.shape.started
    return started.timestamp() if started is not None else 0.0
