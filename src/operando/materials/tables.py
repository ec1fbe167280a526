"""Data tables that lie beside the code, one CSV each, with a source in every row."""

from __future__ import annotations

import csv
from importlib.resources import files


def rows_from_table(name: str) -> list[dict[str, str]]:
    """Read the table `name` (a CSV beside this module) into one mapping per row."""
    text = files(__package__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
