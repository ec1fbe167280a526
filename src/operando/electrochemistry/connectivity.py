"""What is connected to what through the faces of voxels: pockets that nothing reaches, and necks one voxel wide."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def parts_of(mask: Array) -> tuple[Array, int]:
    """Number the parts of a mask that are connected through faces: labels ``(z, y, x)`` from 1, and how many."""
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    return labels, int(count)


def reached_from(*, mask: Array, seeds: Array) -> Array:
    """The voxels of a mask that are connected through faces with a seed.

    Parameters
    ----------
    mask, seeds:
        Boolean ``(z, y, x)``; seeds outside the mask reach nothing.
    """
    labels, count = parts_of(mask)
    reached = np.zeros(count + 1, dtype=bool)
    reached[np.unique(labels[seeds])] = True
    reached[0] = False
    return reached[labels]
