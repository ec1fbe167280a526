"""Grids of a field in text: a table with columns x, y and field, or a plain matrix; CSV and Qudi's ``.dat``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import isinf
from pathlib import Path

import numpy as np
import xarray as xr

from operando.errors import FileError, InputError
from operando.io.grid import Stated, even, field_dataset, field_from_array
from operando.io.recorded import Array, reading
from operando.units import quantity

MAX_BYTES = 1_000_000_000
"""Largest text read."""

_BETWEEN = re.compile(r"\s*[\t,;]\s*|\s+")
"""What separates numbers."""

_TITLE = re.compile(r"^(?P<name>.*?)\s*(?:[(\[](?P<unit>[^)\]]*)[)\]]|/\s*(?P<slashed>\S+))?$")
"""``x position (m)``, ``x [um]`` or ``x / um``."""

_RANGE = re.compile(
    r"^(?P<axis>[XY]) image (?P<end>min|max)(?:imum)?\s*(?:\((?P<unit>\w+)\))?\s*:\s*(?P<value>\S+)$", re.I
)
"""Qudi's parameters of a scanned image, ``X image min (m): -1e-6``."""


@dataclass(frozen=True)
class TextTable:
    """Numbers in lines of equal length, below a header.

    Attributes
    ----------
    header:
        Lines above the numbers, without their comment sign.
    titles:
        One for each column, from the header's last line; empty where that names no columns.
    ended:
        Whether the last line is; one that is not may have been cut within its last number.
    """

    header: tuple[str, ...]
    titles: tuple[str, ...]
    values: Array
    ended: bool


def read_text_map(path: Path, *, stated: Stated) -> xr.Dataset:
    """Read a field map from CSV or a Qudi ``.dat`` file.

    A table whose columns are titled x and y, with units, places every pixel itself, and shows by its last pixel that it
    is whole. A plain matrix takes its pixel from Qudi's ``X image min`` and ``max``, or from what is stated; its rows
    run along y, from where `first_row` says, and its last line has to be ended.

    Raises
    ------
    FileError
        If the file is damaged, cut short, or its points leave holes in the grid.
    InputError
        If pixel, unit or column are stated neither in the file nor by the caller.
    """
    table = read_table(path)
    names = [_split(title)[0].lower() for title in table.titles]
    places = [next((i for i, name in enumerate(names) if re.match(rf"{axis}\b", name)), None) for axis in "xy"]
    if places[0] is not None and places[1] is not None:
        return _map_from_columns(path, table, places[0], places[1], stated)
    if not table.ended:
        raise FileError(path, problem="its last line is not ended: cut short", remedy="Copy it again.")
    ends = _image_ends(path, table.header)
    if ends is None or stated.pixel is not None:
        return field_from_array(path, table.values, stated=stated)
    y, x = (np.linspace(*ends[axis], n) for axis, n in zip("yx", table.values.shape, strict=True))
    values = table.values[::-1] if stated.first_row == "top" else table.values
    return field_dataset(path, values, stated=stated, unit=None, y=even(path, y, "y"), x=even(path, x, "x"))


def read_table(path: Path) -> TextTable:
    """Read lines of numbers, separated by tabs, commas, semicolons or spaces, below any header.

    Raises
    ------
    FileError
        If the file is missing or too large, lines differ in length, a number is infinite, or numbers are separated by
        commas here and otherwise there, so that a comma may be a decimal point.
    """
    if not path.is_file():
        raise FileError(path, problem="there is no such file", remedy="Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise FileError(path, problem="too large for a table", remedy="Export the map as HDF5.")
    with reading(path):
        text = path.read_text(encoding="utf-8-sig")
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if _numbers(line) is not None), None)
    if first is None:
        raise FileError(path, problem="holds no line of numbers", remedy="Copy it again from the instrument.")
    _check_separators(path, lines[first:], first + 1)
    rows: list[list[float]] = []
    for number, line in enumerate(lines[first:], start=first + 1):
        if not line.strip():
            continue
        row = _numbers(line)
        if row is None or (rows and len(row) != len(rows[0])):
            said = "no row of numbers" if row is None else f"{len(row)} numbers, not {len(rows[0])}"
            raise FileError(path, problem=f"line {number} holds {said}", remedy="Copy it again from the instrument.")
        if any(isinf(value) for value in row):
            problem = f"line {number} holds a number that is infinite or too large"
            raise FileError(path, problem=problem, remedy="Write nan where a pixel is missing.")
        rows.append(row)
    header = tuple(line.lstrip("#").strip() for line in lines[:first] if line.strip())
    values = np.array(rows, dtype=float)
    titles = tuple(part.strip().strip('"') for part in re.split(r"[\t,;]", header[-1])) if header else ()
    return TextTable(header, titles if len(titles) == values.shape[1] else (), values, text.endswith(("\n", "\r")))


