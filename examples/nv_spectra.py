"""Fig. 2e of Pollok et al. 2025: ``python examples/nv_spectra.py nv-spectra.png``.

The dips of one centre move apart as the field along its axis grows (a); the eight lines of a (100) diamond in a bias
field, from simulated photons, and their fit (b).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from paper_section import print_comparison

from operando.magnetism.fit_lines import fit_lines
from operando.magnetism.lines import lines_from_field
from operando.magnetism.nv import NV, nv_frames_from_cut
from operando.magnetism.odmr import fluorescence_from_lines
from operando.magnetism.vector_fit import fit_vector
from operando.report.statements import add_statements
from operando.report.style import BLUE, GREY, VERMILION, new_figure, panel_title, png_bytes, styled
from operando.twin.microscope import NVMicroscope
from operando.twin.nv import simulate_odmr

FIELDS = (0.0, 0.5e-3, 1e-3, 1.5e-3, 2e-3)
TIP = nv_frames_from_cut(cut="111")[:1]
MICROSCOPE = NVMicroscope(nitrogen="15N", contrast=0.03, photon_rate=1e8)


@styled
def spectra_figure(photons: xr.DataArray, lines: xr.Dataset) -> Figure:
    """Draw spectra against the field, and a spectrum with its fit."""
    figure = new_figure(height=75)
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.3))
    _against_field(left)
    _with_fit(right, photons, lines)
    return figure


def _against_field(axes: Axes) -> None:
    frequency = np.linspace(2.79e9, 2.95e9, 801)
    for i, field in enumerate(FIELDS):
        lines = lines_from_field(field=field * TIP[0, 2], frames=TIP)[0]
        light = fluorescence_from_lines(frequency=frequency, lines=lines, width=8e6, contrast=0.12)
        axes.plot(frequency / 1e9, 100 * light + 25 * i, color=BLUE)
        axes.text(2.953, 100 + 25 * i, f"{field * 1e3:g} mT", va="center", color=GREY)
    axes.set(xlabel="Microwave (GHz)", ylabel="Fluorescence (%), each 25 % higher", xlim=(2.79, 2.985))
    panel_title(axes, "a", "One centre, field along its axis")


def _with_fit(axes: Axes, photons: xr.DataArray, lines: xr.Dataset) -> None:
    frequency, one = photons.frequency.values, lines.isel(y=0, x=0)
    fitted = fluorescence_from_lines(
        frequency=frequency,
        lines=one.centre.values,
        width=float(one.width.mean()),
        contrast=one.contrast.values,
        nitrogen="15N",
    )
    axes.plot(frequency / 1e9, 100 * photons[:, 0, 0] / float(one.background), color=GREY, linewidth=0.4)
    axes.plot(frequency / 1e9, 100 * fitted, color=VERMILION, linewidth=0.8)
    axes.set(xlabel="Microwave (GHz)", ylabel="Fluorescence (%)")
    panel_title(axes, "b", "Four centres, simulated photons and fit")


def _photons() -> xr.DataArray:
    """Spectra of 2 x 2 pixels in the bias field alone."""
    coords = {"component": list("xyz")} | {d: (d, [0.0, 1e-6], {"units": "m"}) for d in ("y", "x")}
    none = xr.DataArray(np.zeros((3, 2, 2)), dims=("component", "y", "x"), coords=coords, attrs={"units": "T"})
    sweep = MICROSCOPE.sweep(step=0.3e6)
    return simulate_odmr(none, microscope=MICROSCOPE, frequency=sweep, dwell=5e-3, seed=1)[0]


def main() -> None:
    """Draw the figure, and set the paper's statements beside our numbers."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "nv-spectra.png")
    photons = _photons()
    lines = fit_lines(photons, lines=8, nitrogen="15N")
    lower, upper = lines_from_field(field=1e-3 * TIP[0, 2], frames=TIP)[0]
    fitted = fit_vector(lines, frames=MICROSCOPE.frames, bias=MICROSCOPE.bias).isel(y=0, x=0)
    errors = np.sqrt(np.diag(fitted.field_cov.values))
    truth = ", ".join(f"{b * 1e3:g}" for b in MICROSCOPE.bias)
    found = zip(fitted.field.values, errors, strict=True)
    rows = [
        (
            '"In the absence of a magnetic field, the ... states are degenerate, '
            'resulting in a single fluorescence dip"',
            f"at {NV.splitting / 1e9:g} GHz",
        ),
        (
            '"splitting ... 2 gamma B where gamma = 28 GHz/T"',
            f"{(upper - lower) / 1e6:.2f} MHz at 1 mT along the axis",
        ),
        (
            f"not in the paper, bias field of ({truth}) mT from one spectrum of b",
            ", ".join(f"{b * 1e3:.4f} mT ± {e * 1e6:.2f} µT" for b, e in found),
        ),
    ]
    path.write_bytes(png_bytes(add_statements(spectra_figure(photons, lines), rows)))
    print(f"{path}: written")
    print_comparison(rows)


if __name__ == "__main__":
    main()
