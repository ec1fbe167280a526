"""What a figure says and how far it may be wrong: counting noise, and named systematic terms, apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from operando.errors import InputError


@dataclass(frozen=True)
class Figure:
    """One number of a study's summary.

    Attributes
    ----------
    value:
        None where it could not be determined; `note` then says why.
    statistical:
        Standard deviation of what averages away, in `unit`.
    terms:
        Standard deviation or signed one-sigma shift by each named systematic cause, in `unit`.
    expected:
        What the value should be, where that is known.
    """

    name: str
    value: float | None
    unit: str
    statistical: float = 0.0
    terms: Mapping[str, float] = field(default_factory=dict)
    expected: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.value is None and not self.note:
            raise InputError(
                f"figure {self.name}", must="explained by a note where it has no value", received="no note"
            )
        errors = {"statistical": self.statistical, **self.terms}
        for name, error in errors.items():
            if not math.isfinite(error) or (name == "statistical" and error < 0):
                raise InputError(f"{name} error of {self.name}", must="finite, and not negative", received=error)
        if self.value is not None and not math.isfinite(self.value):
            raise InputError(f"figure {self.name}", must="finite, or None with a note", received=self.value)

    @property
    def systematic(self) -> float:
        """All systematic terms in quadrature: they are independent of each other."""
        return combined(self.terms)

    @property
    def total(self) -> float:
        """Statistical and systematic error in quadrature."""
        return math.hypot(self.statistical, self.systematic)

    @property
    def pull(self) -> float | None:
        """Value less expectation over the total error; None where one of them is not known."""
        if self.value is None or self.expected is None or not self.total > 0:
            return None
        return (self.value - self.expected) / self.total

    def entry(self) -> dict[str, Any]:
        """Return this figure as ``summary.json`` holds it; `expected` and `note` only where there is one."""
        entry: dict[str, Any] = {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "statistical": self.statistical,
            "systematic": self.systematic,
        }
        if self.expected is not None:
            entry["expected"] = self.expected
        if self.note:
            entry["note"] = self.note
        return entry


def undetermined(*, name: str, unit: str, why: str) -> Figure:
    """Return a figure that is present without a value, and says why."""
    return Figure(name=name, value=None, unit=unit, note=why)


def combined(terms: Mapping[str, float]) -> float:
    """Independent terms in quadrature."""
    return math.hypot(*terms.values())


def systematic_from_nuisances(
    *, function: Callable[..., Any], nominal: Mapping[str, float], sigmas: Mapping[str, float]
) -> dict[str, Any]:
    """Shift of a result by one standard deviation of each uncertain input, ``(g(p + s) - g(p - s)) / 2``.

    Signs are kept, so that two results computed with the same nuisances keep their correlation.

    Parameters
    ----------
    function:
        Takes the inputs by name and returns a number or an array.
    nominal:
        Every input of `function`.
    sigmas:
        Standard deviations of the uncertain ones, independent and Gaussian.

    Raises
    ------
    InputError
        If a standard deviation is negative, not finite, or of an input that `function` does not take.
    """
    shifts = {}
    for name, sigma in sigmas.items():
        if name not in nominal:
            raise InputError("sigmas", must=f"of the inputs {', '.join(nominal)}", received=name)
        if not (math.isfinite(sigma) and sigma >= 0):
            raise InputError(f"sigma of {name}", must="finite, zero or more", received=sigma)
        above, below = (function(**{**nominal, name: nominal[name] + sign * sigma}) for sign in (1, -1))
        shifts[name] = (above - below) / 2
    return shifts
