"""Current in a device from a SQUID's flux image: ``python examples/squid_current.py FOLDER squid-current.png``.

FOLDER holds ``mag.npz`` (flux of an alternating current) and ``psf.npz`` (the sensor's image of a dipole) of
github.com/loganbvh/current-reconstruction. Three things are drawn: the flux, the current with its direction, and the
current through successive cuts of both leads, which must be the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from operando.magnetism.inverse_field import current_from_inversion
from operando.magnetism.inverse_lines import line_memory, memory_factor, without_memory
from operando.magnetism.inverse_sheet import invert_sheet
from operando.magnetism.sheet_maps import field_maps
from operando.magnetism.sheet_response import response_from_dipole_image
from operando.report.style import BLUE, CHANGE, GREY, SEQUENTIAL, VERMILION, new_figure, panel_title, png_bytes, styled

LEFT, ACROSS_LEFT = (-128e-6, -66e-6), (-70e-6, 35e-6)
"""The left lead: where it is cut along x, and what each cut spans along y [m]."""

BOTTOM, ACROSS_BOTTOM = (-118e-6, -60e-6), (-15e-6, 35e-6)
"""The lead at the bottom: where it is cut along y, and what each cut spans along x [m]."""


def read_image(path: Path, *, units: str) -> xr.DataArray:
    """Read one image of the data set; its coordinates are in micrometres."""
    with np.load(path) as data:
        coords = {d: (d, data[f"{d}s"] * 1e-6, {"units": "m"}) for d in ("y", "x")}
        return xr.DataArray(data["data"], dims=("y", "x"), coords=coords, attrs={"units": units})


def sheet_current(folder: Path) -> tuple[xr.DataArray, xr.Dataset]:
    """Return the flux and the current; as the dipole's moment is not known, the scale of the current is arbitrary."""
    flux = read_image(folder / "mag.npz", units="T")
    response = response_from_dipole_image(read_image(folder / "psf.npz", units="T"))
    lines = field_maps(flux, axis=(0, 0, 1))
    memory = line_memory(lines.values[0])
    found = invert_sheet(
        without_memory(lines, memory=memory),
        transfer=lambda modes: (response.factor(modes) * memory_factor(modes=modes, memory=memory))[None],
        order=2,
        noise=None,
        edges="sharp",
        choice="likelihood",
        margin=0.0,
        samples=0,
        seed=0,
    )
    return flux, current_from_inversion(found, field=flux)


def through_cuts(current: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Total current to +x through cuts of the left lead, and to -y through cuts of the lead at the bottom."""
    pixel = {d: float(current[d].diff(d).mean()) for d in ("y", "x")}
    left = current.sel(component="x", x=slice(*LEFT), y=slice(*ACROSS_LEFT)).sum("y") * pixel["y"]
    bottom = -current.sel(component="y", y=slice(*BOTTOM), x=slice(*ACROSS_BOTTOM)).sum("x") * pixel["x"]
    return left, bottom


@styled
def current_figure(flux: xr.DataArray, current: xr.DataArray) -> Figure:
    """Draw flux, current and cuts."""
    figure = new_figure(height=130)
    (flux_axes, size_axes), (left_axes, bottom_axes) = figure.subplots(2, 2, height_ratios=(1.6, 1.0))
    x, y = current.x.values * 1e6, current.y.values * 1e6
    left, bottom = through_cuts(current)
    mean = float(left.mean())
    limit = float(np.abs(flux).quantile(0.998))
    image = flux_axes.pcolormesh(x, y, flux, cmap=CHANGE, vmin=-limit, vmax=limit, rasterized=True)
    figure.colorbar(image, ax=flux_axes, label="Flux per current (Phi0/A)", shrink=0.7)
    panel_title(flux_axes, "a", "Flux: positive left of the current")
    size = np.hypot(*current.values) / mean * 1e-6
    image = size_axes.pcolormesh(x, y, size, cmap=SEQUENTIAL, vmax=float(np.quantile(size, 0.998)), rasterized=True)
    figure.colorbar(image, ax=size_axes, label="Sheet current / total (1/um)", shrink=0.7)
    panel_title(size_axes, "b", "Current: in at the left, out below")
    _arrows(size_axes, current)
    for axes in (flux_axes, size_axes):
        axes.set(xlabel="x (um)", ylabel="y (um)", aspect="equal")
    for cut in LEFT:
        size_axes.plot([cut * 1e6] * 2, np.array(ACROSS_LEFT) * 1e6, color=BLUE, linestyle="--")
    for cut in BOTTOM:
        size_axes.plot(np.array(ACROSS_BOTTOM) * 1e6, [cut * 1e6] * 2, color=VERMILION, linestyle="--")
    _cuts(left_axes, left, mean, "x", BLUE)
    panel_title(left_axes, "c", "Through cuts of the left lead")
    _cuts(bottom_axes, bottom, mean, "y", VERMILION)
    panel_title(bottom_axes, "d", "Through cuts of the lead at the bottom")
    return figure


def _arrows(axes: Axes, current: xr.DataArray) -> None:
    coarse = current.coarsen(x=8, y=8, boundary="trim").mean()
    seen = np.hypot(*coarse.values) > 0.12 * float(np.hypot(*coarse.values).max())
    jx, jy = (np.where(seen, c, np.nan) for c in coarse.values)
    axes.quiver(coarse.x * 1e6, coarse.y * 1e6, jx, jy, color="white", pivot="mid", width=0.004)


def _cuts(axes: Axes, cuts: xr.DataArray, mean: float, along: str, colour: str) -> None:
    axes.axhspan(0.98, 1.02, color=GREY, alpha=0.2, linewidth=0)
    axes.plot(cuts[along] * 1e6, cuts / mean, color=colour)
    axes.set(xlabel=f"{along} of the cut (um)", ylabel="Current / mean of c", ylim=(0.94, 1.06))


def main() -> None:
    """Draw the figure and print how constant the current is."""
    folder, path = Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else "squid-current.png")
    flux, sheet = sheet_current(folder)
    path.write_bytes(png_bytes(current_figure(flux, sheet.current)))
    left, bottom = through_cuts(sheet.current)
    for name, cuts in (("left lead", left), ("lead at the bottom", bottom)):
        spread, reach = float(cuts.std() / cuts.mean()), float((cuts.max() - cuts.min()) / 2 / cuts.mean())
        print(f"{name}: {cuts.size} cuts, standard deviation {spread:.2%}, half range {reach:.2%}")
    print(f"bottom over left: {float(bottom.mean() / left.mean()):.4f}; misfit {sheet.attrs['misfit']:.2f}")
    print(f"{path}: written")


if __name__ == "__main__":
    main()
