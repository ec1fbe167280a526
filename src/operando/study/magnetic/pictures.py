"""Figures of a magnetic measurement, as PNG files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.magnetism.odmr import fluorescence_from_lines
from operando.report import magnetic_field, magnetic_spectra, sheet_current, sheet_magnetisation, vector_field
from operando.report.style import png_bytes
from operando.study.magnetic.figures import empty_pixels
from operando.study.magnetic.measured import evened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operando.study.magnetic.settings import Lines, Magnetic
    from operando.study.outcome import Picture


def magnetic_pictures(
    magnetic: Magnetic,
    *,
    spectra: xr.DataArray | None,
    lines: xr.Dataset | None,
    field: xr.Dataset,
    left: xr.Dataset,
    vector: xr.Dataset | None,
    sheet: xr.Dataset,
) -> Iterator[Picture]:
    """Draw what was found, one figure after the other.

    Parameters
    ----------
    spectra, lines:
        Of a cube; None for a measured map.
    field, left:
        As measured, and less its background.
    vector:
        All components, from a map of one.
    """
    if spectra is not None and lines is not None and magnetic.lines is not None:
        one, model = typical_spectrum(spectra, lines, magnetic.lines)
        drawn = magnetic_spectra.magnetic_spectra_figure(one, model, lines)
        yield "magnetic-spectra", png_bytes(drawn), magnetic_spectra.CAPTION
    drawn = magnetic_field.magnetic_field_figure(field, left)
    yield "magnetic-field", png_bytes(drawn), magnetic_field.CAPTION
    if vector is not None:
        yield "vector-field", png_bytes(vector_field.vector_field_figure(vector)), vector_field.CAPTION
    if magnetic.source.invert == "current":
        cuts = {cut.name: (cut.start, cut.end) for cut in magnetic.cuts}
        yield "sheet-current", png_bytes(sheet_current.sheet_current_figure(sheet, cuts=cuts)), sheet_current.CAPTION
        return
    empty = empty_pixels(magnetic, sheet.y.values, sheet.x.values)
    level = float(sheet.magnetisation.values[empty].mean()) if empty.any() else 0.0
    sheet = sheet.assign(magnetisation=(sheet.magnetisation - level).assign_attrs(sheet.magnetisation.attrs))
    regions = {region.name: (region.start, region.end) for region in magnetic.regions}
    drawn = sheet_magnetisation.sheet_magnetisation_figure(sheet, regions=regions)
    yield "sheet-magnetisation", png_bytes(drawn), sheet_magnetisation.CAPTION


def typical_spectrum(cube: xr.DataArray, lines: xr.Dataset, settings: Lines) -> tuple[xr.DataArray, xr.DataArray]:
    """Spectrum of the good pixel of median noise, relative to its background, and what was fitted to it."""
    noise = lines.noise.values
    at = np.unravel_index(int(np.nanargmin(np.abs(noise - np.nanmedian(noise)))), noise.shape)
    pixel = {"y": int(at[0]), "x": int(at[1])}
    values, fit = evened(cube).isel(pixel, drop=True), lines.isel(pixel, drop=True)
    frequency = values.frequency.values
    model = np.ones(frequency.size)
    for centre, width, contrast in zip(fit.centre.values, fit.width.values, fit.contrast.values, strict=True):
        model += -1 + fluorescence_from_lines(
            frequency=frequency,
            lines=np.array([centre]),
            width=float(width),
            contrast=float(np.clip(contrast, 0.0, 1.0)),
            shape=settings.shape,
            nitrogen=settings.nitrogen,
        )
    middle = (frequency - frequency.mean()) / np.ptp(frequency)
    terms = np.stack([model, model * middle], axis=1)
    background = np.linalg.lstsq(terms, values.values.astype(float), rcond=None)[0]
    level = background[0] + background[1] * middle
    return values / level, values.copy(data=model)
