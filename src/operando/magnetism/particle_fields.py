"""Fields of labelled bodies, one by one, at the pixels of a map: the columns of an inversion on known geometry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft
import xarray as xr
from scipy.interpolate import make_interp_spline
from scipy.ndimage import find_objects

from operando.errors import InputError
from operando.frames import Grid
from operando.magnetism.fields_fourier import Frame
from operando.magnetism.kernels import magnetic_kernel
from operando.units import in_units

Array = npt.NDArray[Any]

PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Components that each element of the kernel joins."""

MOST_BYTES = 2**28
"""Of spectra held at once; more bodies are done in turns."""

_FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
_NODES = 5
"""Of the quadrature over a point spread."""


@dataclass(frozen=True)
class Magnetised:
    """How bodies are magnetised and from where they are seen.

    Attributes
    ----------
    applied_field:
        ``(x, y, z)`` [T]; a body of susceptibility chi has ``M = chi B0 / mu0``.
    heights, weights:
        Planes above the labels' upper face that the sensor averages [m], with their shares.
    """

    applied_field: Sequence[float] | Array
    heights: tuple[float, ...]
    weights: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class MapPixels:
    """Where the values of a map were taken.

    Attributes
    ----------
    y, x:
        Centres [m], ascending.
    directions:
        Unit vectors along which the field was measured, ``(direction, 3)``.
    point_spread:
        Full width at half height of the optics [m].
    mean_over_pixel:
        Whether a value is the mean over its pixel, as a camera's, and not that at its centre, as a tip's.
    """

    y: Array
    x: Array
    directions: Array
    point_spread: float = 0.0
    mean_over_pixel: bool = False

    def sampling(self, axis: str, plane: Array) -> Array:
        """Matrix that takes values at the coordinates `plane` to those of the map's pixels along ``y`` or ``x``."""
        at = getattr(self, axis)
        offsets, weights = self._spread(float(np.diff(at).mean()))
        spline = make_interp_spline(plane, np.eye(plane.size), k=3)
        return np.asarray(sum(w * spline(at + o) for o, w in zip(offsets, weights, strict=True)))

    def _spread(self, pixel: float) -> tuple[Array, Array]:
        offsets, weights = np.zeros(1), np.ones(1)
        if self.point_spread > 0:
            nodes, shares = np.polynomial.hermite_e.hermegauss(_NODES)
            offsets, weights = nodes * self.point_spread / _FWHM_PER_SIGMA, shares / shares.sum()
        if self.mean_over_pixel:
            nodes, shares = np.polynomial.legendre.leggauss(3)
            offsets = np.add.outer(offsets, nodes * pixel / 2).ravel()
            weights = np.multiply.outer(weights, shares / 2).ravel()
        return offsets, weights

    @property
    def reach(self) -> float:
        """Distance from a pixel's centre within which its value is made [m]."""
        return float(np.abs(self._spread(float(np.diff(self.y).mean()))[0]).max())


def labels_from_labelled(labels: xr.DataArray) -> Array:
    """Read labels ``(z, y, x)``: integers, 0 where nothing is asked for.

    Raises
    ------
    InputError
        If they are no whole numbers, negative, or all 0.
    """
    if set(labels.dims) != {"z", "y", "x"}:
        raise InputError("labels", must="with dims z, y, x", received=f"dims {tuple(labels.dims)}")
    values = labels.transpose("z", "y", "x").values
    if values.dtype.kind not in "iu" or values.min() < 0 or values.max() == 0:
        must = "whole numbers, one for each body, and 0 elsewhere"
        raise InputError("labels", must=must, received=f"{values.dtype} from {values.min()} to {values.max()}")
    return np.asarray(values, dtype=np.int64)


def pixels_from_map(
    field: xr.DataArray, *, directions: Array, point_spread: float = 0.0, mean_over_pixel: bool = False
) -> MapPixels:
    """Read where a labelled map was taken; see `MapPixels`.

    Raises
    ------
    InputError
        If a coordinate is missing, or falls, or a side has a single pixel.
    """
    sides = {}
    for axis in ("y", "x"):
        if axis not in field.coords or field.sizes.get(axis, 0) < 2:
            raise InputError(f"coordinate {axis}", must="given for two pixels or more", received=dict(field.sizes))
        sides[axis] = in_units(field.coords[axis], unit="m", name=axis).values.astype(float)
        if not (np.diff(sides[axis]) > 0).all():
            raise InputError(f"coordinate {axis}", must="ascending", received=sides[axis][:4])
    return MapPixels(
        **sides, directions=np.asarray(directions, float), point_spread=point_spread, mean_over_pixel=mean_over_pixel
    )


