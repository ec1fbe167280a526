"""Fields, lengths and times as people read them."""

from __future__ import annotations

import math


def _scaled(value: float, scales: tuple[tuple[float, str], ...]) -> str:
    size, unit = next((s for s in scales if abs(value) >= s[0] * 0.9995), scales[-1])
    return f"{value / size:.3g} {unit}"


def field_text(value: float) -> str:
    """Field [T] in mT to pT."""
    return _scaled(value, ((1e-3, "mT"), (1e-6, "uT"), (1e-9, "nT"), (1e-12, "pT")))


def length_text(value: float) -> str:
    """Length [m] in mm to nm."""
    return _scaled(value, ((1e-3, "mm"), (1e-6, "um"), (1e-9, "nm")))


def time_text(value: float) -> str:
    """Time [s] in milliseconds to years."""
    if not math.isfinite(value):
        return "never"
    years = 365.25 * 86400
    if value > 1000 * years:
        return "> 1000 years"
    return _scaled(value, ((years, "years"), (86400, "days"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms")))
