"""The area of grain boundaries on voxels, whose staircase of faces is too large at every resolution.

A boundary of area A and area-specific resistance R conducts A/R. Each face of its staircase stands for the area
``w A_face`` with ``w = |n . e|``, so that it conducts ``w A_face / R``: its own area-specific resistance is R/w. The
half voxels in series with it keep the whole face: the current fills them, and without a boundary w must not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from operando.electrochemistry.finite_volume import Faces
from operando.electrochemistry.interface_area import slope_along, smoothing_width

Array = npt.NDArray[Any]

SMALLEST_SHARE = 0.01
"""Faces that lie along the normal stand for no area; they keep this much, or their resistance would be infinite."""

_REACH = 2
"""Voxels around a grain in which its slopes on faces are needed: one beside the face, and one more for a difference."""


def resistances_between_grains(*, grains: Array, resistance: float, spacing: tuple[float, float, float]) -> Faces:
    """Area-specific resistance of every face between two different grains [Ohm m^2]; 0 within a grain.

    A face of a staircase has more than `resistance`, for the boundary has less area.

    Parameters
    ----------
    grains:
        ``(z, y, x)``, the number of each voxel's grain; 0 is no grain, and has no grain boundary.
    resistance:
        Of one grain boundary [Ohm m^2].
    spacing:
        Voxel size ``(z, y, x)``, in any unit.
    """
    resistances = [resistance * shares for shares in inverse_shares(grains=grains, spacing=spacing)]
    return Faces(*resistances)


def inverse_shares(*, grains: Array, spacing: tuple[float, float, float]) -> Faces:
    """``1 / w`` of every face between two grains: what its resistance is to be multiplied by; 0 of all other faces.

    The normal n is the slope of ``a / (a + b)`` with the two grains' indicators, each smoothed. No third grain or phase
    enters, so that a boundary keeps its direction up to the line where three meet.

    Parameters
    ----------
    grains:
        ``(z, y, x)``, the number of each voxel's grain; 0 is no grain, and has no grain boundary.
    spacing:
        Voxel size ``(z, y, x)``, in any unit.
    """
    low, high, axis = _boundaries(grains)
    felt = _felt_on_faces(grains, spacing, low, high)
    first, second = felt[: low.size], felt[low.size :]
    normal = second[:, :1] * first[:, 1:] - first[:, :1] * second[:, 1:]
    length = np.linalg.norm(normal, axis=1)
    along = np.abs(np.take_along_axis(normal, axis[:, None], 1)[:, 0])
    share = np.divide(along, length, out=np.ones(low.size), where=length > 0)
    return _on_faces(grains.shape, low, axis, 1 / np.maximum(share, SMALLEST_SHARE))


def _boundaries(grains: Array) -> tuple[Array, Array, Array]:
    """Flat numbers of the voxels before and after each face between two grains, and the face's axis."""
    numbers, found = np.arange(grains.size).reshape(grains.shape), []
    for axis in range(3):
        moved, at = np.moveaxis(grains, axis, 0), np.moveaxis(numbers, axis, 0)
        met = (moved[1:] != moved[:-1]) & (moved[1:] > 0) & (moved[:-1] > 0)
        found.append((at[:-1][met], at[1:][met], np.full(int(met.sum()), axis)))
    low, high, axes = (np.concatenate(part) for part in zip(*found, strict=True))
    return low, high, axes


def _felt_on_faces(grains: Array, spacing: tuple[float, float, float], low: Array, high: Array) -> Array:
    """Smoothed indicator of a grain and its three slopes on each face: of the grain before it, then of the one after.

    Twice the mean over the two voxels.
    """
    of = np.concatenate([grains.ravel()[low], grains.ravel()[high]])
    order = np.argsort(of, kind="stable")
    present, starts = np.unique(of[order], return_index=True)
    felt = np.zeros((of.size, 4))
    if not present.size:
        return felt
    windows = _smoothed_grains(grains, spacing, present)
    for members, (window, values) in zip(np.split(order, starts[1:]), windows, strict=True):
        for voxel in (low, high):
            place = np.unravel_index(voxel[members % low.size], grains.shape)
            inside = tuple(p - w.start for p, w in zip(place, window, strict=True))
            felt[members] += values[(slice(None), *inside)].T
    return felt


def _smoothed_grains(
    grains: Array, spacing: tuple[float, float, float], present: Array
) -> Iterator[tuple[tuple[slice, ...], Array]]:
    """Window around each grain, and its smoothed indicator with the three slopes there.

    Outside the window the indicator is zero, as its edge is, so that the window changes nothing.
    """
    from scipy import ndimage

    labels = np.where(np.isin(grains, present), np.searchsorted(present, grains) + 1, 0)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        window = tuple(slice(max(s.start - _REACH, 0), s.stop + _REACH) for s in box)
        width = smoothing_width(spacing, grains.shape)
        smooth = ndimage.gaussian_filter((labels[window] == number).astype(float), width, mode="nearest")
        yield window, np.stack([smooth, *(slope_along(smooth, axis, spacing[axis]) for axis in range(3))])


def _on_faces(shape: tuple[int, ...], low: Array, axis: Array, values: Array) -> Faces:
    faces = []
    for k in range(3):
        found = np.zeros([n + (a == k) for a, n in enumerate(shape)])
        place = list(np.unravel_index(low[axis == k], shape))
        place[k] = place[k] + 1
        found[tuple(place)] = values[axis == k]
        faces.append(found)
    return Faces(*faces)
