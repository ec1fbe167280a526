"""Lithium from susceptibility: a curve turned round, with its flat and its ambiguous parts called by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.lithium.checked import not_negative
from operando.materials.magnetic_lithiation import FLAT, lithium_cobalt_oxide_nodes, volume_from_lithium
from operando.units import in_units

Array = npt.NDArray[Any]

LEVEL = 0.95
"""Probability that the reported bounds hold."""

TOLD = 0.5
"""Part of the prior's standard deviation that may be left where x counts as determined."""

OUTSIDE = 4.0
"""Standard deviations from every value of the curve at which a susceptibility is not the material's."""

BRANCHES = 3
"""Most ranges of x that are kept for one susceptibility."""

_POINTS = 1001
_BLOCK = 4096


class LithiumVerdict(IntEnum):
    """What a susceptibility tells of lithium."""

    DETERMINED = 0
    AMBIGUOUS = 1
    FLAT = 2
    OUTSIDE = 3

    @property
    def message(self) -> str:
        """What it means, in words for people."""
        return _MESSAGES[self]


_MESSAGES = {
    LithiumVerdict.DETERMINED: "determined",
    LithiumVerdict.AMBIGUOUS: "several ranges of lithium have this susceptibility, or too wide a range",
    LithiumVerdict.FLAT: "undetermined: the curve is flat here",
    LithiumVerdict.OUTSIDE: "not a susceptibility of this material",
}


@dataclass(frozen=True)
class SusceptibilityCurve:
    """Volume susceptibility against lithium, straight between points, and how well it is known.

    Attributes
    ----------
    lithium, susceptibility:
        Points, x rising.
    flat:
        Range of x that share one value.
    scale:
        Relative standard deviation of all values together.
    peak:
        Standard deviation of the x at which the curve is highest.
    """

    lithium: tuple[float, ...]
    susceptibility: tuple[float, ...]
    flat: tuple[float, float]
    scale: float
    peak: float

    def __post_init__(self) -> None:
        if len(self.lithium) != len(self.susceptibility) or not (np.diff(self.lithium) > 0).all():
            raise InputError("curve", must="points of rising x, each with its susceptibility", received=self.lithium)
        if self.scale < 0 or self.peak < 0:
            raise InputError("errors of the curve", must="zero or more", received=(self.scale, self.peak))

    @property
    def highest(self) -> float:
        """Lithium x at which the curve is highest."""
        return self.lithium[int(np.argmax(self.susceptibility))]

    def at(self, lithium: Array, *, peak_moved: float = 0.0) -> Array:
        """Susceptibility at x, the curve's highest point moved along x."""
        nodes, top = np.array(self.lithium), int(np.argmax(self.susceptibility))
        room = min(np.diff(nodes)[max(top - 1, 0) : top + 1], default=0.0)
        nodes[top] += float(np.clip(peak_moved, -0.9 * room, 0.9 * room))
        return np.interp(lithium, nodes, self.susceptibility)

    def errors(self, lithium: Array) -> dict[str, Array]:
        """What one standard deviation of each cause does to the susceptibility at x."""
        moved = (self.at(lithium, peak_moved=self.peak) - self.at(lithium, peak_moved=-self.peak)) / 2
        return {"scale of the curve": self.scale * self.at(lithium), "peak of the curve": moved}


@cache
def lithium_cobalt_oxide_curve(*, scale: float = 0.05, peak: float = 0.03) -> SusceptibilityCurve:
    """Curve of LixCoO2 by volume; see `operando.materials.magnetic_lithiation`.

    Parameters
    ----------
    scale:
        The molar volume is kept (3 %), values have two digits (up to 4 %).
    peak:
        The table has it at 0.6; the constant part was found largest near 0.65 (doi:10.1103/PhysRevB.77.075119).
    """
    nodes, _ = lithium_cobalt_oxide_nodes()
    values = tuple(float(v) for v in volume_from_lithium(lithium=np.array(nodes)))
    return SusceptibilityCurve(lithium=nodes, susceptibility=values, flat=FLAT, scale=scale, peak=peak)


