"""Cell B on physics: what isotope exchange, tracer diffusion and uneven currents make of a neutron image.

Run ``python examples/isotope_exchange.py [FOLDER]``; writes ``isotope-exchange.png`` and ``separator-isotopes.png``
and prints the numbers that docs/transport.md quotes. Takes some minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from operando.cell.amounts import amounts_from_cell
from operando.cell.builtin import load_cell
from operando.cell.protocol import charge_from_cell
from operando.electrochemistry.transport.columns import charge_transfer_resistance, columns_from_cell
from operando.electrochemistry.transport.evolution import isotopes_as_assembled
from operando.electrochemistry.transport.history import snapshots_from_cell
from operando.electrochemistry.transport.settings import TransportSettings
from operando.materials.cross_sections import PAPER_TABLE, lithium_cross_sections
from operando.report.style import (
    BLUE,
    CHANGE,
    GREEN,
    GREY,
    LITHIUM,
    VERMILION,
    new_figure,
    panel_title,
    png_bytes,
    styled,
)
from operando.units import FARADAY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from operando.electrochemistry.transport.columns import Columns
    from operando.electrochemistry.transport.history import Snapshots
    from operando.frames import Array

END_OF_CHARGE = 8 * 3600.0
RATES = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
CONDUCTIVITIES = (2e-3, 1e-2)
DIFFUSIVITIES = (1e-12, 3.3e-12, 1e-11)
CELL = load_cell("cell-b")
COARSE = 1.5e-3
NEAR = 6
"""Layers of the separator that count as near the cathode, some 100 um."""


def charged(**changes: float) -> tuple[Columns, Snapshots, TransportSettings]:
    """Cell B at the end of its charge."""
    settings = TransportSettings(**{"column": COARSE, **changes})
    columns = columns_from_cell(cell=CELL, settings=settings, seed=0)
    start = isotopes_as_assembled(cell=CELL, columns=columns)
    history, _ = snapshots_from_cell(cell=CELL, columns=columns, settings=settings, start=start, until=END_OF_CHARGE)
    return columns, history, settings


def apparent_lithiation(columns: Columns, history: Snapshots) -> Array:
    """Lithiation that Equation 8 reads from the cathode's attenuation, over time."""
    six, seven = lithium_cross_sections(PAPER_TABLE)
    layers = columns.cathode
    lithium6 = history.particles6.sum(axis=(1, 2, 3)) + history.electrolyte6[:, :layers].sum(axis=(1, 2, 3))
    lithium = history.particles.sum(axis=(1, 2, 3))
    attenuation = six * lithium6 + seven * (lithium - lithium6)
    natural = CELL.cathode.active.composition.lithium6_fraction
    whole = amounts_from_cell(cell=CELL).active * (six * natural + seven * (1 - natural))
    return 1 - (attenuation[0] - attenuation) / whole


def separator_gain(columns: Columns, history: Snapshots) -> Array:
    """Change of the separator's Li-6 fraction since the first scan ``(z, y, x)``."""
    layers = columns.cathode
    gained = history.electrolyte6[-1, layers:] - history.electrolyte6[0, layers:]
    held = columns.electrolyte[layers:]
    return np.divide(gained, held, out=np.full_like(gained, np.nan), where=held > 0)


def full_mixing() -> tuple[float, float]:
    """Lithiation at the end of charge: true, and apparent if all of the cathode's lithium mixed before it left."""
    amounts = amounts_from_cell(cell=CELL)
    natural = CELL.cathode.active.composition.lithium6_fraction
    enriched = CELL.electrolyte.composition.lithium6_fraction
    whole = amounts.active + amounts.cathode_electrolyte
    mixture = (amounts.active * natural + amounts.cathode_electrolyte * enriched) / whole
    six, seven = lithium_cross_sections(PAPER_TABLE)
    true = 1 - charge_from_cell(cell=CELL, time=END_OF_CHARGE) / FARADAY / amounts.active
    ratio = (six * mixture + seven * (1 - mixture)) / (six * natural + seven * (1 - natural))
    return true, 1 - (1 - true) * ratio


@styled
def exchange_figure(rows: dict[float, list[tuple[float, float, float, float]]]) -> Figure:
    """Draw apparent lithiation and the separator's gain against the time of exchange."""
    figure = new_figure(height=75)
    left, right = figure.subplots(1, 2)
    true, mixed = full_mixing()
    for (conductivity, found), colour in zip(rows.items(), (BLUE, VERMILION), strict=True):
        times, apparent, mean, face = (np.array(column) for column in zip(*found, strict=True))
        some = np.isfinite(times)
        name = f"{10 * conductivity:.2g} mS/cm"
        left.semilogx(times[some], 100 * apparent[some], "o-", color=colour, label=name)
        left.plot([1e3], 100 * apparent[~some], ">", color=colour)
        right.loglog(times[some], 100 * face[some], "o-", color=colour, label=name)
        right.loglog(times[some], 100 * mean[some], "o--", color=colour, markerfacecolor="white")
    right.text(0.15, 0.72, "at the cathode", color=GREY)
    right.text(0.15, 0.25, "mean", color=GREY)
    for value, text in ((100 * true, "true"), (100 * mixed, "all mixed"), (85.0, "published")):
        left.axhline(value, color=GREY, linewidth=0.8, linestyle=":")
        left.text(0.12, value + 0.15, text, color=GREY)
    left.text(1e3, left.get_ylim()[1] - 0.4, "none", color=GREY, ha="right")
    right.axhline(1.0, color=GREY, linewidth=0.8, linestyle=":")
    right.text(0.12, 1.05, "published maximum", color=GREY)
    left.set_ylabel("Apparent lithiation after charge (%)")
    right.set_ylabel("Li-6 gained by separator (% of its lithium)")
    for axes, letter, title in ((left, "a", "Cathode"), (right, "b", "Separator")):
        axes.set_xlabel("Time of exchange (h)")
        axes.set_xlim(0.1, 1.3e3)
        panel_title(axes, letter, title)
    left.legend(title="Composite conducts", loc="lower right", bbox_to_anchor=(1.0, 0.2))
    return figure


