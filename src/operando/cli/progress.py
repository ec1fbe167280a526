"""Progress of long work: a bar with an estimate in a terminal, a line per unit elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how many units are done, and how many there are."""


@contextmanager
def progress() -> Iterator[Tell]:
    """Give a function to tell progress to."""
    if sys.stderr.isatty():
        yield from _bars()
    else:
        start = time.monotonic()
        yield lambda what, done, total: _line(what, done, total, time.monotonic() - start)


def _bars() -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield tell


def _line(what: str, done: int, total: int, elapsed: float) -> None:
    sys.stderr.write(f"{elapsed:7.1f} s  {what}: {done} of {total}\n")
    sys.stderr.flush()