def _check_separators(path: Path, lines: list[str], first: int) -> None:
    """Refuse numbers that are separated by commas here and otherwise there: a comma may be a decimal point."""
    known = ""
    for number, line in enumerate(lines, start=first):
        for separator in _BETWEEN.findall(line.strip()):
            found = separator.strip() or " "
            known = known or found
            if found != known:
                problem = f'line {number} separates numbers by "{found}", and by "{known}" before'
                raise FileError(path, problem=problem, remedy="Write decimal points, and one kind of separator.")


def _numbers(line: str) -> list[float] | None:
    if line.lstrip().startswith("#") or not line.strip():
        return None
    try:
        return [float(part) for part in _BETWEEN.split(line.strip())]
    except ValueError:
        return None


def _split(title: str) -> tuple[str, str | None]:
    """Name and unit of a column."""
    match = _TITLE.match(title.strip())
    return (title, None) if match is None else (match["name"], match["unit"] or match["slashed"])


def _map_from_columns(path: Path, table: TextTable, x: int, y: int, stated: Stated) -> xr.Dataset:
    column = _value_column(path, table, stated)
    along = [_along(path, table, i) for i in (y, x)]
    axes = [even(path, _levels(values), name) for name, values in zip("yx", along, strict=True)]
    row, rank = (np.rint((v - a[0]) / (a[1] - a[0])).astype(int) for a, v in zip(axes, along, strict=True))
    number = row * axes[1].size + rank
    if np.unique(number).size != number.size or number.size != axes[0].size * axes[1].size:
        problem = f"{number.size} points do not fill a grid of {axes[0].size} x {axes[1].size} once each"
        raise FileError(path, problem=problem, remedy="Was the scan interrupted, or the file cut short?")
    values = np.empty(number.size)
    values[number] = table.values[:, column]
    notes = []
    if not table.ended:
        values[number[-1]] = np.nan
        notes.append(f"{path.name}: its last line is not ended; its last pixel, which may be cut, is left out")
    grid = values.reshape(axes[0].size, axes[1].size)
    unit = _split(table.titles[column])[1]
    return field_dataset(path, grid, stated=stated, unit=unit, y=axes[0], x=axes[1], notes=notes)


def _value_column(path: Path, table: TextTable, stated: Stated) -> int:
    names = [_split(title)[0] for title in table.titles]
    others = [i for i, name in enumerate(names) if not re.match(r"[xyz]\b", name, re.I)]
    if stated.variable is not None:
        found = [i for i in others if stated.variable in (names[i], table.titles[i])]
    else:
        found = others
    if len(found) != 1:
        known = ", ".join(names[i] for i in others) or "none"
        received = stated.variable or f"{len(others)} columns beside the coordinates"
        raise InputError(f"variable of {path.name}", must=f"one of its columns {known}", received=received)
    return found[0]


def _along(path: Path, table: TextTable, column: int) -> Array:
    unit = _split(table.titles[column])[1]
    if not unit:
        problem = f'column "{table.titles[column]}" has no unit'
        raise FileError(path, problem=problem, remedy='Title it such as "x (um)".')
    scale = quantity(f"1 {unit}", unit="m", name=f"{table.titles[column]} of {path.name}")
    return np.asarray(scale * table.values[:, column])


def _levels(values: Array) -> Array:
    """Distinct values of a coordinate, those closer than a thousandth of the mean step taken together."""
    ordered = np.unique(values)
    if ordered.size < 2:
        return ordered
    apart = np.diff(ordered)
    return np.asarray(ordered[np.concatenate([[True], apart > 1e-3 * apart.max()])])


def _image_ends(path: Path, header: tuple[str, ...]) -> dict[str, tuple[float, float]] | None:
    """First and last coordinate of a scanned image [m], from Qudi's parameters; None where they are not there."""
    found: dict[tuple[str, str], float] = {}
    for line in header:
        match = _RANGE.match(line)
        if match is not None and match["unit"]:
            with reading(path):
                value = float(match["value"])
            unit = quantity(f"1 {match['unit']}", unit="m", name=f"{match['axis']} image of {path.name}")
            found[match["axis"].lower(), match["end"].lower()] = value * unit
    if len(found) < 4:
        return None
    return {axis: (found[axis, "min"], found[axis, "max"]) for axis in "xy"}
