"""Quantities as people write them, and unit checks at every public boundary.

Inside the package all numbers are SI. People write ``"0.40 mA/cm^2"`` or ``"1.87 +- 0.02 g/cm^3"``; a number
without its unit is refused, as is a unit of another dimension.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from operando.errors import UnitError

if TYPE_CHECKING:
    import pint
    import xarray as xr

    Labelled = TypeVar("Labelled", xr.DataArray, xr.Variable)

FARADAY = 96485.33212
"""Charge of one mole of electrons [C/mol], to the digits of the SI of 2019."""

MAX_LENGTH = 80
"""Longest text read as a quantity; pint would spend seconds on hostile text."""

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?"
_QUANTITY = re.compile(
    rf"^\s*(?P<value>{_NUMBER})\s*(?:(?:\+-|\+/-|±)\s*(?P<sigma>{_NUMBER})\s*)?(?P<unit>[A-Za-zµμΩ%°].*|1/.*|)\s*$"
)
_UNIT = re.compile(r"^(?:1/)?[A-Za-zµμΩ%°]+(?:\^-?\d)?(?:[*/ ][A-Za-zµμΩ%°]+(?:\^-?\d)?)*$")


@dataclass(frozen=True)
class Measured:
    """A value with one standard deviation, both in the same SI unit."""

    value: float
    sigma: float = 0.0

    @property
    def relative(self) -> float:
        """Standard deviation over value (dimensionless)."""
        return abs(self.sigma / self.value) if self.value else float("inf")


def measured(text: str | Measured, *, unit: str, name: str) -> Measured:
    """Read a quantity with an optional uncertainty.

    Parameters
    ----------
    text:
        For example ``"1.87 +- 0.02 g/cm^3"``; ``±`` and ``+/-`` are read too.
    unit:
        The SI unit wanted, for example ``"kg/m^3"``; ``""`` for a dimensionless number.
    name:
        What the quantity is called in a refusal.

    Raises
    ------
    UnitError
        If the text is no quantity, its unit is unknown, or of another dimension than `unit`.
    """
    if isinstance(text, Measured):
        return text
    match = _QUANTITY.match(text) if isinstance(text, str) and len(text) <= MAX_LENGTH else None
    if match is None:
        raise UnitError(name, must=f'a number with a unit, such as "1 {unit or "%"}"', received=text)
    scale, offset = _to_base(match["unit"].strip(), unit, name, text)
    sigma = float(match["sigma"] or 0.0)
    if sigma < 0:
        raise UnitError(name, must="given with an uncertainty that is not negative", received=text)
    return Measured(float(match["value"]) * scale + offset, sigma * abs(scale))


def quantity(text: str | Measured, *, unit: str, name: str) -> float:
    """Read a quantity and return its value in `unit`; see `measured`."""
    return measured(text, unit=unit, name=name).value


def in_units(array: Labelled, *, unit: str, name: str) -> Labelled:
    """Return a labelled array in `unit`, converted where its ``units`` attribute says another of the same dimension.

    Raises
    ------
    UnitError
        If the array carries no ``units``, or units of another dimension.
    """
    given = array.attrs.get("units")
    if not isinstance(given, str):
        raise UnitError(name, must=f"labelled with units ({unit or 'dimensionless'})", received="no units attribute")
    if given == unit:
        return array
    scale, offset = _to_base(given, unit, name, given)
    converted = array * scale + offset
    converted.attrs = {**array.attrs, "units": unit}
    return converted


@cache
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    return pint.UnitRegistry(cache_folder=None)


@cache
def _to_base(given: str, unit: str, name: str, received: str) -> tuple[float, float]:
    """Scale and offset that turn a number in `given` into one in `unit`."""
    import pint

    if given == unit:
        return 1.0, 0.0
    if given and not _UNIT.match(given):
        raise UnitError(
            name,
            must=f"in units of {unit or '1'}",
            received=received,
            remedy='Write a unit such as "mA/cm^2".',
        )
    registry = _registry()
    try:
        zero = registry.Quantity(0.0, given or "dimensionless").to(unit or "dimensionless").magnitude
        one = registry.Quantity(1.0, given or "dimensionless").to(unit or "dimensionless").magnitude
    except pint.DimensionalityError as error:
        raise UnitError(
            name,
            must=f"in units of {unit or '1'}",
            received=received,
            remedy=f"{given or 'A plain number'} measures something else.",
        ) from error
    except (pint.UndefinedUnitError, AttributeError, ValueError, TypeError) as error:
        raise UnitError(
            name, must=f"in units of {unit or '1'}", received=received, remedy="No such unit is known."
        ) from error
    return float(one - zero), float(zero)
