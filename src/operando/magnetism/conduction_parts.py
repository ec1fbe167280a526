"""Ionic and electronic parts of a current, from maps at several temperatures or frequencies.

Maps are linear in the parts: ``m(c, r) = sum_p R_p(c) a_p(r)`` with a response R_p to the condition c that all pixels
share. They are maps of field or current at one voltage across the cell, or divided by it: at one total current the
parts change places with temperature, and no fixed response holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.constants import Boltzmann

from operando.errors import InputError, RunError
from operando.units import Measured, in_units

Array = npt.NDArray[Any]

TOLD = 0.5
"""Part of the standard deviation of an unknown share, 0 to 1, that may be left where parts count as told apart."""

_STEPS = 60
_DIFFERENCE = 1e-4


class Response(Protocol):
    """How a part's conductance changes with the condition."""

    @property
    def parameter(self) -> Measured:
        """What all pixels share and a map may tell; with sigma 0 it is given."""
        ...

    def at(self, condition: Array, parameter: float) -> Array:
        """Conductance over that at the reference."""
        ...


@dataclass(frozen=True)
class Activated:
    """Conduction over a barrier, ``exp(-(E/k)(1/T - 1/T0))``, times ``T0/T`` for hopping ions.

    Attributes
    ----------
    energy:
        E [J].
    reference:
        T0, at which the part is stated [K].
    hopping:
        Whether conductivity times temperature is activated (Nernst and Einstein), and not conductivity alone.
    """

    energy: Measured
    reference: float = 300.0
    hopping: bool = False

    @property
    def parameter(self) -> Measured:
        """Activation energy [J]."""
        return self.energy

    def at(self, condition: Array, parameter: float) -> Array:
        """Conductance at temperatures [K]."""
        ratio = np.exp(-parameter / Boltzmann * (1 / condition - 1 / self.reference))
        return np.asarray(ratio * self.reference / condition if self.hopping else ratio)


@dataclass(frozen=True)
class Blocked:
    """Carriers that electrodes block, ``i w tau / (1 + i w tau)``: they pass above 1/tau only, ahead of the voltage.

    Attributes
    ----------
    time:
        tau, resistance of the path times capacitance of its electrodes [s].
    """

    time: Measured

    @property
    def parameter(self) -> Measured:
        """Relaxation time [s]."""
        return self.time

    def at(self, condition: Array, parameter: float) -> Array:
        """Conductance at frequencies [Hz], over that far above 1/tau."""
        turned = 2j * np.pi * condition * parameter
        return np.asarray(turned / (1 + turned))


@dataclass(frozen=True)
class Direct:
    """Carriers that no electrode blocks: the same at every frequency."""

    @property
    def parameter(self) -> Measured:
        """Nothing is asked for."""
        return Measured(0.0)

    def at(self, condition: Array, parameter: float) -> Array:
        """Return one."""
        return np.ones(np.shape(condition))


