"""What a described number can be at all."""

from __future__ import annotations

from operando.errors import InputError
from operando.units import Measured


def positive(given: Measured) -> Measured:
    """Return a number above zero."""
    return _within(given, given.value > 0, "above zero")


def not_negative(given: Measured) -> Measured:
    """Return a number that is zero or more."""
    return _within(given, given.value >= 0, "zero or more")


def share(given: Measured) -> Measured:
    """Return a share of a whole, which may be none or all of it."""
    return _within(given, 0 <= given.value <= 1, "between 0 and 1 (100 %)")


def fraction(given: Measured) -> Measured:
    """Return a fraction that leaves something over."""
    return _within(given, 0 <= given.value < 1, "zero or more and below 1 (100 %)")


def _within(given: Measured, holds: bool, must: str) -> Measured:
    if not holds:
        raise InputError("quantity", must=must, received=f"{given.value:g}")
    return given
