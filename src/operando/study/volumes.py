"""From a raw neutron scan to a volume of attenuation, a block of detector rows at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import xarray as xr

from operando.frames import turned_about_x
from operando.materials.spectrum import maxwellian_from_peak
from operando.tomography.axis import RotationAxis
from operando.tomography.conditions import Conditions, conditions_from_scan
from operando.tomography.correct import line_integrals_from_scan
from operando.tomography.correction_settings import CorrectionSettings
from operando.tomography.hardening import linearised
from operando.tomography.parallel import slice_grid, volume_from_line_integrals
from operando.tomography.tilt import tilt_halo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from operando.io.recorded import ScanShape
    from operando.io.scan import ScanSource
    from operando.study.settings import Study

BYTES_PER_PIXEL = 40
"""Memory per raw pixel while a block is corrected: counts, line integrals, their variance, and what lies between."""

ABSORPTION_SHARE = 0.85
"""Share of the cells' attenuation that goes as 1/v, used to undo hardening: 0.83 in NCM83, 0.8 to 1 in other layers."""


@dataclass(frozen=True)
class Recipe:
    """How every scan of a study is turned into a volume.

    Attributes
    ----------
    half_width:
        From the axis to the edge of what is reconstructed [m]; the whole detector where None.
    block:
        Detector rows that are read at a time.
    """

    axis: RotationAxis
    settings: CorrectionSettings
    filter: str
    hardening: bool
    cathode_at: str
    epoch: datetime
    half_width: float | None
    block: int


def correction_settings(study: Study) -> CorrectionSettings:
    """Translate what the study file says of the correction."""
    chosen = study.correction
    return CorrectionSettings(spots=chosen.gamma_spots, dose=chosen.dose, scatter=chosen.scatter, rings=chosen.rings)


def block_rows(shape: ScanShape, *, memory: float) -> int:
    """Detector rows whose correction and reconstruction fit into `memory` [bytes]."""
    per_row = shape.columns * (shape.projections * BYTES_PER_PIXEL + shape.columns * 24)
    return max(int(memory / per_row), 8)


def corrected_blocks(
    source: ScanSource, *, conditions: Conditions, recipe: Recipe
) -> Iterator[tuple[slice, xr.Dataset]]:
    """Line integrals of one block of rows after another; each block carries the halo that its tilt needs."""
    shape = source.shape
    tilt = tilt_halo(recipe.axis, columns=shape.columns)
    halo = recipe.settings.halo + tilt
    for first in range(0, shape.rows, recipe.block):
        last = min(first + recipe.block, shape.rows)
        low, high = max(first - halo, 0), min(last + halo, shape.rows)
        corrected = line_integrals_from_scan(
            source.read(rows=slice(low, high), epoch=recipe.epoch), recipe.settings, conditions
        )
        yield slice(first - low, last - low), corrected


def conditions_of(source: ScanSource, *, recipe: Recipe) -> Conditions:
    """Dose, noise and scatter of a scan.

    Read from one block in the middle where the scan is larger than a block: the reference frames whole would need
    the scan whole.
    """
    return conditions_from_scan(source.read(epoch=recipe.epoch), recipe.settings)


def volume_of_scan(source: ScanSource, recipe: Recipe) -> xr.Dataset:
    """Correct and reconstruct a scan; z is the detector's, from the cathode's end of the image."""
    conditions = conditions_of(source, recipe=recipe)
    blocks = []
    for inner, corrected in corrected_blocks(source, conditions=conditions, recipe=recipe):
        if recipe.hardening:
            corrected = linearised(corrected, spectrum=maxwellian_from_peak(), absorption_share=ABSORPTION_SHARE)
        grid = slice_grid(corrected, half_width=recipe.half_width)
        volume = volume_from_line_integrals(corrected, recipe.axis, filter=recipe.filter, grid=grid)
        blocks.append(volume.isel(z=inner))
    whole = blocks[0] if len(blocks) == 1 else xr.concat(blocks, dim="z")
    return whole if recipe.cathode_at == "top" else xr.Dataset({k: turned_about_x(v) for k, v in whole.items()})
