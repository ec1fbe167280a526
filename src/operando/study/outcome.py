"""What one road of a study hands to its report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from operando.lithium.budget import Figure

Picture = tuple[str, bytes, str]
"""Name, PNG file, caption."""


@dataclass(frozen=True)
class Outcome:
    """Numbers, pictures and warnings of one kind of measurement.

    Attributes
    ----------
    pictures:
        Drawn as they are asked for, once.
    fingerprint:
        Of everything they were made from.
    """

    figures: tuple[Figure, ...]
    pictures: Iterable[Picture]
    warnings: tuple[str, ...]
    fingerprint: str
