"""Kernels run on the planes of a volume, shared out among threads."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

WORTH_A_THREAD = 100_000
"""Voxels for which another thread pays."""


def over_planes(kernel: Callable[..., Any], shape: tuple[int, ...], *args: Any) -> list[Any]:
    """Run ``kernel(start, stop, *args)`` on all planes; returns what it returned for each share.

    Kernels release the interpreter's lock. There are as many threads as `OMP_NUM_THREADS` says.
    """
    edges = edges_of_shares(shape)
    if len(edges) == 2:
        return [kernel(0, shape[0], *args)]
    first, *others = pairwise(edges)
    running = [_pool().submit(kernel, *share, *args) for share in others]
    return [kernel(*first, *args), *(share.result() for share in running)]


@lru_cache(maxsize=256)
def edges_of_shares(shape: tuple[int, ...]) -> list[int]:
    """Planes at which the shares of the threads begin and end."""
    parts = min(_threads(), shape[0], 1 + math.prod(shape) // WORTH_A_THREAD)
    return [shape[0] * part // parts for part in range(parts + 1)]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(_threads() - 1, 1))


@cache
def _threads() -> int:
    return int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)))