def lithium_from_susceptibility(
    susceptibility: xr.DataArray,
    *,
    variance: xr.DataArray,
    systematic: xr.DataArray | None = None,
    curve: SusceptibilityCurve | None = None,
    lowest: float = 0.0,
) -> xr.Dataset:
    """Find what lithium content a susceptibility tells.

    ``p(x | chi) ~ exp(-(chi - c(x))^2 / 2 s(x)^2) / s(x)`` for x even over ``(lowest, 1)``, where s holds the errors of
    chi and of the curve c. The smallest set of x that holds 95 % is reported as one or more ranges. A single value is
    given only where that set is one range off the flat part, to one side of the curve's peak, and narrower than what
    was known before.

    Parameters
    ----------
    susceptibility:
        By volume, dimensionless; any dims.
    variance:
        By noise.
    systematic:
        With a dim term before those of `susceptibility`: one standard deviation of each named cause.
    curve:
        LixCoO2 unless given.
    lowest:
        Least x that the cell's protocol allows.

    Returns
    -------
    ``lithium`` (NaN unless determined), ``lithium_var`` (by noise), ``lithium_systematic`` (by term, those of the curve
    among them; together they are the posterior's standard deviation); ``lower``, ``upper`` and ``probability`` by
    ``branch``, NaN where there are fewer, the likeliest first; ``verdict``.

    Raises
    ------
    InputError
        If units, dims or errors do not fit.
    """
    known = curve or lithium_cobalt_oxide_curve()
    if not 0 <= lowest < 1:
        raise InputError("lowest lithium", must="zero or more and below 1", received=lowest)
    chi = in_units(susceptibility, unit="", name="susceptibility")
    noise = in_units(variance, unit="", name="variance").transpose(*chi.dims)
    not_negative(noise.fillna(0.0), unit="", name="variance")
    terms: dict[str, Array] = {}
    if systematic is not None:
        if set(systematic.dims) != {"term", *chi.dims}:
            raise InputError(
                "systematic", must=f"with dims term, {', '.join(map(str, chi.dims))}", received=systematic.dims
            )
        ordered = in_units(systematic, unit="", name="systematic").transpose("term", *chi.dims)
        terms = {str(name): ordered.sel(term=name).values.ravel() for name in ordered["term"].values}
    by_map = noise.values.ravel() + sum(values**2 for values in terms.values())
    x = np.linspace(lowest, 1.0, _POINTS)
    flat = chi.values.ravel().astype(float)
    if not (by_map[np.isfinite(flat)] > 0).all():
        raise InputError("variance", must="above zero, or with systematic errors beside it", received=0.0)
    found = [
        _inverted(flat[i : i + _BLOCK], by_map[i : i + _BLOCK], x, known) for i in range(0, max(flat.size, 1), _BLOCK)
    ]
    joined = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    return _labelled(chi, noise.values.ravel(), terms, by_map, joined, known)