@styled
def separator_figure(profiles: dict[float, tuple[Array, Array]], maps: tuple[Array, Array], reach: float) -> Figure:
    """Draw what D* does along the separator, and currents beside the isotopes that they brought."""
    figure = new_figure(height=65)
    axes = figure.subplots(1, 3, width_ratios=(1.2, 1, 1))
    for (diffusivity, (height, gained)), colour in zip(profiles.items(), (BLUE, GREEN, VERMILION), strict=True):
        axes[0].plot(1e6 * height, 100 * gained, color=colour, label=f"{diffusivity:.2g} m²/s")
    axes[0].set_xlabel("Height above the cathode (µm)")
    axes[0].set_ylabel("Li-6 gained (% of the lithium)")
    axes[0].set_ylim(0, None)
    axes[0].legend(title="Tracer diffusivity")
    panel_title(axes[0], "a", "Along the separator")
    for axis, values, letter, title, unit, colours in (
        (axes[1], maps[0], "b", "Charge passed", "relative to its mean", CHANGE),
        (axes[2], 100 * maps[1], "c", "Li-6 near the cathode", "gained, % of the lithium", LITHIUM),
    ):
        _map(axis, values, unit, colours, reach)
        panel_title(axis, letter, title)
    return figure


def _map(axes: Axes, values: Array, unit: str, colours: str, reach: float) -> None:
    limits = {}
    if colours == CHANGE:
        span = float(np.nanmax(np.abs(values - 1)))
        limits = {"vmin": 1 - span, "vmax": 1 + span}
    image = axes.imshow(values, cmap=colours, origin="lower", extent=(-reach, reach, -reach, reach), **limits)
    axes.figure.colorbar(image, ax=axes, label=unit, shrink=0.8)
    axes.set_xlabel("x (mm)")
    axes.set_ylabel("y (mm)")


def main() -> None:
    """Compute, draw and print."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    true, mixed = full_mixing()
    print(f"true lithiation {100 * true:.1f} %, apparent if all mixed {100 * mixed:.1f} %")
    rows: dict[float, list[tuple[float, float, float, float]]] = {}
    for conductivity in CONDUCTIVITIES:
        for rate in RATES:
            columns, history, settings = charged(cathode_conductivity=conductivity, isotope_exchange=rate)
            gain = separator_gain(columns, history)
            row = (settings.exchange_time / 3600, apparent_lithiation(columns, history)[-1], np.nanmean(gain))
            rows.setdefault(conductivity, []).append((*row, float(np.nanmean(gain[0]))))
            resistance = 1e4 * charge_transfer_resistance(columns) / rate if rate else np.inf
            print(
                f"composite {10 * conductivity:.2g} mS/cm, exchange in {row[0]:.3g} h ({resistance:.3g} Ohm cm2): "
                f"apparent {100 * row[1]:.1f} %, separator gains {100 * row[2]:.3f} %, "
                f"at the cathode {100 * rows[conductivity][-1][3]:.2f} %"
            )
    (folder / "isotope-exchange.png").write_bytes(png_bytes(exchange_figure(rows)))
    profiles = {}
    for diffusivity in DIFFUSIVITIES:
        columns, history, _ = charged(tracer_diffusivity=diffusivity)
        gain = np.nanmean(separator_gain(columns, history), axis=(1, 2))
        height = (np.arange(gain.size) + 0.5) * columns.porous.grid.spacing[0]
        profiles[diffusivity] = (height, gain)
        print(f"D* {diffusivity:.2g} m2/s: mean height of the gain {1e6 * height @ gain / gain.sum():.0f} um")
    maps = []
    for strength in (0.0, 1.0):
        columns, history, _ = charged(column=200e-6, path_strength=strength)
        lost = (history.particles[0] - history.particles[-1]).sum(axis=0)
        charge = np.where(columns.inside, lost / lost[columns.inside].mean(), np.nan)
        gain = separator_gain(columns, history)
        near, upper = gain[:NEAR].mean(axis=0), gain[len(gain) // 2 :].mean(axis=0)
        inside = columns.inside
        on, off = (
            inside & mask
            for mask in (columns.path > 0.8 * columns.path.max(), columns.path < 0.05 * columns.path.max())
        )
        alike = np.corrcoef(charge[inside], near[inside])[0, 1]
        at_path, above = near[on].mean() / near[inside].mean(), upper[on].mean() / upper[off].mean()
        spread = charge[inside].std()
        print(
            f"path {strength}: charge per column varies by {100 * spread:.1f} %, Li-6 near the cathode by "
            f"{100 * near[inside].std() / near[inside].mean():.1f} %, correlation {alike:.2f}, "
            f"on the path {at_path:.3f} of the mean, in the upper half {above:.1f} times that far from it"
        )
        maps = [charge, near]
    reach = 1e3 * (columns.x[-1] + (columns.x[1] - columns.x[0]) / 2)
    (folder / "separator-isotopes.png").write_bytes(png_bytes(separator_figure(profiles, (maps[0], maps[1]), reach)))


if __name__ == "__main__":
    main()