def body_fields(
    labels: Array, *, grid: Grid, pixels: MapPixels, cases: Sequence[Magnetised], filling: Array | None = None
) -> Array:
    """Field of every labelled body of unit susceptibility, alone.

    ``B_u = u . K B0`` with the exact kernel of the voxels, summed in Fourier space on the plane of the voxels and
    interpolated to the map's pixels by cubic splines: the sensor should be no nearer than a voxel.

    Parameters
    ----------
    labels:
        ``(z, y, x)``, 0 for nothing and 1 to n.
    cases:
        Ways to be magnetised and seen; all share the labels' transforms.
    filling:
        ``(z, y, x)``: how much of its voxel a body fills, or anything else that its magnetisation is multiplied with.

    Returns
    -------
    ``(case, body, direction, y, x)`` [T].

    Raises
    ------
    InputError
        If a sensor's height is less than a voxel.
    """
    nearest = min(min(case.heights) for case in cases)
    if nearest < 0.999 * max(grid.spacing):
        remedy = "Label on finer voxels, or continue the map upward first."
        must = f"at least one voxel ({max(grid.spacing):.3g} m) above the labels"
        raise InputError("stand-off", must=must, received=f"{nearest:.3g} m", remedy=remedy)
    frame = Frame(shape=(grid.shape[1], grid.shape[2]), margin=_margin(grid, pixels))
    plane = {
        axis: grid.origin[i] + grid.spacing[i] * np.arange(-frame.margin, grid.shape[i] + frame.margin)
        for i, axis in ((1, "y"), (2, "x"))
    }
    rows, columns = pixels.sampling("y", plane["y"]), pixels.sampling("x", plane["x"])
    count, sensed = int(labels.max()), len(cases) * len(pixels.directions)
    found = find_objects(labels)
    fields = np.zeros((count, sensed, len(pixels.y), len(pixels.x)))
    spectrum_bytes = 16 * frame.padded[0] * (frame.padded[1] // 2 + 1)
    group = max(1, MOST_BYTES // (sensed * spectrum_bytes))
    for first in range(0, count, group):
        bodies = [b for b in range(first, min(first + group, count)) if found[b] is not None]
        for body, total in _spectra(labels, filling, bodies, found, frame, grid, pixels.directions, cases):
            fields[body] = rows @ frame.image(total) @ columns.T
    shaped = fields.reshape(count, len(cases), len(pixels.directions), len(pixels.y), len(pixels.x))
    return np.moveaxis(shaped, 0, 1)


def _margin(grid: Grid, pixels: MapPixels) -> int:
    """Voxels by which the map overhangs the labels, with room for a spline."""
    overhang = [
        max(grid.coordinate(axis)[0] - at[0], at[-1] - grid.coordinate(axis)[-1]) / grid.spacing["zyx".index(axis)]
        for axis, at in (("y", pixels.y), ("x", pixels.x))
    ]
    spread = pixels.reach / min(grid.spacing[1:])
    return max(0, int(np.ceil(max(overhang) + spread))) + 3


def _spectra(
    labels: Array,
    filling: Array | None,
    bodies: Sequence[int],
    found: list[Any],
    frame: Frame,
    grid: Grid,
    directions: Array,
    cases: Sequence[Magnetised],
) -> Iterable[tuple[int, Array]]:
    """Spectra ``(case and direction, ky, kx)`` of the planes above bodies, summed over their layers."""
    totals = {b: frame.empty_spectrum(len(cases) * len(directions)) for b in bodies}
    waves = [np.exp(-1j * np.outer(_wavenumbers(n, half), np.arange(size))) for n, half, size in _axes(frame)]
    for layer in range(grid.shape[0]):
        here = [b for b in bodies if found[b][0].start <= layer < found[b][0].stop]
        if not here:
            continue
        kernel = _layer_kernel(layer, frame, grid, directions, cases)
        for b in here:
            _, y, x = found[b]
            crop = (labels[layer, y, x] == b + 1).astype(float)
            if filling is not None:
                crop *= filling[layer, y, x]
            totals[b] += (waves[0][:, y] @ crop @ waves[1][:, x].T) * kernel
    return totals.items()


def _axes(frame: Frame) -> tuple[tuple[int, bool, int], tuple[int, bool, int]]:
    ny, nx = frame.padded
    return (ny, False, frame.shape[0]), (nx, True, frame.shape[1])


def _wavenumbers(n: int, half: bool) -> Array:
    return np.asarray(2 * np.pi * (scipy.fft.rfftfreq(n) if half else scipy.fft.fftfreq(n)))


def _layer_kernel(layer: int, frame: Frame, grid: Grid, directions: Array, cases: Sequence[Magnetised]) -> Array:
    """Spectra of the field along each direction of one voxel of a layer in each case."""
    (dz, dy, dx), (rows, columns) = grid.spacing, frame.reach
    depth = (grid.shape[0] - layer - 0.5) * dz
    heights = sorted({h for case in cases for h in case.heights})
    kernel = frame.empty_spectrum(len(cases) * len(directions))
    by_case = kernel.reshape(len(cases), len(directions), *kernel.shape[1:])
    for height in heights:
        octants = magnetic_kernel(
            x=dx * np.arange(columns + 1), y=dy * np.arange(rows + 1), z=height + depth, edges=(dx, dy, dz)
        )
        shares = np.array([sum(w for h, w in zip(c.heights, c.weights, strict=True) if h == height) for c in cases])
        applied = shares[:, None] * np.array([c.applied_field for c in cases])
        for octant, (i, j) in zip(octants, PAIRS, strict=True):
            joined = applied[:, None, j] * directions[None, :, i]
            if i != j:
                joined = joined + applied[:, None, i] * directions[None, :, j]
            if joined.any():
                odd = [(i == axis) != (j == axis) for axis in (1, 0)]
                by_case += joined[..., None, None] * frame.octant_spectrum(octant, odd_y=odd[0], odd_x=odd[1])
    return kernel