def _inverted(chi: Array, variance: Array, x: Array, curve: SusceptibilityCurve) -> dict[str, Array]:
    expected, of_curve = curve.at(x), sum(e**2 for e in curve.errors(x).values())
    total = variance[:, None] + of_curve
    log = -0.5 * (chi[:, None] - expected) ** 2 / total - 0.5 * np.log(total)
    density = np.exp(log - np.nanmax(log, axis=1, keepdims=True, initial=-np.inf, where=np.isfinite(log)))
    density = np.where(np.isfinite(density), density, 1.0)
    density /= density.sum(axis=1, keepdims=True)
    # where a single range is left, the chance that x lies on the flat part after all belongs to the bounds
    off_flat = density * ~((x >= curve.flat[0]) & (x < curve.flat[1]))
    off_flat /= np.maximum(off_flat.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    mean = off_flat @ x
    sd = np.sqrt(np.maximum(off_flat @ x**2 - mean**2, 0.0))
    held = _smallest_set(density)
    lower, upper, probability = _ranges(held, density, x)
    one = (np.isfinite(lower).sum(axis=1) == 1) & ~((lower[:, 0] < curve.highest) & (curve.highest < upper[:, 0]))
    touches = (held & (x >= curve.flat[0]) & (x < curve.flat[1])).any(axis=1)
    narrow = sd <= TOLD * np.ptp(x) / np.sqrt(12)
    verdict = np.where(one & narrow, LithiumVerdict.DETERMINED, LithiumVerdict.AMBIGUOUS)
    verdict[touches] = LithiumVerdict.FLAT
    off = (np.abs(chi[:, None] - expected) / np.sqrt(total)).min(axis=1) > OUTSIDE
    verdict[off | ~np.isfinite(chi)] = LithiumVerdict.OUTSIDE
    return {
        "mean": mean,
        "sd": sd,
        "lower": lower,
        "upper": upper,
        "probability": probability,
        "verdict": verdict.astype(np.uint8),
    }


def _smallest_set(density: Array) -> Array:
    """Points of the smallest set that holds `LEVEL`; of points equally dense all or none."""
    descending = -np.sort(-density, axis=1)
    last = (np.cumsum(descending, axis=1) < LEVEL).sum(axis=1)
    least = np.take_along_axis(descending, last[:, None], axis=1)
    return np.asarray(density >= least * (1 - 1e-9))


def _ranges(held: Array, density: Array, x: Array) -> tuple[Array, Array, Array]:
    """Ends and probability of the ranges of a set, ``(value, branch)``, the likeliest first."""
    ends = np.full((3, len(held), BRANCHES), np.nan)
    padded = np.pad(held, ((0, 0), (1, 1)))
    for row, (inside, p) in enumerate(zip(padded, density, strict=True)):
        starts, stops = (np.flatnonzero(np.diff(inside.astype(int)) == sign) for sign in (1, -1))
        shares = np.array([p[i:j].sum() for i, j in zip(starts, stops, strict=True)])
        for branch, k in enumerate(np.argsort(-shares)[:BRANCHES]):
            ends[:, row, branch] = x[starts[k]], x[stops[k] - 1], shares[k]
    return ends[0], ends[1], ends[2]


def _labelled(
    chi: xr.DataArray,
    noise: Array,
    terms: dict[str, Array],
    by_map: Array,
    found: dict[str, Array],
    curve: SusceptibilityCurve,
) -> xr.Dataset:
    told = found["verdict"] == LithiumVerdict.DETERMINED
    of_curve = curve.errors(found["mean"])
    per_chi = found["sd"] / np.sqrt(by_map + sum(e**2 for e in of_curve.values()))
    shifts = {**terms, **of_curve}
    shape, dims, plain = chi.shape, chi.dims, {"units": ""}
    # a susceptibility too large is lithium too low on the side of the curve that tells it
    moved = np.stack([np.where(told, -e * per_chi, np.nan) for e in shifts.values()])
    outside = (found["verdict"] == LithiumVerdict.OUTSIDE)[:, None]
    flags = {
        "flag_values": [int(v) for v in LithiumVerdict],
        "flag_meanings": " ".join(v.name.lower() for v in LithiumVerdict),
    }
    result = xr.Dataset(coords={**chi.coords, "term": list(shifts)}, attrs={"level": LEVEL})
    result["lithium"] = (dims, np.where(told, found["mean"], np.nan).reshape(shape), plain)
    result["lithium_var"] = (dims, np.where(told, noise * per_chi**2, np.nan).reshape(shape), plain)
    result["lithium_systematic"] = (("term", *dims), moved.reshape(-1, *shape), plain)
    for name in ("lower", "upper", "probability"):
        values = np.where(outside, np.nan, found[name]).T.reshape(BRANCHES, *shape)
        result[name] = (("branch", *dims), values, plain)
    result["verdict"] = (dims, found["verdict"].reshape(shape), plain | flags)
    return result
