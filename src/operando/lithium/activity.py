"""Active and inactive lithium: where a susceptibility map shows metal, and a current map whether it carries current."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.errors import InputError
from operando.lithium.budget import Figure, undetermined
from operando.units import Measured, in_units

Array = npt.NDArray[Any]

TOLD = 0.95
"""Probability from which a pixel's state counts as told."""

_ROUNDS = 300
_SETTLED = 1e-6


class Activity(IntEnum):
    """State of a pixel."""

    ACTIVE_LITHIUM = 0
    INACTIVE_LITHIUM = 1
    CURRENT_ELSEWHERE = 2
    NOTHING = 3
    NOT_TOLD = 4

    @property
    def message(self) -> str:
        """What it means, in words for people."""
        return _MESSAGES[self]


_MESSAGES = {
    Activity.ACTIVE_LITHIUM: "lithium that carries current",
    Activity.INACTIVE_LITHIUM: "lithium without current",
    Activity.CURRENT_ELSEWHERE: "current without lithium",
    Activity.NOTHING: "neither lithium nor current",
    Activity.NOT_TOLD: "not told",
}


def activity_from_maps(
    *,
    susceptibility: xr.DataArray,
    susceptibility_var: xr.DataArray,
    current: xr.DataArray,
    current_var: xr.DataArray,
    lithium: Measured,
    surroundings: Measured,
    least_current: float = 0.0,
) -> xr.Dataset:
    """Probability of each state of each pixel.

    Susceptibility is normal about that of lithium or of its surroundings. Current is normal about zero: at rest as wide
    as noise and `least_current` make it, else wider by a spread of its own in lithium and elsewhere. How common each
    state is, and both spreads, are those under which the maps are likeliest (expectation and maximisation); Bayes' rule
    gives the probabilities. Pixels count as independent: on maps finer than their resolution the shares are right and
    their errors too small (see `inactive_share`).

    Parameters
    ----------
    susceptibility, susceptibility_var:
        Of the layer in which lithium is sought, by volume ``(y, x)``.
    current, current_var:
        ``(component, y, x)`` with the two components in the plane [A/m or A/m^2], and the variance of each.
    lithium, surroundings:
        Susceptibility of either, with what is not known of it.
    least_current:
        What still counts as none, in the current's units.

    Returns
    -------
    ``probability`` ``(state, y, x)``, states as in `Activity`; ``inactive`` ``(y, x)``: probability that a pixel's
    lithium is inactive, given that it holds any; ``activity`` ``(y, x)``, `Activity` of the likeliest state or
    `NOT_TOLD`. Attributes ``lithium_separation`` and ``current_separation``: how many standard deviations of noise lie
    between the states.

    Raises
    ------
    InputError
        If the maps do not belong together, lithium is as its surroundings, or a variance is not positive.
    """
    contrast = lithium.value - surroundings.value
    if contrast == 0:
        raise InputError("lithium", must="of another susceptibility than its surroundings", received=lithium.value)
    if least_current < 0:
        raise InputError("least current", must="zero or more", received=least_current)
    chi, chi_var, flow, flow_var = _checked(susceptibility, susceptibility_var, current, current_var)
    good = np.isfinite(chi) & np.isfinite(chi_var) & np.isfinite(flow).all(axis=0) & np.isfinite(flow_var).all(axis=0)
    if good.sum() < 8:
        raise InputError("maps", must="finite in at least 8 common pixels", received=int(good.sum()))
    metal = np.stack([_log_normal(chi[good] - m.value, chi_var[good] + m.sigma**2) for m in (lithium, surroundings)])
    states, spreads = _states(metal, flow[:, good], flow_var[:, good] + least_current**2)
    probability = np.full((4, *chi.shape), np.nan)
    probability[:, good] = states
    noise = np.sqrt(np.median(chi_var[good]) + lithium.sigma**2)
    return _labelled(
        susceptibility.transpose("y", "x"),
        probability,
        lithium_separation=float(abs(contrast) / noise),
        current_separation=float(spreads[0] / np.sqrt(np.median(flow_var[:, good]))),
    )


def inactive_share(activity: xr.Dataset, *, pixels_per_resolution: float = 1.0) -> Figure:
    """Share of the lithium that carries no current, with its error or why it is not told.

    ``sum P(inactive lithium) / sum P(lithium)``. Its variance is that of drawing each pixel's state, plus that of how
    common states are, as far as the maps left it open.

    Parameters
    ----------
    activity:
        From `activity_from_maps`.
    pixels_per_resolution:
        Area of the maps' resolution, in pixels: as many pixels err together.
    """
    if not pixels_per_resolution >= 1:
        raise InputError("pixels per resolution", must="1 or more", received=pixels_per_resolution)
    probability = activity["probability"].values[:, np.isfinite(activity["inactive"].values)]
    active, inactive = probability[Activity.ACTIVE_LITHIUM], probability[Activity.INACTIVE_LITHIUM]
    name, total = "inactive share of lithium", float((active + inactive).sum())
    if total < 1:
        return undetermined(name=name, unit="", why="The maps show less than one pixel of lithium.")
    share = float(inactive.sum()) / total
    # d share = ((1 - share) d inactive - share d active) / total, the states of a pixel excluding each other
    moved = (1 - share) ** 2 * inactive + share**2 * active - ((1 - share) * inactive - share * active) ** 2
    variance = float(moved.sum()) / total**2 + _variance_by_weights(probability)
    error = float(np.sqrt(variance * pixels_per_resolution))
    if error > 0.5 / np.sqrt(12):
        why = f"The maps give {share:.0%} +- {error:.0%}, hardly more than was known without them."
        return undetermined(name=name, unit="", why=why)
    return Figure(name=name, value=share, unit="", statistical=error)


