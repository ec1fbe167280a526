"""What a study found, as numbers: ``summary.json`` and the lines that the command prints."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from operando.io.beside import written_beside
from operando.report.numbers import NOT_DETERMINED, value_text

if TYPE_CHECKING:
    from operando.lithium.budget import Figure


@dataclass(frozen=True)
class Summary:
    """Numbers with their errors, and what the reader must know first."""

    study: str
    status: Literal["complete", "partial"]
    figures: tuple[Figure, ...]
    warnings: tuple[str, ...]
    report: Path

    def entry(self) -> dict[str, Any]:
        """Return what ``summary.json`` holds."""
        return {
            "study": self.study,
            "status": self.status,
            "figures": [figure.entry() for figure in self.figures],
            "warnings": list(self.warnings),
        }

    def text(self) -> str:
        """Lay the numbers out for a terminal."""
        width = max(len(figure.name) for figure in self.figures)
        lines = [f"{figure.name:<{width}}  {_value(figure)}" for figure in self.figures]
        return "\n".join([*lines, *(f"Warning: {warning}" for warning in self.warnings)])


def write_summary(path: Path, summary: Summary) -> None:
    """Write ``summary.json``."""
    with written_beside(path) as beside:
        beside.write_text(json.dumps(summary.entry(), indent=1) + "\n", encoding="utf-8")


def _value(figure: Figure) -> str:
    if figure.value is None:
        return f"{NOT_DETERMINED}: {figure.note}"
    text = value_text(
        value=figure.value, unit=figure.unit, statistical=figure.statistical, systematic=figure.systematic
    )
    return text if figure.expected is None else f"{text}, expected {figure.expected:.4g}"
