"""Look at the quality of a scan: a corrected radiograph, a sinogram, and a slice about the centre that was found."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from operando.errors import InputError
from operando.report.labelled import edges, values_in
from operando.report.sections import draw_section, scale_bar
from operando.report.style import (
    SEQUENTIAL,
    VERMILION,
    amounts,
    axis_label,
    colour_bar,
    new_figure,
    panel_title,
    styled,
)
from operando.units import Measured

CAPTION = (
    "The first corrected radiograph (a), the sinogram of the row marked in it (b), and the slice reconstructed from "
    "that row (c). The red line is the centre of rotation that was found; a centre that is off by a pixel shows as "
    "doubled edges and crescents in (c)."
)


@styled
def radiograph_figure(
    line_integral: xr.DataArray, *, section: xr.DataArray, centre: Measured, row: int | None = None
) -> Figure:
    """Draw ``line_integral`` (projection, row, column), a reconstructed ``section`` (y, x) [1/m], and the `centre` [m].

    Parameters
    ----------
    line_integral:
        Corrected projections with coordinates ``row`` and ``column`` [m], and ``angle`` [rad] on ``projection``.
    row:
        Index of the row that the sinogram and the section show; the middle one without it.
    """
    if tuple(line_integral.dims) != ("projection", "row", "column"):
        raise InputError("line_integral", must="on projection, row, column", received=tuple(line_integral.dims))
    row = line_integral.sizes["row"] // 2 if row is None else row
    rows, columns = values_in(line_integral.row, unit="mm"), values_in(line_integral.column, unit="mm")
    angle = values_in(line_integral.angle, unit="deg")
    figure = new_figure(height=68)
    left, middle, right = figure.subplots(1, 3)
    projection, sinogram = line_integral.values[0], line_integral.values[:, row]
    norm = amounts(projection, sinogram)
    for axes, up, values in ((left, rows, projection), (middle, angle, sinogram)):
        picture = axes.pcolormesh(edges(columns), edges(up), values, norm=norm, cmap="gray")
        axes.axvline(centre.value * 1e3, color=VERMILION, linewidth=0.9)
        axes.set_xlabel(axis_label("Column", "mm"))
    left.set_aspect("equal")
    left.invert_yaxis()
    left.axhline(rows[row], color=VERMILION, linestyle=(0, (3, 3)), linewidth=0.9)
    left.set_ylabel(axis_label("Row", "mm"))
    middle.set_ylabel(axis_label("Angle", "deg"))
    colour_bar(
        figure, picture, ax=[left, middle], location="bottom", shrink=0.6, aspect=40, label="Line integral −ln T"
    )
    left.set_anchor("N")
    x, y = (values_in(section[axis], unit="mm") for axis in "xy")
    values = values_in(section, unit="1/cm")
    slice_picture = draw_section(right, x, y, values, norm=amounts(values), cmap=SEQUENTIAL)
    scale_bar(right)
    colour_bar(figure, slice_picture, ax=right, location="bottom", aspect=20, label=axis_label("Attenuation", "1/cm"))
    panel_title(left, "a", "First radiograph")
    panel_title(middle, "b", "Sinogram")
    panel_title(right, "c", "Slice")
    pixel = float(np.diff(columns).mean())
    found = (centre.value * 1e3 - columns[0]) / pixel
    figure.suptitle(f"Centre of rotation: column {found:.2f} ± {centre.sigma * 1e3 / pixel:.2f}", fontsize=7)
    return figure
