"""Cycler records as CSV in the columns of the Battery Data Format (https://batterydataalliance.energy/specification).

The format does not fix the sign of a current. Here a positive current charges the cell.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from operando.errors import FileError, InputError
from operando.io.beside import written_beside
from operando.io.recorded import Array, reading
from operando.units import in_units

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = {
    "time": ("Test Time / s", "test_time_second", "s"),
    "current": ("Current / A", "current_ampere", "A"),
    "voltage": ("Voltage / V", "voltage_volt", "V"),
}
"""Preferred label, machine-readable name and unit of each column that is read; others are passed over."""


def read_cycler(path: Path) -> xr.Dataset:
    """Read current [A] and voltage [V] against the time [s] since the test began.

    Raises
    ------
    FileError
        If the file is missing or cut short, a column is missing or in another unit, a value is no finite number,
        or time runs backwards.
    """
    if not path.is_file():
        raise FileError(path, problem="there is no such file", remedy="Check the path.")
    with reading(path), path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.reader(file)
        header = [name.strip() for name in next(table, [])]
        places = {name: _place(path, header, name) for name in COLUMNS}
        rows = [row for row in table if row]
    values = {name: _values(path, rows, place, COLUMNS[name][0]) for name, place in places.items()}
    if not rows:
        raise FileError(path, problem="no rows below the header", remedy="Export the record again.")
    if (np.diff(values["time"]) < 0).any():
        line = int(np.argmax(np.diff(values["time"]) < 0)) + 3
        raise FileError(path, problem=f"time runs backwards in line {line}", remedy="Give each test its own file.")
    return _record(**values)


def write_cycler(path: Path, record: xr.Dataset) -> None:
    """Write a record with ``current`` and ``voltage`` along ``time``, in any unit of the right dimension."""
    for name in COLUMNS:
        if name not in record.variables:
            raise InputError("record", must=f"a dataset with {', '.join(COLUMNS)}", received=list(record.variables))
    columns = [in_units(record[name], unit=unit, name=name).values for name, (_, _, unit) in COLUMNS.items()]
    with written_beside(path) as beside, beside.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(label for label, _, _ in COLUMNS.values())
        table.writerows(zip(*(map(repr, map(float, column)) for column in columns), strict=True))


def _record(*, time: Array, current: Array, voltage: Array) -> xr.Dataset:
    return xr.Dataset(
        {"current": ("time", current, {"units": "A"}), "voltage": ("time", voltage, {"units": "V"})},
        coords={"time": ("time", time, {"units": "s"})},
    )


def _place(path: Path, header: list[str], name: str) -> int:
    label, machine_name, unit = COLUMNS[name]
    for place, given in enumerate(header):
        if given in (label, machine_name):
            return place
    quantity = label.partition(" / ")[0].lower()
    near = [given for given in header if given.partition("/")[0].strip().lower() == quantity]
    if near:
        raise FileError(path, problem=f'column "{near[0]}" is not in {unit}', remedy=f'Convert it to "{label}".')
    raise FileError(path, problem=f'no column "{label}"', remedy="Export it in the Battery Data Format.")


def _values(path: Path, rows: list[list[str]], place: int, label: str) -> Array:
    values = np.empty(len(rows))
    for i, row in enumerate(rows):
        try:
            values[i] = float(row[place])
        except (IndexError, ValueError):
            values[i] = np.nan
        if not np.isfinite(values[i]):
            shown = row[place][:20] if place < len(row) else "nothing"
            problem = f'"{label}" in line {i + 2} is {shown!r}, not a finite number'
            raise FileError(path, problem=problem, remedy="Remove or mend the line.")
    return values
