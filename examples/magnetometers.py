"""Figs. 5a and 5b of Pollok et al. 2025: ``python examples/magnetometers.py FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from paper_section import print_comparison

from operando.report.statements import add_statements
from operando.report.style import (
    BLUE,
    COLUMN,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    PURPLE,
    VERMILION,
    new_figure,
    png_bytes,
    styled,
)
from operando.twin.techniques import imaging_techniques, magnetometers, sensitivity_from_energy_resolution

TECHNIQUES = {
    "electrons": PURPLE,
    "scanning probes": GREEN,
    "light": ORANGE,
    "X-rays and neutrons": BLUE,
    "magnetic resonance": GREY,
    "magnetic microscopy": VERMILION,
}
SENSORS = {"NV": VERMILION, "SQUID": BLUE, "Hall": GREEN, "atoms": PURPLE}

SHORT = {
    "transmission electron microscopy": "TEM",
    "scanning electron microscopy": "SEM",
    "X-ray ptychographic tomography": "X-ray ptychography",
    "scanning transmission X-ray microscopy": "STXM",
    "nanoscale X-ray tomography": "nano-tomography",
    "laboratory X-ray tomography": "laboratory X-rays",
    "neutron tomography": "neutrons",
    "magnetic resonance imaging": "MRI",
    "electron paramagnetic resonance imaging": "EPR",
    "interferometric scattering microscopy": "interferometric light",
    "electrochemical strain microscopy": "ESM",
    "scanning electrochemical microscopy": "SECM",
    "magnetic force microscopy": "MFM",
    "single NV, ac, best in bulk diamond": "single NV, bulk, ac",
    "vapour cell, without spin exchange": "vapour cell, SERF",
    "SQUID with a coil of 45 mm": "SQUID, 45 mm",
    "scanning NV, pulsed": "pulsed",
}
"""Names as the field abbreviates them."""

PLACE = {
    "scanning SQUID": (-4, 2),
    "laboratory X-rays": (-4, 2),
    "neutrons": (-4, 2),
    "MRI": (4, -7),
    "SEM": (-4, 2),
    "MFM": (-4, 2),
    "STXM": (-4, -7),
    "ESM": (4, -7),
    "SECM": (4, -8),
    "interferometric light": (5, -2),
    "X-ray ptychography": (-4, 2),
    "scanning NV, gradiometry": (5, 3),
    "pulsed": (-4, -5),
    "SQUID on a tip": (5, -2),
    "SQUID susceptometer": (4, -8),
    "Hall cross, 77 K": (5, -2),
    "vapour cell": (4, 4),
    "single-domain condensate": (-4, -8),
    "vapour cell, SERF": (-4, -8),
    "SQUID, 45 mm": (-1, 5),
}
"""Where a name stands beside its mark [points]; to the left where the first number is negative."""


@styled
def technique_figure() -> Figure:
    """Draw field of view against resolution; open marks are inferred."""
    figure = new_figure(width=1.35 * COLUMN, height=95)
    axes = figure.subplots()
    size = np.array([1e-11, 1.0])
    for details in (1e1, 1e2, 1e3, 1e4):
        axes.plot(size, details * size, color=PALE, linewidth=0.8, zorder=1)
        if details > 10:
            axes.text(
                1 / details, 1.1, f"{details:,.0f}".replace(",", " "), color=GREY, fontsize=6, ha="center", va="bottom"
            )
    axes.text(1e-5, 1.1, "details across a field:", color=GREY, fontsize=6, ha="right", va="bottom")
    for technique in imaging_techniques():
        colour, open_mark = TECHNIQUES[technique.family], bool(technique.inferred)
        _mark(axes, technique.name, technique.resolution, technique.field_of_view, colour, open_mark)
    axes.set(xlabel="Resolution (m)", ylabel="Field of view (m)", xlim=(4e-11, 2e-2), ylim=(1e-8, 1.0))
    _legend(axes, TECHNIQUES, "upper left")
    return figure


@styled
def magnetometer_figure() -> Figure:
    """Draw sensitivity against size; open marks are inferred."""
    figure = new_figure(width=1.35 * COLUMN, height=95)
    axes = figure.subplots()
    size = np.array([1e-9, 1.0])
    axes.plot(size, sensitivity_from_energy_resolution(size=size), color=PALE, linewidth=0.8, zorder=1)
    axes.text(7e-7, 4e-12, "energy resolution ħ", color=GREY, fontsize=6, ha="right")
    for sensor in magnetometers():
        open_mark = bool({"size", "after_a_second"} & set(sensor.inferred))
        _mark(axes, sensor.name, sensor.size, sensor.after_a_second, SENSORS[sensor.family], open_mark)
    axes.set(xlabel="Size of the sensor (m)", ylabel="Sensitivity (T/√Hz)", xlim=(1e-9, 0.5), ylim=(1e-17, 1e-3))
    _legend(axes, SENSORS, "upper right")
    return figure


def _mark(axes: Axes, name: str, x: float, y: float, colour: str, inferred: bool) -> None:
    short = SHORT.get(name, name)
    axes.plot(x, y, "o", color=colour, markersize=4, markerfacecolor="white" if inferred else colour, zorder=3)
    across, up = PLACE.get(short, (4, 2))
    beside = {"xytext": (across, up), "textcoords": "offset points", "ha": "right" if across < 0 else "left"}
    axes.annotate(short, (x, y), fontsize=6, color=colour, **beside)


def _legend(axes: Axes, families: dict[str, str], where: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for name, colour in families.items():
        axes.plot([], [], "o", color=colour, markersize=4, label=name)
    axes.plot([], [], "o", color=GREY, markersize=4, markerfacecolor="white", label="open: inferred")
    axes.legend(loc=where)


def main() -> None:
    """Draw both figures, and set the paper's statements beside our numbers."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    known = {t.name: t for t in imaging_techniques()}
    sensors = {s.name: s for s in magnetometers()}
    wide, tip = known["wide-field NV"], known["scanning NV"]
    resolved = [
        (
            'wide-field imaging "typically features a poorer spatial resolution on the order of a micrometer"',
            f"{wide.resolution * 1e6:g} µm, a tip {tip.resolution * 1e9:.0f} nm",
        )
    ]
    best = min((s for s in sensors.values() if s.family == "NV"), key=lambda s: s.after_a_second)
    others = [
        min((s for s in sensors.values() if s.family == family), key=lambda s: s.after_a_second)
        for family in ("SQUID", "atoms")
    ]
    finer = [
        f"{other.name}: {best.after_a_second / other.after_a_second:.0e} times finer than the {best.name}"
        for other in others
    ]
    limits = [('"improved detection limits of SQUIDs and atomic magnetometers"', "; ".join(finer))]
    for name, figure, rows in (
        ("techniques", technique_figure(), resolved),
        ("magnetometers", magnetometer_figure(), limits),
    ):
        (folder / f"{name}.png").write_bytes(png_bytes(add_statements(figure, rows)))
        print(f"{folder / f'{name}.png'}: written")
        print_comparison(rows)
    print("in units of the energy resolution hbar, sqrt(E/hbar):")
    for s in sorted(sensors.values(), key=lambda s: s.after_a_second / sensitivity_from_energy_resolution(size=s.size)):
        print(f"  {s.after_a_second / sensitivity_from_energy_resolution(size=s.size):8.2g}  {s.name}")


if __name__ == "__main__":
    main()
