"""Parameters from measured sums and prior knowledge, with what each source of error does to each of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from operando.errors import InputError, RunError
from operando.units import Measured

Array = npt.NDArray[Any]

Values = Mapping[str, float]


@dataclass(frozen=True)
class Posterior:
    """Parameters after the data, linear in every source of error.

    Attributes
    ----------
    values:
        Each parameter.
    shifts:
        What one standard deviation of each source, a prior or a measured sum, does to each parameter. Sources are
        independent, so that errors of anything that follows add in quadrature over them.
    prior:
        Standard deviation of each parameter before the data.
    chi2, degrees:
        Misfit of priors and data together, and how many data there were.
    """

    values: Values
    shifts: Mapping[str, Values]
    prior: Values
    chi2: float
    degrees: int

    def sigma(self, name: str) -> float:
        """Standard deviation of a parameter."""
        return math.hypot(*(shift[name] for shift in self.shifts.values()))

    def told(self, name: str) -> bool:
        """Whether the data say more of a parameter than was known: half its prior width or less is left."""
        return self.sigma(name) <= 0.5 * self.prior[name]

    def shifts_of(self, function: Callable[..., float]) -> dict[str, float]:
        """What one standard deviation of each source does to a function of the parameters."""
        return {
            source: (self._moved(function, shift, 1.0) - self._moved(function, shift, -1.0)) / 2
            for source, shift in self.shifts.items()
        }

    def _moved(self, function: Callable[..., float], shift: Values, sign: float) -> float:
        return float(function(**{name: value + sign * shift[name] for name, value in self.values.items()}))


def posterior_from_measured(
    *,
    priors: Mapping[str, Measured],
    measured: Mapping[str, Measured],
    predicted: Callable[..., Mapping[str, float]],
    iterations: int = 8,
) -> Posterior:
    """Combine Gaussian priors with measured sums by Gauss-Newton steps.

    ``theta = argmin sum ((theta_k - p_k) / s_k)^2 + sum ((m_j(theta) - y_j) / s_j)^2``

    Parameters
    ----------
    priors:
        Of every parameter; one with sigma zero is kept.
    measured:
        Sums that were measured, with their own independent errors.
    predicted:
        Takes the parameters by name and returns every measured sum.

    Raises
    ------
    InputError
        If a measured sum has no error of its own.
    RunError
        If the steps do not settle.
    """
    for name, value in measured.items():
        if not (value.sigma > 0 and math.isfinite(value.value)):
            raise InputError(name, must="finite, with an error above zero", received=value)
    free = [name for name, prior in priors.items() if prior.sigma > 0]
    values = {name: prior.value for name, prior in priors.items()}
    width = np.array([priors[name].sigma for name in free])
    noise = np.array([value.sigma for value in measured.values()])
    step = np.inf
    for _ in range(iterations):
        slopes = _slopes(predicted, values, free, width, list(measured)) / noise[:, None]
        now = predicted(**values)
        misfit = np.array([(measured[name].value - now[name]) for name in measured]) / noise
        prior_misfit = np.array([priors[name].value - values[name] for name in free]) / width
        design = np.vstack([np.eye(len(free)), slopes])
        pull = np.concatenate([prior_misfit, misfit])
        gain = np.linalg.solve(design.T @ design, design.T)
        change = gain @ pull
        for name, by in zip(free, change * width, strict=True):
            values[name] += float(by)
        step = float(np.abs(change).max(initial=0.0))
    if not step < 1e-3:
        raise RunError("The references do not fit the cell's description: the calibration did not settle.")
    sources = [*free, *measured]
    shifts = {
        source: dict.fromkeys(priors, 0.0) | dict(zip(free, (gain[:, k] * width).tolist(), strict=True))
        for k, source in enumerate(sources)
    }
    residual = pull - design @ change
    return Posterior(
        values=values,
        shifts=shifts,
        prior={name: prior.sigma for name, prior in priors.items()},
        chi2=float(residual @ residual),
        degrees=len(measured),
    )


def _slopes(
    predicted: Callable[..., Mapping[str, float]], values: Values, free: list[str], width: Array, names: list[str]
) -> Array:
    """Change of each sum by one prior standard deviation of each free parameter, ``(sum, parameter)``."""
    columns = []
    for name, sigma in zip(free, width, strict=True):
        above, below = (predicted(**{**values, name: values[name] + sign * 0.1 * sigma}) for sign in (1, -1))
        columns.append([(above[key] - below[key]) / 0.2 for key in names])
    return np.array(columns).reshape(len(free), len(names)).T
