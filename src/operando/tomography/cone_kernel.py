"""The compiled inner loops of cone-beam back-projection."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, fastmath=True)
def add_projections(filtered: Any, volume: Any, turns: Any, places: Any, x: Any, y: Any, squared: bool) -> None:
    """Add what falls on each voxel of `volume` (y, x, z) in all projections.

    Parameters
    ----------
    filtered:
        float32 ``(projection, column, row)``: rows are innermost, so that a voxel column along z reads them in order.
    volume:
        float32, added to.
    turns:
        Cosine, sine and weight of each projection.
    places:
        Source to axis [m], pixels per metre at distance 1, axis column, row of the midplane, radius that is
        reconstructed [m], first height over the midplane and step [m].
    x, y:
        Voxel centres from the axis [m].
    squared:
        Square the weights and the interpolation along the rows, for a variance.
    """
    distance, scale, axis_column, middle_row, radius, first, step = places
    count, columns, rows = filtered.shape
    heights = volume.shape[2]
    profile = np.empty(rows, np.float32)
    last_row = np.float32(rows - 1.001)
    for k in range(count):
        cosine, sine, weight = turns[k]
        for j in range(y.size):
            for i in range(x.size):
                if x[i] * x[i] + y[j] * y[j] > radius * radius:
                    continue
                magnified = scale / (distance + y[j] * cosine - x[i] * sine)
                near = distance * magnified / scale
                factor = np.float32(weight * near * near)
                if squared:
                    factor *= factor
                column = min(max(axis_column + magnified * (x[i] * cosine + y[j] * sine), 0.0), columns - 1.001)
                left = int(column)
                right_share = np.float32(column - left) * factor
                left_share = factor - right_share
                start = np.float32(middle_row + magnified * first)
                slope = np.float32(magnified * step)
                lowest = max(int(start) - 1, 0)
                highest = min(int(start + slope * (heights - 1)) + 3, rows)
                here, there = filtered[k, left], filtered[k, left + 1]
                for r in range(lowest, highest):
                    profile[r] = left_share * here[r] + right_share * there[r]
                line = volume[j, i]
                # unsigned places need no test for negative ones, so that the compiler can take several voxels at once
                for h in range(heights):
                    row = min(max(start + slope * np.float32(h), np.float32(0)), last_row)
                    lower = np.uint32(row)
                    share = row - np.float32(lower)
                    below, above = profile[lower], profile[lower + np.uint32(1)]
                    if squared:
                        line[h] += (np.float32(1) - share) ** 2 * below + share**2 * above
                    else:
                        line[h] += below + share * (above - below)
