"""What is connected to what through the faces of voxels: pockets that nothing reaches, and necks one voxel wide."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def parts_of(mask: Array) -> tuple[Array, int]:
    """Number the parts of a mask that are connected through faces: labels ``(z, y, x)`` from 1, and how many."""
    from scipy import ndimage

    labels, count = ndimage.label(mask)
    return labels, int(count)


def necks_in(mask: Array) -> Array:
    """The voxels of a mask that alone hold two parts of their surroundings together: necks one voxel wide.

    A neck is a voxel whose neighbours in the mask fall into two or more parts once it is taken out of the cube of 27
    voxels around it: a bridge, and each foot of it. A finer image may show more, less or nothing flowing through it.

    Parameters
    ----------
    mask:
        Boolean ``(z, y, x)``.

    Returns
    -------
    Boolean ``(z, y, x)``.
    """
    return np.asarray(_necks(np.pad(mask, 1))[1:-1, 1:-1, 1:-1])


@nb.njit(cache=True, nogil=True)
def _necks(mask):  # type: ignore[no-untyped-def]
    nz, ny, nx = mask.shape
    found = np.zeros_like(mask)
    around, queue = np.empty(27, dtype=np.bool_), np.empty(27, dtype=np.int64)
    for z in range(1, nz - 1):
        for y in range(1, ny - 1):
            for x in range(1, nx - 1):
                if mask[z, y, x]:
                    for k in range(27):
                        around[k] = mask[z + k // 9 - 1, y + k // 3 % 3 - 1, x + k % 3 - 1]
                    around[13] = False
                    found[z, y, x] = _split(around, queue)
    return found


@nb.njit(cache=True, nogil=True)
def _split(around, queue):  # type: ignore[no-untyped-def]
    """Whether the middles of a cube's faces, where they are set, lie in separate parts: floods one after the other."""
    parts = 0
    for seed in (4, 10, 12, 14, 16, 22):
        if around[seed]:
            parts += 1
            around[seed] = False
            queue[0], first, last = seed, 0, 1
            while first < last:
                at = queue[first]
                first += 1
                for stride in (1, 3, 9):
                    place = at // stride % 3
                    for step in (-1, 1):
                        if 0 <= place + step < 3 and around[at + step * stride]:
                            around[at + step * stride] = False
                            queue[last] = at + step * stride
                            last += 1
    return parts > 1