def parts_from_maps(
    maps: xr.DataArray, *, variance: xr.DataArray, responses: Mapping[str, Response], over: str
) -> xr.Dataset:
    """Tell the parts of a current apart, pixel by pixel, with responses that all pixels share.

    For given responses each pixel is a linear least-squares problem; the shared parameters minimise what is left over
    all pixels, together with what was known of them (variable projection).

    Parameters
    ----------
    maps:
        Dims `over` and those of the map; complex where a lock-in gives the part ahead of the voltage.
    variance:
        Of each value, dims and units to match; of a complex one, that of its real and of its imaginary part each.
    responses:
        By name, such as ``{"ionic": Activated(...), "electronic": Activated(...)}``; two or more.
    over:
        ``temperature`` (coordinate in K) or ``frequency`` (Hz).

    Returns
    -------
    ``part_map`` at the reference, ``part_map_var`` (by noise) and ``part_map_systematic`` (by term: one standard
    deviation of each independent combination of the shared parameters, named by the one it begins with), with dim
    ``part`` and the map's; ``share`` of each part in their sum and its ``share_sd``; ``told``: whether the first part's
    share is known to better than half of what was unknown. By part: ``parameter``, ``parameter_sd``. Attributes:
    ``correlation`` of the parts' errors in a pixel, ``inflation`` of a part's error over what it would be were the
    others known, and ``statement``.

    Raises
    ------
    InputError
        If there are fewer conditions than parts, or units, dims or variances do not fit.
    RunError
        If the shared parameters do not settle.
    """
    if len(responses) < 2:
        raise InputError("responses", must="those of two parts or more", received=list(responses))
    condition = _condition(maps, over)
    ordered = maps.transpose(over, ...)
    errors = in_units(variance, unit=_squared(maps), name="variance").broadcast_like(ordered).transpose(*ordered.dims)
    values, weights = _stacked(ordered.values, errors.values)
    if len(values) < len(responses):
        remedy = "Measure at more temperatures or frequencies."
        raise InputError(over, must=f"{len(responses)} or more", received=len(values), remedy=remedy)
    problem = _Problem(values, weights, condition, tuple(responses.values()), np.iscomplexobj(maps))
    theta, theta_cov = problem.settled()
    amplitudes, inverse = problem.amplitudes(theta)
    return _labelled(ordered, over, tuple(responses), problem, theta, theta_cov, amplitudes, inverse)


@dataclass(frozen=True)
class _Problem:
    """Values and weights ``(condition, pixel)``, real and imaginary parts below each other."""

    values: Array
    weights: Array
    condition: Array
    responses: tuple[Response, ...]
    doubled: bool

    def design(self, theta: Array) -> Array:
        """Responses ``(condition, part)``."""
        columns = np.stack([r.at(self.condition, t) for r, t in zip(self.responses, theta, strict=True)], axis=1)
        return np.concatenate([columns.real, columns.imag]) if self.doubled else columns.real

    def amplitudes(self, theta: Array) -> tuple[Array, Array]:
        """Parts ``(pixel, part)`` and their covariance by noise."""
        design = self.design(theta)
        normal = np.einsum("cp,ci,cq->ipq", design, self.weights, design)
        scale = np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(len(theta))
        inverse = np.linalg.inv(normal + 1e-12 * scale)
        right = np.einsum("cp,ci,ci->ip", design, self.weights, self.values)
        return np.asarray(np.einsum("ipq,iq->ip", inverse, right)), inverse

    def slopes(self, theta: Array) -> Array:
        """Change of the responses with each free parameter in its own unit step, ``(free, condition, part)``."""
        slopes = []
        for k in self.free:
            step = _DIFFERENCE * self.unit[k]
            ahead, behind = theta.copy(), theta.copy()
            ahead[k], behind[k] = theta[k] + step, theta[k] - step
            slopes.append((self.design(ahead) - self.design(behind)) / (2 * step))
        return np.array(slopes).reshape(len(self.free), len(self.values), len(theta))

    @property
    def free(self) -> list[int]:
        return [k for k, r in enumerate(self.responses) if r.parameter.sigma > 0]

    @property
    def unit(self) -> Array:
        return np.array([max(abs(r.parameter.value), 1e-300) for r in self.responses])

    def cost(self, theta: Array) -> float:
        amplitudes, _ = self.amplitudes(theta)
        left = self.values - self.design(theta) @ amplitudes.T
        return float((self.weights * left**2).sum() + sum(self._pull(k, theta) ** 2 for k in self.free))

    def _pull(self, k: int, theta: Array) -> float:
        known = self.responses[k].parameter
        return float((theta[k] - known.value) / known.sigma)

    def step(self, theta: Array) -> tuple[Array, Array]:
        """Normal matrix and right-hand side for the free parameters, amplitudes projected out."""
        amplitudes, inverse = self.amplitudes(theta)
        design = self.design(theta)
        left = self.values - design @ amplitudes.T
        moved = np.einsum("kcp,ip->kci", self.slopes(theta), amplitudes)
        onto = np.einsum("cp,ci,kci->kip", design, self.weights, moved)
        moved = moved - np.einsum("cp,ipq,kiq->kci", design, inverse, onto)
        normal = np.einsum("kci,ci,lci->kl", moved, self.weights, moved)
        right = np.einsum("kci,ci,ci->k", moved, self.weights, left)
        for row, k in enumerate(self.free):
            sigma = self.responses[k].parameter.sigma
            normal[row, row] += 1 / sigma**2
            right[row] -= self._pull(k, theta) / sigma
        return normal, right

    def settled(self) -> tuple[Array, Array]:
        """Most probable shared parameters and the covariance of the free ones (Levenberg and Marquardt)."""
        theta = np.array([r.parameter.value for r in self.responses], dtype=float)
        if not self.free:
            return theta, np.zeros((0, 0))
        damping, cost = 1e-3, self.cost(theta)
        for _ in range(_STEPS):
            normal, right = self.step(theta)
            change = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), right)
            tried = theta.copy()
            tried[self.free] += change
            new = self.cost(tried) if np.isfinite(tried).all() else np.inf
            if new <= cost:
                small = float(change @ normal @ change) < 1e-8
                theta, cost, damping = tried, new, damping / 5
                if small:
                    return theta, np.linalg.inv(self.step(theta)[0])
            else:
                damping *= 5
                if damping > 1e12:
                    return theta, np.linalg.inv(normal)
        raise RunError("The shared activation energies or times did not settle: state them, or narrow what is known.")


