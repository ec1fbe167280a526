"""Kernels run on the planes of a volume, shared out among threads."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from operando.electrochemistry.threads import edges, shared_out


def over_planes(kernel: Callable[..., Any], shape: tuple[int, ...], *args: Any) -> list[Any]:
    """Run ``kernel(start, stop, *args)`` on all planes; returns what it returned for each share."""
    return shared_out(kernel, shape[0], math.prod(shape), *args)


@lru_cache(maxsize=256)
def edges_of_shares(shape: tuple[int, ...]) -> list[int]:
    """Planes at which the shares of the threads begin and end."""
    return edges(shape[0], work=math.prod(shape))
