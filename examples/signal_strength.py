"""Fig. 4b of Pollok et al. 2025: ``python examples/signal_strength.py --out FOLDER``.

Signal of the positive electrode and of the dendrite against the applied field, and of the current against its mean
density, beside what a scanning nitrogen-vacancy centre detects in a time; both signals grow in proportion.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from paper_section import APPLIED_FIELD, CURRENT_DENSITY, PaperSection, arguments, paper_section, print_comparison
from section_fields import SectionFields, section_fields

from operando.magnetism.detection import contrast_from_map, time_from_contrast
from operando.magnetism.sensitivity import field_error_from_sensitivity
from operando.report.statements import add_statements
from operando.report.style import BLUE, GREEN, GREY, SKY, VERMILION, new_figure, panel_title, png_bytes, styled
from operando.twin.magnetic_instruments import INSTRUMENTS

FIELDS, DENSITIES = np.geomspace(1e-3, 10, 41), np.geomspace(1.0, 1e5, 51)
CONTINUOUS, PULSED = (INSTRUMENTS[name].sensitivity for name in ("scanning NV", "scanning NV, pulsed"))
LIMITS = (
    ("continuous, 1 s", CONTINUOUS, 1.0),
    ("pulsed, 1 s", PULSED, 1.0),
    ("pulsed, 1 min", PULSED, 60.0),
    ("pulsed, 30 min", PULSED, 1800.0),
)
COLOURS = (VERMILION, BLUE, SKY, GREEN)


def signals(section: PaperSection, fields: SectionFields) -> dict[str, float]:
    """Largest departure of Bz from its mean over one layer at the paper's field and current [T]."""
    positive, separator = section.over("positive"), section.over("separator")
    maps = {
        "LixCoO₂ particles": fields.electrode[:, positive],
        "lithium dendrite": fields.dendrite[:, separator],
        "current, over the dendrite": fields.oersted[:, separator],
        "current, over particles": fields.oersted[:, positive],
    }
    return {name: float(contrast_from_map(field=field)) for name, field in maps.items()}


@styled
def signal_figure(found: dict[str, float]) -> Figure:
    """Draw signals against what drives them, and limits of detection."""
    figure = new_figure(height=75)
    left, right = figure.subplots(1, 2, sharey=True)
    names = list(found)
    for name, colour in zip(names[:2], COLOURS[:2], strict=True):
        left.loglog(FIELDS * 1e3, found[name] * FIELDS / APPLIED_FIELD * 1e9, color=colour, label=name)
    for name, colour in zip(names[2:], COLOURS[2:], strict=True):
        right.loglog(DENSITIES / 10, found[name] * DENSITIES / CURRENT_DENSITY * 1e9, color=colour, label=name)
    _limits(left, FIELDS * 1e3, right=True)
    _limits(right, DENSITIES / 10, right=False)
    left.axvline(APPLIED_FIELD * 1e3, color=GREY, linewidth=0.6, linestyle=":")
    right.axvline(CURRENT_DENSITY / 10, color=GREY, linewidth=0.6, linestyle=":")
    left.set(xlabel="Applied field (mT)", ylabel="Departure of Bz from its mean (nT)", ylim=(0.05, 2e6))
    right.set(xlabel="Mean current density (mA/cm²)")
    for axes, letter, title in ((left, "a", "Magnetisation"), (right, "b", "Current")):
        axes.legend(loc="upper left")
        panel_title(axes, letter, f"{title}, 50 nm above the surface")
    return figure


def _limits(axes: Axes, across: npt.NDArray[np.float64], *, right: bool) -> None:
    for name, sensitivity, time in LIMITS:
        limit = float(field_error_from_sensitivity(sensitivity=sensitivity, time=time)) * 1e9
        axes.axhline(limit, color=GREY, linewidth=0.6)
        place, side = (across[-1], "right") if right else (1.3 * across[0], "left")
        axes.text(place, limit * 1.12, name, color=GREY, ha=side, fontsize=6)
    axes.set_xlim(across[0], across[-1])


def time_text(signal: float, sensitivity: float, significance: float = 1.0) -> str:
    """Time of a pixel in words."""
    time = float(time_from_contrast(contrast=signal, sensitivity=sensitivity, significance=significance))
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if time >= size:
            return f"{float(f'{time / size:.2g}'):g} {unit}"
    return f"{time * 1e6:.2g} µs"


def main() -> None:
    """Draw the figure, and set the paper's statements beside our numbers."""
    out, voxel = arguments(__doc__)
    section = paper_section(voxel)
    fields = section_fields(section)
    found = signals(section, fields)
    path = out / "signal-strength.png"
    electrode, dendrite, current, inactive = found.values()
    metal = section.structure.mask("lithium")
    metal[:, :, ~section.over("separator")] = False
    focus = float(np.percentile(fields.current[metal], 99.9)) / CURRENT_DENSITY
    rows = [
        ("LixCoO2 detectable by CW-ODMR at 100 mT", f"{electrode * 1e6:.2g} µT: {time_text(electrode, CONTINUOUS)}"),
        (
            'lithium "one order of magnitude weaker", "feasible in high external fields"',
            f"{dendrite * 1e6:.2g} µT: {time_text(dendrite, CONTINUOUS)}, pulsed {time_text(dendrite, PULSED)}",
        ),
        (
            '"1–5 nT" at 23.5 mA/cm²',
            f"{current * 1e9:.2g} nT over the dendrite, pulsed {time_text(current, PULSED)}; "
            f"{inactive * 1e9:.2g} nT over particles, {time_text(inactive, PULSED)}",
        ),
    ]
    for local in (100.0, 1000.0, 10_000.0):
        signal = current * local * 10 / (focus * CURRENT_DENSITY)
        rows.append(
            (
                f'"sub-seconds to tens of minutes" for local {local:g} mA/cm²',
                f"{local / focus:.2g} mA/cm² in the mean, {signal * 1e9:.2g} nT: {time_text(signal, PULSED)}",
            )
        )
    print("Times of a pixel until the signal equals its standard error; for three standard errors, nine times that.")
    path.write_bytes(png_bytes(add_statements(signal_figure(found), rows)))
    print(f"{path}: written")
    print_comparison(rows)


if __name__ == "__main__":
    main()