def _condition(maps: xr.DataArray, over: str) -> Array:
    units = {"temperature": "K", "frequency": "Hz"}
    if over not in units:
        raise InputError("over", must="temperature or frequency", received=over)
    if over not in maps.coords:
        raise InputError("maps", must=f"labelled with a coordinate {over}", received=f"dims {tuple(maps.dims)}")
    condition = np.asarray(in_units(maps.coords[over], unit=units[over], name=over).values, dtype=float)
    if not (condition > 0).all():
        raise InputError(over, must=f"above zero [{units[over]}]", received=condition[:5])
    return condition


def _squared(maps: xr.DataArray) -> str:
    """Units of the square of a map."""
    units = maps.attrs.get("units")
    if not isinstance(units, str):
        raise InputError("maps", must="labelled with units", received="no units attribute")
    return re.sub(r"([^\W\d]+)(?:\^(-?\d))?", lambda unit: f"{unit[1]}^{2 * int(unit[2] or 1)}", units)


def _stacked(values: Array, variance: Array) -> tuple[Array, Array]:
    """Bring values and weights to ``(condition, pixel)``; a pixel with a value missing gets no weight."""
    if not (variance[np.isfinite(variance)] > 0).all():
        raise InputError("variance", must="above zero", received=float(np.nanmin(variance)))
    flat, errors = values.reshape(len(values), -1), variance.reshape(len(values), -1)
    if np.iscomplexobj(flat):
        flat, errors = np.concatenate([flat.real, flat.imag]), np.concatenate([errors, errors])
    good = (np.isfinite(flat) & np.isfinite(errors)).all(axis=0)
    if not good.any():
        raise InputError("maps", must="measured in some pixel at every condition", received="none")
    tiny = np.nanmin(1 / errors) * 1e-12
    return np.where(good, flat, 0.0), np.where(good, 1 / errors, tiny)


