"""Numbers as people read them: a value rounded to what its errors allow, and units in print."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from operando.errors import InputError

NOT_DETERMINED = "not determined"

_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LARGEST_PLAIN, _SMALLEST_PLAIN = 1e5, 1e-3


def unit_text(unit: str) -> str:
    """Unit as it is printed: ``1/cm`` becomes ``cm⁻¹``, ``um`` becomes ``µm``, ``mol/m^3`` becomes ``mol/m³``."""
    text = re.sub(r"^1/([A-Za-zµμΩ%°]+)(?:\^(\d))?$", lambda m: f"{m[1]}^-{m[2] or 1}", unit)
    text = re.sub(r"\^(-?\d+)", lambda m: m[1].translate(_SUPERSCRIPT), text)
    text = re.sub(r"\bu(?=(?:m|A|V|T|s|mol|g|L)\b)", "µ", text)
    return re.sub(r"\bdeg\b", "°", text).replace("*", " ")


def decimals_of(error: float) -> int:
    """Decimals that an error deserves: two digits up to 3.54, else one (the Particle Data Group's rule).

    Negative where the last digit that counts stands left of the point.

    Raises
    ------
    InputError
        If the error is not a positive number.
    """
    if not (math.isfinite(error) and error > 0):
        raise InputError("error", must="a positive number", received=error)
    exponent = math.floor(math.log10(error))
    mantissa = error / 10.0**exponent
    return -exponent + (1 if mantissa < 3.545 else 0)


def value_text(
    *, value: float | None, unit: str = "", statistical: float | None = None, systematic: float | None = None
) -> str:
    """Write a value with its errors, ``72.8 ± 0.4 (stat) ± 1.9 (sys) %``.

    The value keeps the digits of its smaller error, though never more than one beyond those of its larger one;
    an error smaller than that keeps one digit of its own. An error of zero, or none, is left out.

    Raises
    ------
    InputError
        If an error is negative.
    """
    if value is None or math.isnan(value):
        return NOT_DETERMINED
    errors = {"stat": _error(statistical, "statistical"), "sys": _error(systematic, "systematic")}
    errors = {name: error for name, error in errors.items() if error > 0}
    exponent = _common_exponent(max(abs(value), *errors.values(), 0.0))
    scale = 10.0**-exponent
    decimals = _value_decimals(value * scale, [error * scale for error in errors.values()])
    number = _fixed(value * scale, decimals)
    parts = [number if errors or "." not in number else number.rstrip("0").rstrip(".")]
    parts += [
        f"± {_fixed(error * scale, _error_decimals(error * scale, decimals))} ({name})"
        for name, error in errors.items()
    ]
    text = " ".join(parts)
    if exponent:
        power = f"10{str(exponent).translate(_SUPERSCRIPT)}"
        text = f"({text}) × {power}" if errors else f"{text} × {power}"
    return f"{text} {unit_text(unit)}".rstrip()


def deviation(quantity: Mapping[str, Any]) -> float | None:
    """Value less expectation over the total standard deviation; None where one of them is not known.

    Statistical and systematic errors are independent: the total is the root of the sum of their squares.
    """
    value, expected = quantity.get("value"), quantity.get("expected")
    total = math.hypot(quantity.get("statistical") or 0.0, quantity.get("systematic") or 0.0)
    if value is None or expected is None or not total > 0:
        return None
    return (float(value) - float(expected)) / total


def _error(error: float | None, name: str) -> float:
    if error is None or math.isnan(error):
        return 0.0
    if error < 0 or math.isinf(error):
        raise InputError(f"{name} error", must="a finite number that is not negative", received=error)
    return error


def _common_exponent(largest: float) -> int:
    plain = largest == 0 or _SMALLEST_PLAIN <= largest < _LARGEST_PLAIN or math.isinf(largest)
    return 0 if plain else math.floor(math.log10(largest))


def _value_decimals(value: float, errors: list[float]) -> int:
    if errors:
        wanted = [decimals_of(error) for error in errors]
        return min(max(wanted), min(wanted) + 1)
    return 3 if value == 0 or math.isinf(value) else 3 - math.floor(math.log10(abs(value)))


def _error_decimals(error: float, decimals: int) -> int:
    return max(decimals, -math.floor(math.log10(error)))


def _fixed(value: float, decimals: int) -> str:
    rounded = round(value, decimals) if math.isfinite(value) else value
    return f"{rounded + 0.0:.{max(decimals, 0)}f}".replace("-", "−")


def aligned(lines: Sequence[tuple[str, str]]) -> list[str]:
    """Names and values in two columns."""
    width = max(len(name) for name, _ in lines)
    return [f"{name:<{width}}  {value}" for name, value in lines]
