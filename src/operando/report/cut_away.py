"""A cylinder in three dimensions with a quarter cut away: the voxels themselves, nothing rendered in between."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.path import Path

from operando.errors import InputError
from operando.report.labelled import Array, edges
from operando.report.sections import bare
from operando.report.style import BLACK

AZIMUTH, ELEVATION = np.deg2rad(-60.0), np.deg2rad(30.0)
"""From where the cylinder is seen: x runs to the right and y to the back, much as in a section across the axis.

The quarter x > 0, y < 0 that faces the viewer is taken out.
"""

SIDES = ((-150.0, -90.0), (0.0, 30.0))
"""Angles about the axis between which its outside is seen."""

SKIN = 0.95
"""Part of the radius at which the outside is read, just inside the partly filled voxels of the rim."""


def draw_cut_away(
    axes: Axes, x: Array, y: Array, z: Array, values: Array, *, norm: Normalize, cmap: Any, stretch: float = 1.0
) -> QuadMesh:
    """Draw a cylinder ``(z, y, x)`` [mm] about x = y = 0 from above; heights are drawn `stretch` times as large.

    Shown are its lid, the two walls of the cut, and the outside beside them. What is not finite stays white.

    Raises
    ------
    InputError
        If the axis does not run through the volume.
    """
    across, along, up = edges(x), edges(y), edges(z)
    i, j = int(np.abs(across).argmin()), int(np.abs(along).argmin())
    if not (0 < i < x.size and 0 < j < y.size):
        raise InputError("volume", must="around the axis x = y = 0", received=f"x from {x[0]} to {x[-1]} mm")
    radius = radius_of(x, y, values)

    def face(px: Array, py: Array, pz: Array, shown: Array) -> QuadMesh:
        return axes.pcolormesh(*_seen(px, py, pz * stretch), np.ma.masked_invalid(shown), norm=norm, cmap=cmap)

    for start, stop in SIDES:
        turn = np.deg2rad(np.linspace(start, stop, 61))
        middle = (turn[1:] + turn[:-1]) / 2
        column = np.searchsorted(across, SKIN * radius * np.cos(middle)) - 1
        row = np.searchsorted(along, SKIN * radius * np.sin(middle)) - 1
        height, angle = np.meshgrid(up, turn, indexing="ij")
        face(radius * np.cos(angle), radius * np.sin(angle), height, values[:, row, column])
    height, far = np.meshgrid(up, along[: j + 1], indexing="ij")
    face(np.zeros_like(far), far, height, values[:, :j, i - 1])
    height, far = np.meshgrid(up, across[i:], indexing="ij")
    face(far, np.zeros_like(far), height, values[:, j, i:])
    lid = values[-1].copy()
    lid[:j, i:] = np.nan
    px, py = np.meshgrid(across, along)
    picture = face(px, py, np.full_like(px, up[-1]), lid)
    turn = np.deg2rad(np.linspace(0, 360, 361))
    rim = _seen(radius * np.cos(turn), radius * np.sin(turn), np.full_like(turn, up[-1] * stretch))
    picture.set_clip_path(Path(np.column_stack(rim)), axes.transData)
    _outline(axes, radius, float(up[0]) * stretch, float(up[-1]) * stretch)
    bare(axes)
    axes.set_xlim(-1.01 * radius, 1.01 * radius)
    axes.set_ylim(*vertical_extent(radius, up * stretch))
    return picture


def radius_of(x: Array, y: Array, values: Array) -> float:
    """Radius about the axis of what is filled in ``(..., y, x)``."""
    filled = np.isfinite(values).reshape(-1, y.size, x.size).any(axis=0)
    return float(np.hypot(*np.meshgrid(x, y))[filled].max(initial=0.0)) or float(np.abs(x).max())


def vertical_extent(radius: float, up: Array) -> tuple[float, float]:
    """Lowest and highest point of the picture of a cylinder between the first and last of `up`, as seen."""
    nearest = max(np.cos(np.deg2rad(angle) - AZIMUTH) for side in SIDES for angle in side)
    corner = radius * np.sin(ELEVATION) * nearest
    lowest = float(up[0]) * np.cos(ELEVATION) - corner
    highest = float(up[-1]) * np.cos(ELEVATION) + radius * np.sin(ELEVATION)
    return lowest - 0.01 * radius, highest + 0.01 * radius


def _seen(px: Any, py: Any, pz: Any) -> tuple[Any, Any]:
    """Parallel projection of points onto the page, across and up."""
    towards = px * np.cos(AZIMUTH) + py * np.sin(AZIMUTH)
    return py * np.cos(AZIMUTH) - px * np.sin(AZIMUTH), pz * np.cos(ELEVATION) - towards * np.sin(ELEVATION)


def _outline(axes: Axes, radius: float, bottom: float, top: float) -> None:
    """Edges of the cut cylinder, so that its shape reads where its colours do not tell."""

    def line(px: Any, py: Any, pz: Any) -> None:
        axes.plot(*_seen(*np.broadcast_arrays(px, py, pz)), color=BLACK, linewidth=0.5, solid_capstyle="round")

    rim = np.deg2rad(np.linspace(0, 270, 271))
    line(radius * np.cos(rim), radius * np.sin(rim), top)
    upright = np.array([bottom, top])
    for side in SIDES:
        arc = np.deg2rad(np.linspace(*side, 61))
        line(radius * np.cos(arc), radius * np.sin(arc), bottom)
        for turn in arc[[0, -1]]:
            line(radius * np.cos(turn), radius * np.sin(turn), upright)
    line(0.0, 0.0, upright)
    for height in upright:
        line(np.array([0.0, radius]), 0.0, height)
        line(0.0, np.array([-radius, 0.0]), height)
