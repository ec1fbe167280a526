"""Values recorded over time, read at any time between."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from operando.frames import Array


def values_at(time: float, *, record: Any, times: Array) -> list[Array]:
    """Interpolate every field of a dataclass of series over `times`, held before the first and after the last."""
    last = len(times) - 1
    where = float(np.interp(time, times, np.arange(last + 1)))
    lower = min(int(where), last - 1)
    weight = where - lower
    series = (getattr(record, field.name) for field in fields(record))
    return [(1 - weight) * values[lower] + weight * values[lower + 1] for values in series]
