"""Stacks of frames that lie in numbered files: found, ordered, counted, and read a block of rows at a time."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from operando.errors import FileError
from operando.io.recorded import Array

MAX_FILES = 100_000


@dataclass(frozen=True)
class Page:
    """One stored frame.

    Attributes
    ----------
    read:
        Reads a block of its rows.
    """

    path: Path
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    read: Callable[[slice], Array]


def frames_of(pages: list[Page], rows: slice) -> Array:
    """Read the same rows of every page into ``(frame, row, column)``."""
    first = pages[0]
    frames = np.empty((len(pages), rows.stop - rows.start, first.shape[1]), first.dtype)
    for frame, page in zip(frames, pages, strict=True):
        frame[...] = page.read(rows)
    return frames


def check_alike(pages: list[Page], like: Page) -> None:
    """Refuse pages whose shape or type differs from that of `like`."""
    for page in pages:
        if (page.shape, page.dtype) != (like.shape, like.dtype):
            raise FileError(
                page.path,
                problem=f"{page.shape} pixels of {page.dtype}, but {like.path.name} has {like.shape} of {like.dtype}",
                remedy="All frames of a scan come from one camera with one setting.",
            )


def numbered_files(folder: Path, pattern: str, *, role: str) -> list[Path]:
    """Find the files of a pattern below `folder`, in the order of their numbers.

    Raises
    ------
    FileError
        If there are none, or a number is missing in their sequence.
    """
    names = glob.glob(str(folder / pattern))  # noqa: PTH207 (Path.glob takes no absolute pattern)
    files = sorted((Path(name) for name in names if Path(name).is_file()), key=_natural)
    if not files or len(files) > MAX_FILES:
        raise FileError(
            folder / pattern, problem=f"{len(files)} files match the pattern of {role}", remedy="Check the pattern."
        )
    missing = _first_gap([_numbers(file) for file in files])
    if missing is not None:
        raise FileError(
            folder / pattern, problem=f"number {missing} of {role} is missing", remedy="Copy the missing file."
        )
    return files


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Order by which scan_9 comes before scan_10."""
    parts = re.split(r"(\d+)", path.name)
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path.stem)]


def _first_gap(numbers: list[list[int]]) -> int | None:
    """First number missing where one counter runs through the names in even steps; None where nothing is missing."""
    if len({len(found) for found in numbers}) != 1 or len(numbers) < 3:
        return None
    table = np.array(numbers, dtype=object)
    counters = [column for column in table.T if len(set(column)) > 1]
    if len(counters) != 1:
        return None
    steps = np.diff(counters[0])
    step = min(steps)
    if all(s == step for s in steps):
        return None
    return int(counters[0][int(np.argmax(steps != step))] + step)
