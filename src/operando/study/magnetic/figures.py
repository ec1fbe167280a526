"""Numbers of a magnetic measurement: what was measured, how well, and what flows or is magnetised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from scipy.constants import mu_0
from scipy.interpolate import RegularGridInterpolator

from operando.errors import InputError
from operando.lithium.budget import Figure
from operando.lithium.susceptibility import LithiumVerdict, lithium_from_susceptibility
from operando.study.magnetic.measured import masked_counts

if TYPE_CHECKING:
    from operando.frames import Array
    from operando.study.magnetic.settings import CurrentCut, Magnetic, Point, Region

NAMED = {(1.0, 0.0, 0.0): "x", (0.0, 1.0, 0.0): "y", (0.0, 0.0, 1.0): "z"}


def check_places(magnetic: Magnetic, y: Array, x: Array) -> None:
    """Refuse a cut or region that leaves the map.

    Raises
    ------
    InputError
        Naming its key.
    """
    low, high = (float(x[0]), float(y[0])), (float(x[-1]), float(y[-1]))
    for key, items in (("cuts", magnetic.cuts), ("regions", magnetic.regions)):
        for i, item in enumerate(items):
            for end in ("start", "end"):
                place: Point = getattr(item, end)
                if not all(a <= p <= b for a, p, b in zip(low, place, high, strict=True)):
                    raise InputError(
                        f"magnetic.{key}.{i}.{end}",
                        must=f"on the map, from {_place(low)} to {_place(high)}",
                        received=_place(place),
                    )
    for i, region in enumerate(magnetic.regions):
        if not _inside(region, y, x).any():
            raise InputError(f"magnetic.regions.{i}", must="a rectangle that holds a pixel", received="none")


def line_figures(lines: xr.Dataset) -> list[Figure]:
    """Median width and contrast of the fitted lines."""
    width, contrast = float(np.nanmedian(lines.width)), float(np.nanmedian(lines.contrast))
    return [
        Figure("line width, median", width / 1e6, "MHz"),
        Figure("line contrast, median", 100 * contrast, "%"),
    ]


def field_figures(field: xr.Dataset, left: xr.Dataset) -> list[Figure]:
    """Pixels, masks, mean field and noise; `left` is the field less its background."""
    made = [Figure("pixels of the map", float(field.y.size * field.x.size), "")]
    if "verdict" in field:
        made += [Figure(f"pixels masked: {why}", float(n), "") for why, n in masked_counts(field.verdict).items()]
    else:
        missing = int((~np.isfinite(field.field.values)).any(axis=0).sum())
        made += [Figure("pixels masked: no number in the map", float(missing), "")] if missing else []
    for values, rest, along, i in zip(
        field.field.values, left.field.values, field.direction.values, range(field.sizes["axis"]), strict=True
    ):
        name = NAMED.get(tuple(np.round(along, 9)), "the axis")
        good = values[np.isfinite(values)]
        noise = 0.0
        if "field_var" in field:
            variance = field.field_var.values[i]
            noise = float(np.sqrt(np.nansum(variance)) / good.size)
            made.append(
                Figure(f"noise of a pixel along {name}, median", 1e6 * float(np.sqrt(np.nanmedian(variance))), "uT")
            )
        made.append(Figure(f"mean field along {name}", 1e6 * float(good.mean()), "uT", 1e6 * noise))
        made.append(Figure(f"field along {name} less background, rms", 1e6 * float(np.sqrt(np.nanmean(rest**2))), "uT"))
    if "temperature_shift" in field:
        made.append(_temperature(field))
    if "strain_squared" in field:
        made.append(_strain(field))
    return made


def vector_figures(vector: xr.Dataset) -> list[Figure]:
    """Strength of each component that a map of one tells."""
    made = []
    for values, along in zip(vector.field.values, vector.direction.values, strict=True):
        name = NAMED[tuple(np.round(along, 9))]
        made.append(
            Figure(f"field along {name} from the projection, rms", 1e6 * float(np.sqrt(np.mean(values**2))), "uT")
        )
    return made


def sheet_figures(sheet: xr.Dataset, magnetic: Magnetic) -> list[Figure]:
    """What an inversion found: misfit, resolution, currents through cuts, mean magnetisation of regions."""
    made = [
        Figure("misfit of the field, mean square over variance", float(sheet.attrs["misfit"]), ""),
        Figure("resolution reached", 1e6 * float(sheet.attrs["resolution"]), "um"),
    ]
    made += [cut_figure(sheet, cut) for cut in magnetic.cuts]
    for region in magnetic.regions:
        made += region_figures(sheet, region, magnetic) if not region.empty else []
    return made


def cut_figure(sheet: xr.Dataset, cut: CurrentCut) -> Figure:
    """Total current to the right of who walks along a cut: the stream function at its end less that at its start."""

    def crossing(values: Array) -> float:
        at = RegularGridInterpolator((sheet.y.values, sheet.x.values), values)
        start, end = at([cut.start[::-1], cut.end[::-1]])
        return float(end - start)

    return _figure(f"current through {cut.name}", sheet, "stream_function", crossing, "A", 1.0, cut.expected)


def region_figures(sheet: xr.Dataset, region: Region, magnetic: Magnetic) -> list[Figure]:
    """Mean magnetisation of a region above the empty ones and, where field and thickness are known, susceptibility."""
    y, x = sheet.y.values, sheet.x.values
    inside = _inside(region, y, x)
    empty = empty_pixels(magnetic, y, x)

    def mean(values: Array) -> float:
        return float(values[inside].mean() - (values[empty].mean() if empty.any() else 0.0))

    name = f"magnetisation of {region.name}, mean"
    unit = str(sheet.magnetisation.attrs["units"])
    made = [_figure(name, sheet, "magnetisation", mean, unit, 1.0)]
    if not empty.any():
        note = "; ".join(filter(None, (made[0].note, "the field does not tell its level: name a region that is empty")))
        return [replace(made[0], note=note)]
    applied = applied_strength(magnetic)
    if applied is not None and unit == "A/m":
        made.append(_figure(f"susceptibility of {region.name}", sheet, "magnetisation", mean, "", 1 / applied))
        if magnetic.source.material is not None:
            made.append(lithium_figure(f"lithium of {region.name}", made[-1]))
    return made


def lithium_figure(name: str, susceptibility: Figure) -> Figure:
    """Lithium x of LixCoO2 that a susceptibility tells; without a value, and with the ranges it leaves, where none."""
    terms = list(susceptibility.terms)
    plain = {"units": ""}
    shifts = np.array([[susceptibility.terms[term]] for term in terms]).reshape(len(terms), 1)
    found = lithium_from_susceptibility(
        xr.DataArray([susceptibility.value], dims="region", attrs=plain),
        variance=xr.DataArray([susceptibility.statistical**2], dims="region", attrs=plain),
        systematic=xr.DataArray(shifts, dims=("term", "region"), coords={"term": terms}, attrs=plain),
    ).isel(region=0)
    ranges = zip(found.lower.values, found.upper.values, found.probability.values, strict=True)
    left = " or ".join(f"{low:.2f} to {high:.2f} ({100 * p:.0f} %)" for low, high, p in ranges if np.isfinite(p))
    verdict = LithiumVerdict(int(found.verdict))
    note = verdict.message + (f"; x {left}" if left else "")
    if verdict != LithiumVerdict.DETERMINED:
        return Figure(name, None, "", note=note)
    by_cause = dict(zip(map(str, found.term.values), found.lithium_systematic.values.tolist(), strict=True))
    return Figure(name, float(found.lithium), "", float(np.sqrt(found.lithium_var)), by_cause, note=note)


def empty_pixels(magnetic: Magnetic, y: Array, x: Array) -> Array:
    """Pixels ``(y, x)`` of the regions where nothing is magnetised."""
    pixels = np.zeros((y.size, x.size), dtype=bool)
    for region in magnetic.regions:
        if region.empty:
            pixels |= _inside(region, y, x)
    return pixels


def applied_strength(magnetic: Magnetic) -> float | None:
    """Applied field H along the magnetisation [A/m]; None where it is not stated."""
    field = magnetic.source.applied_field
    return None if field is None else float(np.dot(field, magnetic.source.magnetised_along)) / mu_0


def _figure(
    name: str,
    sheet: xr.Dataset,
    quantity: str,
    functional: Callable[[Array], float],
    unit: str,
    scale: float,
    expected: float | None = None,
) -> Figure:
    """A linear functional of a map, with the errors that its draws and its systematic shifts give."""
    value = scale * functional(sheet[quantity].values)
    draws = [scale * functional(draw) for draw in sheet[f"{quantity}_draws"].values.astype(float)]
    terms = {
        term.replace("_", "-" if term == "stand_off" else " "): scale * functional(sheet[f"{quantity}_{term}"].values)
        for term in sheet.attrs["terms"]
    }
    shares = ", ".join(f"{term} {abs(shift):.2g}" for term, shift in terms.items())
    note = f"systematic: {shares} {unit}".rstrip() if shares else ""
    statistical = float(np.sqrt(np.mean(np.square(draws))))
    return Figure(name, value, unit, statistical, terms, expected, note)


def _temperature(field: xr.Dataset) -> Figure:
    shift, variance = field.temperature_shift.values, field.temperature_shift_var.values
    number = int(np.isfinite(shift).sum())
    error = float(np.sqrt(np.nansum(variance)) / number)
    note = "from 300 K by the zero-field splitting; samples differ by some K"
    return Figure("temperature shift, mean", float(np.nanmean(shift)), "K", error, note=note)


def _strain(field: xr.Dataset) -> Figure:
    """Transverse splitting E whose square is the mean over the pixels; only the square is without bias."""
    square, variance = field.strain_squared.values / 1e12, field.strain_squared_var.values / 1e24
    mean, name = float(np.nanmean(square)), "strain splitting, from its mean square"
    error = float(np.sqrt(np.nansum(variance))) / int(np.isfinite(square).sum())
    if mean <= error:
        return Figure(name, None, "MHz", note=f"its mean square is {mean:.3g} +- {error:.2g} MHz^2, not above zero")
    return Figure(name, float(np.sqrt(mean)), "MHz", error / (2 * float(np.sqrt(mean))))


def _inside(region: Region, y: Array, x: Array) -> Array:
    (x0, x1), (y0, y1) = (sorted(pair) for pair in zip(region.start, region.end, strict=True))
    return np.asarray(((y >= y0) & (y <= y1))[:, None] & ((x >= x0) & (x <= x1)))


def _place(place: tuple[float, ...]) -> str:
    return f"({', '.join(f'{1e6 * part:.4g}' for part in place)}) um"
