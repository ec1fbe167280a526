"""The magnetic road of a study: spectra to lines, lines to a field, a field to the sheet that made it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import xarray as xr

from operando import __version__
from operando.study.magnetic.drift import drift_figures
from operando.study.magnetic.figures import check_places, field_figures, line_figures, sheet_figures, vector_figures
from operando.study.magnetic.measured import field_of_lines, fitted_lines, masked_counts
from operando.study.magnetic.pictures import magnetic_pictures
from operando.study.magnetic.sheet import sheet_of_field, without_background
from operando.study.magnetic.vector import vector_of_projection, why_no_vector
from operando.study.outcome import Outcome
from operando.study.store import Store, fingerprint_of

if TYPE_CHECKING:
    from operando.lithium.budget import Figure
    from operando.study.inputs import Tell
    from operando.study.magnetic.measured import Measurement
    from operando.study.magnetic.settings import Magnetic

MANY_MASKED = 0.05
"""Share of masked pixels that a reader should know of first."""


def run_magnetic(magnetic: Magnetic, measurement: Measurement, *, store: Store, again: str, tell: Tell) -> Outcome:
    """Run what is left of the magnetic road.

    Parameters
    ----------
    again:
        Part of every fingerprint: a new text computes everything anew.

    Raises
    ------
    InputError
        If a setting does not fit the measurement.
    RunError
        If the lines cannot be fitted, or the map holds nothing but noise.
    """
    check_places(magnetic, measurement.y, measurement.x)
    data, content = magnetic.data, measurement.content
    base = fingerprint_of(__version__, again, data, data.path, magnetic.lines, magnetic.sensor.axis)
    invert = magnetic.source.invert
    whole = fingerprint_of(base, magnetic.sensor, magnetic.background, magnetic.source)
    spectra, lines = None, None
    if isinstance(content, xr.Dataset):
        field = _kept(store, "magnetic/field", base, lambda: content)
    elif magnetic.lines is not None:
        spectra, settings = content, magnetic.lines
        tell("lines", 0, 1)
        fitted = lines = _kept(store, "magnetic/lines", base, lambda: fitted_lines(content, settings))
        tell("lines", 1, 1)
        field = _kept(store, "magnetic/field", base, lambda: field_of_lines(fitted, settings))
    left = without_background(field, magnetic.background)
    vector, missing = None, why_no_vector(left) if left.sizes["axis"] == 1 else ""
    if left.sizes["axis"] == 1 and not missing:
        mark = fingerprint_of(base, magnetic.background)
        vector = _kept(store, "magnetic/vector", mark, lambda: vector_of_projection(left))
    tell(invert, 0, 1)
    sheet = _kept(store, f"magnetic/{invert}", whole, lambda: sheet_of_field(field, magnetic))
    tell(invert, 1, 1)
    figures = [
        *(line_figures(lines) if lines is not None else ()),
        *field_figures(field, left),
        *(vector_figures(vector) if vector is not None else ()),
        *_drift(magnetic, measurement),
        *sheet_figures(sheet, magnetic),
    ]
    pictures = magnetic_pictures(
        magnetic, spectra=spectra, lines=lines, field=field, left=left, vector=vector, sheet=sheet
    )
    warnings = _warnings(magnetic, measurement, field, sheet)
    return Outcome(tuple(figures), pictures, (*warnings, missing) if missing else warnings, whole)


def _kept(store: Store, group: str, fingerprint: str, make: Callable[[], xr.Dataset]) -> xr.Dataset:
    """Read a group that is there already, or make and store it."""
    if not store.holds(group, fingerprint=fingerprint):
        store.write(group, make(), fingerprint=fingerprint)
    return store.read(group)


def _drift(magnetic: Magnetic, measurement: Measurement) -> list[Figure]:
    if measurement.drift is None or magnetic.data.earlier is None:
        return []
    return drift_figures(measurement.drift, earlier=magnetic.data.earlier.name)


def _warnings(magnetic: Magnetic, measurement: Measurement, field: xr.Dataset, sheet: xr.Dataset) -> tuple[str, ...]:
    made = list(measurement.notes)
    if "verdict" in field:
        masked = sum(masked_counts(field.verdict).values()) / field.verdict.size
        if masked > MANY_MASKED:
            made.append(f"{100 * masked:.0f} % of the pixels are masked; the table says why.")
    if magnetic.sensor.stand_off.sigma == 0:
        made.append("stand_off is stated without an uncertainty: systematic errors leave it out.")
    if sheet.attrs["misfit"] > 2:
        made.append(
            f"The field differs from that of the sheet by {sheet.attrs['misfit'] ** 0.5:.1f} times its noise: is "
            "there a source at another depth, or is the noise stated too small?"
        )
    return tuple(made)