def _variance_by_weights(probability: Array) -> float:
    """Variance of the share by the learnt weights of the states, from the information of all pixels on these."""
    weights = probability.mean(axis=1)
    held = np.flatnonzero(weights > 1 / probability.shape[1])
    ratio = probability[held] / weights[held, None]
    score = ratio[:-1] - ratio[-1]
    steps = 1e-3 * weights[held[:-1]]
    slopes = []
    for k, step in enumerate(steps):
        factor = np.ones(len(weights))
        factor[held[k]] += step / weights[held[k]]
        factor[held[-1]] -= step / weights[held[-1]]
        states = probability * factor[:, None]
        states /= states.sum(axis=0)
        inactive, active = (states[s].sum() for s in (Activity.INACTIVE_LITHIUM, Activity.ACTIVE_LITHIUM))
        slopes.append(inactive / (inactive + active))
    rest = probability[Activity.INACTIVE_LITHIUM].sum() / probability[: Activity.CURRENT_ELSEWHERE].sum()
    change = (np.array(slopes) - rest) / steps
    return float(change @ np.linalg.pinv(score @ score.T) @ change)


def _checked(chi: xr.DataArray, chi_var: xr.DataArray, flow: xr.DataArray, flow_var: xr.DataArray) -> list[Array]:
    if set(flow.dims) != {"component", "y", "x"} or not {"x", "y"} <= {str(c) for c in flow["component"].values}:
        must = "labelled with dims component (x, y), y, x"
        raise InputError("current", must=must, received=f"dims {tuple(flow.dims)}")
    seen = flow.sel(component=["x", "y"]).transpose("component", "y", "x")
    errors = flow_var.sel(component=["x", "y"]).transpose("component", "y", "x")
    arrays = [
        in_units(chi, unit="", name="susceptibility").transpose("y", "x").values,
        in_units(chi_var, unit="", name="susceptibility variance").transpose("y", "x").values,
        seen.values,
        errors.values,
    ]
    if len({a.shape[-2:] for a in arrays}) > 1:
        raise InputError("maps", must="on the same pixels", received=[a.shape[-2:] for a in arrays])
    for name, values in (("susceptibility variance", arrays[1]), ("current variance", arrays[3])):
        if not (values[np.isfinite(values)] > 0).all():
            raise InputError(name, must="above zero", received=float(np.nanmin(values)))
    return [np.asarray(a, dtype=float) for a in arrays]


def _log_normal(values: Array, variance: Array) -> Array:
    return np.asarray(-0.5 * values**2 / variance - 0.5 * np.log(variance))


def _states(metal: Array, flow: Array, at_rest: Array) -> tuple[Array, Array]:
    """Probabilities of the four states ``(state, pixel)`` and the spreads of current in lithium and elsewhere."""
    weights = np.full(4, 0.25)
    square = (flow**2).mean(axis=0)
    spreads = np.full(2, np.sqrt(np.quantile(square, 0.9)))
    previous = -np.inf
    for _ in range(_ROUNDS):
        rest = _log_normal(flow, at_rest).sum(axis=0)
        moving = [_log_normal(flow, at_rest + s**2).sum(axis=0) for s in spreads]
        log = np.stack([metal[0] + moving[0], metal[0] + rest, metal[1] + moving[1], metal[1] + rest])
        log += np.log(np.maximum(weights, 1e-12))[:, None]
        most = log.max(axis=0)
        likely = np.exp(log - most)
        total = likely.sum(axis=0)
        states = likely / total
        evidence = float((most + np.log(total)).sum())
        if evidence - previous < _SETTLED * abs(evidence):
            break
        previous = evidence
        weights = states.mean(axis=1)
        for which, state in enumerate((Activity.ACTIVE_LITHIUM, Activity.CURRENT_ELSEWHERE)):
            share = states[state]
            excess = (share * (square - at_rest.mean(axis=0))).sum() / max(share.sum(), 1e-12)
            # a spread below the noise would be another name for rest
            spreads[which] = np.sqrt(max(excess, np.median(at_rest)))
    return states, spreads


def _labelled(template: xr.DataArray, probability: Array, **separations: float) -> xr.Dataset:
    metal = probability[Activity.ACTIVE_LITHIUM] + probability[Activity.INACTIVE_LITHIUM]
    told = np.where(probability.max(axis=0) >= TOLD, probability.argmax(axis=0), Activity.NOT_TOLD)
    told[~np.isfinite(metal)] = Activity.NOT_TOLD
    plain = {"units": ""}
    flags = {"flag_values": [int(a) for a in Activity], "flag_meanings": " ".join(a.name.lower() for a in Activity)}
    states = [a.name.lower() for a in Activity if a is not Activity.NOT_TOLD]
    inactive = probability[Activity.INACTIVE_LITHIUM] / np.maximum(metal, np.finfo(float).tiny)
    return xr.Dataset(
        {
            "probability": (("state", "y", "x"), probability, plain),
            "inactive": (("y", "x"), np.where(np.isfinite(metal), inactive, np.nan), plain),
            "activity": (("y", "x"), told.astype(np.uint8), plain | flags),
        },
        coords={**template.coords, "state": states},
        attrs=dict(separations),
    )
