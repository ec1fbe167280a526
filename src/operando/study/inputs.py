"""What a study is made from, opened and checked before any work is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.cell.builtin import load_cell
from operando.errors import FileError, InputError
from operando.frames import Array
from operando.io.cycler import read_cycler
from operando.io.scan import ScanSource, find_scans

if TYPE_CHECKING:
    from operando.cell.model import Cell
    from operando.study.settings import Study

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how many units are done, and how many there are."""


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
    first = neutron[0].shape
    for source in neutron[1:]:
        if (source.shape.rows, source.shape.columns) != (first.rows, first.columns):
            raise FileError(
                source.path,
                problem=f"is {source.shape.rows} x {source.shape.columns} pixels, unlike the first scan",
                remedy="One study takes scans of one camera setting.",
            )
    wide = cell.body.outer_diameter.value
    if first.columns * first.pixel < wide:
        raise InputError(
            "cell",
            must=f"narrower than the image of {1e3 * first.columns * first.pixel:.3g} mm",
            received=f"{1e3 * wide:.3g} mm",
            remedy="Check the pixel size and the cell's description.",
        )
    return Inputs(study, cell, neutron, xray, cycler)


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
