"""Files that appear whole or not at all: written beside their final place, then renamed."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from operando.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Iterator

UNFINISHED = ".unfinished"
"""Suffix of what a writer has not finished; readers pass over it."""


def unfinished(path: Path) -> Path:
    """Where a file is written until it is whole: a hidden neighbour of `path`."""
    return path.with_name(f".{path.name}{UNFINISHED}")


def publish(path: Path) -> None:
    """Bring the neighbour of `path` to the disk and give it its final name in one step."""
    with unfinished(path).open("rb") as file:
        os.fsync(file.fileno())
    unfinished(path).replace(path)


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Give a path to write to; it takes its final name once the block has ended well, and is removed otherwise.

    Raises
    ------
    FileError
        If the folder is missing.
    """
    check_folder(path)
    try:
        yield unfinished(path)
        publish(path)
    finally:
        unfinished(path).unlink(missing_ok=True)


def check_folder(path: Path) -> None:
    """Refuse to write into a folder that does not exist."""
    if not path.parent.is_dir():
        raise FileError(path, problem=f"there is no folder {path.parent}", remedy="Make it first.")