def _labelled(
    ordered: xr.DataArray,
    over: str,
    names: tuple[str, ...],
    problem: _Problem,
    theta: Array,
    theta_cov: Array,
    amplitudes: Array,
    inverse: Array,
) -> xr.Dataset:
    shared = _shared_errors(problem, theta, theta_cov, amplitudes, inverse)
    whole = inverse + np.einsum("kip,kiq->ipq", shared, shared)
    # of a share a_p / sum: (delta_pq - share_p) / sum with each part q
    missing = (problem.weights == problem.weights.min(axis=0)).all(axis=0) & (problem.values == 0).all(axis=0)
    total = np.where(missing, 1.0, amplitudes.sum(axis=1))
    share = amplitudes / total[:, None]
    slopes = (np.eye(len(names)) - share[:, :, None]) / total[:, None, None]
    share_sd = np.sqrt(np.einsum("ipq,iqr,ipr->ip", slopes, whole, slopes))
    told = (share_sd[:, 0] <= TOLD / np.sqrt(12)) & ~missing
    template = ordered.isel({over: 0}, drop=True)
    dims, shape = tuple(map(str, template.dims)), template.shape
    units, squared = str(ordered.attrs["units"]), _squared(ordered)
    apart = {"units": ""}
    coords = {**template.coords, "part": list(names)}

    def by_part(values: Array) -> Array:
        return np.where(missing[:, None], np.nan, values).T.reshape(len(names), *shape)

    free = [names[k] for k in problem.free]
    result = xr.Dataset(coords={**coords, "term": [f"response of {name}" for name in free]})
    result["part_map"] = (("part", *dims), by_part(amplitudes), {"units": units})
    result["part_map_var"] = (("part", *dims), by_part(np.einsum("ipp->ip", inverse)), {"units": squared})
    systematic = np.array([by_part(one) for one in shared]).reshape(len(free), len(names), *shape)
    result["part_map_systematic"] = (("term", "part", *dims), systematic, {"units": units})
    result["share"] = (("part", *dims), by_part(share), apart)
    result["share_sd"] = (("part", *dims), by_part(share_sd), apart)
    result["told"] = (dims, told.reshape(shape), apart)
    sd = np.zeros(len(names))
    sd[problem.free] = np.sqrt(np.diag(theta_cov))
    result["parameter"] = ("part", theta)
    result["parameter_sd"] = ("part", sd)
    correlation, inflation = _likeness(inverse[~missing])
    result.attrs = {
        "correlation": correlation,
        "inflation": inflation,
        "statement": _statement(told[~missing], inflation),
    }
    return result


def _shared_errors(problem: _Problem, theta: Array, theta_cov: Array, amplitudes: Array, inverse: Array) -> Array:
    """Change of the parts by one standard deviation of each independent combination of the free parameters."""
    if not problem.free:
        return np.zeros((0, *amplitudes.shape))
    moved = np.einsum("kcp,ip->kci", problem.slopes(theta), amplitudes)
    design = problem.design(theta)
    answer = -np.einsum("ipq,cq,ci,kci->kip", inverse, design, problem.weights, moved)
    return np.asarray(np.einsum("kl,kip->lip", np.linalg.cholesky(theta_cov), answer))


def _likeness(inverse: Array) -> tuple[float, float]:
    """Typical largest correlation between parts' errors, and inflation of an error by the others being unknown."""
    sd = np.sqrt(np.einsum("ipp->ip", inverse))
    correlation = inverse / (sd[:, :, None] * sd[:, None, :]) - np.eye(inverse.shape[1])
    alone = 1 / np.sqrt(np.einsum("ipp->ip", np.linalg.inv(inverse)))
    return float(np.median(np.abs(correlation).max(axis=(1, 2)))), float(np.median((sd / alone).max(axis=1)))


def _statement(told: Array, inflation: float) -> str:
    """Say whether the parts can be told apart."""
    share = f"in {told.mean():.0%} of the pixels"
    if told.mean() >= 0.5:
        return f"The parts are told apart {share}; not knowing the others makes errors {inflation:.1f} times larger."
    return (
        f"The parts cannot be told apart but {share}: their responses are so alike over these conditions that not "
        f"knowing the others makes errors {inflation:.1f} times larger. Widen the range, lower the noise, or state "
        "the activation energies or times."
    )
