"""A study of simulated data held against the truth of its session. No stage of a study uses this."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from operando.electrochemistry.front import front_depth_from_profile


@dataclass(frozen=True)
class Compared:
    """One figure of a summary and what was true, in the figure's unit."""

    name: str
    unit: str
    estimate: float
    statistical: float
    systematic: float
    truth: float

    @property
    def error(self) -> float:
        """Both standard deviations combined."""
        return math.hypot(self.statistical, self.systematic)

    @property
    def pull(self) -> float:
        """Difference over the error."""
        return (self.estimate - self.truth) / self.error


def compared(results: Path, truth: Path) -> list[Compared]:
    """Hold every figure of a results folder that has a value and a truth against ``truth.json``."""
    summary = json.loads((results / "summary.json").read_text(encoding="utf-8"))
    true = true_figures(json.loads(truth.read_text(encoding="utf-8")), [f["name"] for f in summary["figures"]])
    return [
        Compared(
            name=figure["name"],
            unit=figure["unit"],
            estimate=figure["value"],
            statistical=figure["statistical"],
            systematic=figure["systematic"],
            truth=true[figure["name"]],
        )
        for figure in summary["figures"]
        if figure["value"] is not None and figure["name"] in true
    ]


def true_figures(truth: Mapping[str, Any], names: list[str]) -> dict[str, float]:
    """What the figures of these names should have been; those without a truth are left out."""
    scans, instrument = truth["scans"], truth["instrument"]
    layers = _thicknesses(truth["cell"])
    affine = np.array(instrument["xray_to_neutron"])
    before = _before_the_charge(scans)
    fixed = {
        "rotation axis, detector column": instrument["neutron"]["centre"],
        "rotation axis, tilt": math.degrees(instrument["neutron"]["tilt"]),
        "cathode thickness": 1e6 * layers["cathode"],
        "separator thickness": 1e6 * layers["separator"],
        "X-ray frame, turn about z": math.degrees(math.atan2(affine[1, 0], affine[0, 0])),
        "X-ray frame, true over stated voxel size": float(np.cbrt(np.linalg.det(affine[:3, :3]))),
        "separator, Li-6 fraction as assembled": 100 * before["separator"]["lithium6"] / before["separator"]["lithium"],
    }
    found = {}
    for name in names:
        timed = re.match(r"(?P<what>.+) at (?P<hours>[\d.]+) h$", name)
        if name in fixed:
            found[name] = float(fixed[name])
        elif timed:
            scan = min(scans, key=lambda s: abs(s["time"] / 3600 - float(timed["hours"])))
            value = _at(timed["what"], scan, before, truth["isotopes"], layers["cathode"])
            if value is not None:
                found[name] = value
    return found


def as_quantities(rows: list[Compared]) -> list[dict[str, Any]]:
    """Figures with their truth as what was expected, ready to be drawn."""
    return [
        {
            "name": row.name,
            "value": row.estimate,
            "unit": row.unit,
            "statistical": row.statistical,
            "systematic": row.systematic,
            "expected": row.truth,
        }
        for row in rows
    ]


def text_of(rows: list[Compared]) -> str:
    """Lay the comparison out as a table."""
    width = max(len(row.name) for row in rows)
    lines = [f"{'':{width}}  {'estimate':>10}  {'error':>9}  {'truth':>10}  {'unit':6}{'difference':>12}"]
    lines += [
        f"{row.name:{width}}  {row.estimate:10.4g}  {row.error:9.2g}  {row.truth:10.4g}  {row.unit:6}"
        f"{row.pull:+8.1f} sigma"
        for row in rows
    ]
    return "\n".join(lines)


def _before_the_charge(scans: list[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Mean lithium and Li-6 of each part over the scans before any charge, which is what an analysis starts from.

    Isotopes exchange from the moment that a cell is assembled.
    """
    before = [scan for scan in scans if scan["charge_passed"] == 0] or scans[:1]
    return {
        part: {key: float(np.mean([scan[part][key] for scan in before])) for key in ("lithium", "lithium6")}
        for part in ("cathode", "separator")
    }


def _at(
    what: str,
    scan: Mapping[str, Any],
    before: Mapping[str, Mapping[str, float]],
    fractions: Mapping[str, float],
    thickness: float,
) -> float | None:
    lost = before["cathode"]["lithium"] - scan["cathode"]["lithium"]
    lost6 = before["cathode"]["lithium6"] - scan["cathode"]["lithium6"]
    leaving = lost6 / lost if lost > 1e-9 * before["cathode"]["lithium"] else None
    extent = None
    if leaving is not None:
        extent = 100 * (fractions["active"] - leaving) / (fractions["active"] - fractions["mixture"])
    values = {
        "separator, Li-6 gained": 1e6 * (scan["separator"]["lithium6"] - before["separator"]["lithium6"]),
        "separator, mean Li-6 fraction": 100 * scan["separator"]["lithium6_fraction"],
        "cathode, mean lithiation": 100 * scan["lithiation"]["mean"],
        "Li-6 fraction of the lithium that left": None if leaving is None else 100 * leaving,
        "isotope exchange": extent,
        "cathode, front's distance from the separator": 1e6 * _front_depth(scan["lithiation"], thickness),
    }
    return values.get(what)


def _front_depth(lithiation: Mapping[str, Any], thickness: float) -> float:
    """Depth of the front [m]; nan where the delithiation nowhere falls to half: a depth found there is wrong."""
    depth = thickness - np.array(lithiation["z"])[::-1]
    lost = 1 - np.array(lithiation["profile"])[::-1]
    lost, depth = lost[depth > 0], depth[depth > 0]
    peak = int(np.argmax(lost))
    if not (lost[peak:] <= lost[peak] / 2).any():
        return math.nan
    return front_depth_from_profile(depth=depth, delithiation=lost)


def _thicknesses(cell: Mapping[str, Any]) -> dict[str, float]:
    area = math.pi / 4 * cell["body"]["inner_diameter"]["value"] ** 2
    cathode, electrolyte = cell["cathode"], cell["electrolyte"]["density"]["value"]
    weight = cathode["active_weight"]["value"]
    solid = weight / cathode["active"]["density"]["value"] + (1 - weight) / electrolyte
    return {
        "cathode": cathode["mass"]["value"] * solid / area / (1 - cathode["porosity"]["value"]),
        "separator": cell["separator"]["mass"]["value"]
        / electrolyte
        / area
        / (1 - cell["separator"]["porosity"]["value"]),
    }
