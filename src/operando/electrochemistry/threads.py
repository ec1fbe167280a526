"""Compiled kernels shared out among threads that wait without spinning: a busy machine costs them only its share."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

WORTH_A_THREAD = 100_000
"""Voxels for which another thread pays."""


@cache
def threads() -> int:
    """Threads to use: ``OMP_NUM_THREADS``, or one for each core."""
    return int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)))


def edges(count: int, *, work: int) -> list[int]:
    """Where the shares of the threads begin and end, of `count` things that take `work` voxels in all."""
    parts = min(threads(), count, 1 + work // WORTH_A_THREAD)
    return [count * part // parts for part in range(parts + 1)]


def shared_out(kernel: Callable[..., Any], count: int, work: int, *args: Any) -> list[Any]:
    """Run ``kernel(start, stop, *args)`` on all shares, as `edges` cuts them; returns what it returned for each.

    The kernel has to release the interpreter's lock.
    """
    first, *others = pairwise(edges(count, work=work))
    running = [_pool().submit(kernel, *share, *args) for share in others]
    return [kernel(*first, *args), *(share.result() for share in running)]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(threads() - 1, 1))
