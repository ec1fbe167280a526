"""From a raw neutron scan to a volume of attenuation, a block of detector rows at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.errors import FileError
from operando.frames import Array, turned_about_x
from operando.materials.spectrum import maxwellian_from_peak
from operando.tomography.axis import RotationAxis
from operando.tomography.conditions import Conditions, conditions_from_scan
from operando.tomography.correct import line_integrals_from_scan
from operando.tomography.correction_settings import CorrectionSettings
from operando.tomography.filters import Filter
from operando.tomography.hardening import linearised
from operando.tomography.parallel import slice_grid, volume_from_line_integrals
from operando.tomography.tilt import tilt_halo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from operando.io.recorded import ScanShape
    from operando.io.scan import ScanSource
    from operando.tomography.scan import Scan

BYTES_PER_PIXEL = 40
"""Memory per raw pixel while a block is corrected: counts, line integrals, their variance, and what lies between."""

LEAST_ROWS = 8
"""Rows of the smallest block that is worth reading."""

DOSE_PIXELS = 2**24
"""Raw pixels from which the dose of a scan's projections is read; rows beyond them tell little more."""

ABSORPTION_SHARE = 0.85
"""Share of the cells' attenuation that goes as 1/v, used to undo hardening: 0.83 in NCM83, 0.8 to 1 in other layers."""


DARKEST = 100.0
"""Variance of a line integral behind the most attenuating part of a sample, over its median in the row."""


@dataclass(frozen=True)
class Recipe:
    """How every scan of a study is turned into a volume.

    Attributes
    ----------
    open_beam:
        Open beam averaged over all scans, ``(frame, row, column)`` counts; each scan's own where None.
    half_width:
        From the axis to the edge of what is reconstructed [m].
    block:
        Detector rows that are read at a time.
    """

    axis: RotationAxis
    settings: CorrectionSettings
    filter: Filter
    hardening: bool
    cathode_at: str
    epoch: datetime
    half_width: float
    block: int
    open_beam: Array | None = None


def block_rows(shape: ScanShape, *, memory: float) -> int:
    """Detector rows whose correction and reconstruction fit into `memory` [bytes]."""
    return max(int(memory / bytes_per_row(shape)), LEAST_ROWS)


def bytes_per_row(shape: ScanShape) -> float:
    """Memory that the correction and reconstruction of one detector row take [byte]."""
    return float(shape.columns * (shape.projections * BYTES_PER_PIXEL + shape.columns * 24))


def pooled_open_beam(sources: Sequence[ScanSource]) -> Array:
    """Average the open beams of all scans frame by frame, brought to one brightness, ``(frame, row, column)``.

    What a camera's pixels do wrong is then the same in all scans, and leaves their differences.
    """
    one = slice(0, 1)
    first = sources[0].read(projection_rows=one).open_beam.values.astype(np.float32)
    level, total = float(np.median(first)), np.zeros_like(first)
    for source in sources:
        frames = source.read(projection_rows=one).open_beam.values.astype(np.float32)
        if frames.shape != total.shape:
            raise FileError(source.path, problem="its open beam differs in shape from that of the first scan")
        total += frames * (level / float(np.median(frames)))
    return np.asarray(total / len(sources))


def volume_of_scan(source: ScanSource, recipe: Recipe) -> xr.Dataset:
    """Correct and reconstruct a scan; z grows from the cathode's end of the image.

    Returns
    -------
    As `volume_from_line_integrals`, with ``slice_sum_var`` (z): the variance by counting of the attenuation summed over
    a whole slice times the area of a voxel [m^2].
    """
    conditions = _conditions(source, recipe)
    blocks = []
    for inner, corrected in _corrected_blocks(source, conditions, recipe):
        if recipe.hardening:
            corrected = linearised(corrected, spectrum=maxwellian_from_peak(), absorption_share=ABSORPTION_SHARE)
        grid = slice_grid(corrected, half_width=recipe.half_width)
        volume = volume_from_line_integrals(corrected, recipe.axis, filter=recipe.filter, grid=grid)
        blocks.append(volume.assign(slice_sum_var=_slice_sum_var(corrected)).isel(z=inner))
    whole = blocks[0] if len(blocks) == 1 else xr.concat(blocks, dim="z", data_vars="all")
    return whole if recipe.cathode_at == "top" else _upside_down(whole)


def corrected_rows(source: ScanSource, recipe: Recipe, rows: slice) -> xr.Dataset:
    """Line integrals of some rows of a scan, for a look at its geometry or quality."""
    conditions = _conditions(source, recipe)
    return line_integrals_from_scan(_read(source, recipe, rows), recipe.settings, conditions)


def _slice_sum_var(corrected: xr.Dataset) -> xr.DataArray:
    """``a^2 sum_s sum_k var(p_ks) / K^2``: what is summed over a slice is the mean projection.

    A dead pixel counts next to nothing, and its variance would outweigh the slice; ring removal has replaced what it
    read by its neighbours' mean, so that it counts no more than a dark place of the sample.
    """
    column = corrected.column.values
    pixel = float(column[1] - column[0])
    each = corrected.line_integral_var
    bound = DARKEST * each.median(("projection", "column"))
    variance = each.where(each < bound, bound).sum(("projection", "column")) / corrected.sizes["projection"] ** 2
    # without coordinates: rows and slices are the same, though their labels may differ in the last bit
    return xr.DataArray((variance * pixel**2).values, dims="z", attrs={"units": "m^2"})


def _conditions(source: ScanSource, recipe: Recipe) -> Conditions:
    """Conditions from all rows of the reference frames and as many rows of the projections as the dose needs."""
    shape = source.shape
    count = min(max(DOSE_PIXELS // (shape.projections * shape.columns), 8), shape.rows)
    first = (shape.rows - count) // 2
    scan = _read(source, recipe, None, projection_rows=slice(first, first + count))
    return conditions_from_scan(scan, recipe.settings)


def _read(source: ScanSource, recipe: Recipe, rows: slice | None, projection_rows: slice | None = None) -> Scan:
    scan = source.read(rows=rows, projection_rows=projection_rows, epoch=recipe.epoch)
    if recipe.open_beam is None:
        return scan
    frames = recipe.open_beam if rows is None else recipe.open_beam[:, rows]
    return replace(scan, open_beam=scan.open_beam.copy(data=frames))


def _corrected_blocks(source: ScanSource, conditions: Conditions, recipe: Recipe) -> Iterator[tuple[slice, xr.Dataset]]:
    """Line integrals of one block of rows after another, and which of their rows are no halo."""
    shape = source.shape
    halo = recipe.settings.halo + tilt_halo(recipe.axis, columns=shape.columns)
    for first in range(0, shape.rows, recipe.block):
        last = min(first + recipe.block, shape.rows)
        low, high = max(first - halo, 0), min(last + halo, shape.rows)
        scan = _read(source, recipe, slice(low, high))
        yield slice(first - low, last - low), line_integrals_from_scan(scan, recipe.settings, conditions)


def _upside_down(volume: xr.Dataset) -> xr.Dataset:
    flipped = {str(name): turned_about_x(array) for name, array in volume.items() if "y" in array.dims}
    along = volume.slice_sum_var[::-1]
    return xr.Dataset(flipped | {"slice_sum_var": along.assign_coords(z=-along.z.values)}, attrs=volume.attrs)
