"""Values on the transport's voxels, read at the voxels of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from operando.cell.geometry import Layer, Stack
    from operando.electrochemistry.transport.columns import Columns
    from operando.frames import Array


class Sampling:
    """Linear interpolation between the transport's voxels, in coordinates that follow the layers' faces."""

    def __init__(self, columns: Columns, stack: Stack) -> None:
        from scipy.ndimage import distance_transform_edt

        self._stack = stack
        self._inside = columns.inside
        # Columns outside of the bore take the value of the nearest one inside
        self._nearest = distance_transform_edt(~columns.inside, return_distances=False, return_indices=True)
        self._y = _places(stack.grid.coordinate("y"), columns.y)
        self._x = _places(stack.grid.coordinate("x"), columns.x)

    def in_cathode(self, layer: Layer, amount: Array, whole: Array) -> Array:
        """Ratio of two amounts at the voxels of the cathode ``(rows, y, x)``."""
        z = self._stack.grid.coordinate("z")[layer.rows, None, None]
        return self._sampled(z / self._stack.separator_bottom, amount, whole)

    def in_separator(self, layer: Layer, amount: Array, whole: Array) -> Array:
        """Ratio of two amounts at the voxels of the separator ``(rows, y, x)``."""
        z = self._stack.grid.coordinate("z")[layer.rows, None, None]
        thickness = self._stack.separator_top - self._stack.separator_bottom
        return self._sampled((z - self._stack.separator_bottom) / thickness, amount, whole)

    def across(self, values: Array) -> Array:
        """A map of columns at the columns of the image ``(y, x)``."""
        from scipy.ndimage import map_coordinates

        filled = values[tuple(self._nearest)]
        places = np.broadcast_arrays(self._y[:, None], self._x[None, :])
        found: Array = map_coordinates(filled, places, order=1, mode="nearest")
        return found

    def _sampled(self, height: Array, amount: Array, whole: Array) -> Array:
        from scipy.ndimage import map_coordinates

        ratio = np.divide(amount, whole, out=np.zeros_like(amount), where=whole > 0)
        filled = ratio[:, self._nearest[0], self._nearest[1]]
        depth = height * len(ratio) - 0.5
        places = np.broadcast_arrays(depth, self._y[:, None], self._x[None, :])
        found: Array = map_coordinates(filled, places, order=1, mode="nearest")
        return found


def _places(wanted: Array, known: Array) -> Array:
    """Where coordinates lie among evenly spaced ones, in steps from the first."""
    places: Array = (wanted - known[0]) / (known[1] - known[0])
    return places
