"""Where one layer of the cell ends and the next begins, to a fraction of a voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy import ndimage

from operando.errors import InputError
from operando.frames import Array, grid_of


@dataclass(frozen=True)
class Interface:
    """Two neighbouring layers, the lower z first.

    Attributes
    ----------
    below, above:
        Names of the layers.
    position:
        Where the interface is expected [m].
    """

    below: str
    above: str
    position: float


@dataclass(frozen=True)
class Plane:
    """Plane ``z = offset + slope_x x + slope_y y`` through an interface.

    Attributes
    ----------
    covariance:
        Of ``(offset, slope_x, slope_y)``.
    roughness:
        Standard deviation of the interface about the plane [m].
    """

    offset: float
    slope_x: float
    slope_y: float
    covariance: Array
    roughness: float

    @property
    def sigma(self) -> float:
        """Standard deviation of the offset [m]."""
        return float(np.sqrt(self.covariance[0, 0]))


def layer_boundaries(
    volume: xr.DataArray,
    *,
    interfaces: Sequence[Interface],
    window: float,
    smoothing: float = 2.0,
    inside: xr.DataArray | None = None,
    threshold_scale: float = 1.0,
) -> xr.Dataset:
    """Find each interface in every column, where the grey value crosses half-way between the layers' plateaus.

    The plateaus are the medians of the layers half a window to one window away from the expected position, so a
    gradual change inside a layer (a delithiation front) moves the threshold little. The columns are smoothed
    across, never along z. The error is the noise of the smoothed grey value over its slope at the crossing.

    Parameters
    ----------
    volume:
        Attenuation or grey values ``(z, y, x)``.
    window:
        How far from its expected position an interface may lie [m].
    smoothing:
        Standard deviation of the smoothing across columns, in voxels.
    inside:
        Columns ``(y, x)`` that belong to the layers, such as those within the casing. All if absent.
    threshold_scale:
        Factor on the threshold, to see what its choice does.

    Returns
    -------
    Dataset with ``position`` [m], ``position_var`` [m^2], both ``(interface, y, x)``, NaN where a column shows no
    crossing, ``threshold`` and ``contrast`` ``(interface)`` in the volume's unit.

    Raises
    ------
    InputError
        If an interface lies outside the volume or its two layers do not differ.
    """
    grid = grid_of(volume)
    z = grid.coordinate("z")
    columns = np.ones(grid.shape[1:], dtype=bool) if inside is None else np.asarray(inside.values, dtype=bool)
    if columns.shape != grid.shape[1:] or not columns.any():
        raise InputError("inside", must=f"true in some columns, of shape {grid.shape[1:]}", received=columns.shape)
    shape = (len(interfaces), *grid.shape[1:])
    position, variance = np.full(shape, np.nan), np.full(shape, np.nan)
    thresholds, contrasts = [], []
    for i, interface in enumerate(interfaces):
        name = f"{interface.below}/{interface.above}"
        near = np.flatnonzero(np.abs(z - interface.position) <= window)
        if near.size < 6 or not z[0] < interface.position < z[-1]:
            raise InputError(
                f"interface {name}",
                must="inside the volume, three voxels or more from its ends",
                received=f"z = {interface.position:g} m with a window of {window:g} m",
            )
        values = np.asarray(volume.values[near], dtype=np.float32)
        below, above, noise = _plateaus(values, z[near] - interface.position, window, columns)
        if abs(above - below) < 2 * noise / np.sqrt(columns.sum()):
            raise InputError(
                f"layers {name}",
                must="of different grey value",
                received=f"{below:.4g} and {above:.4g}",
                remedy="Find this interface in the other modality, or in a scan where the layers differ.",
            )
        threshold = threshold_scale * (below + above) / 2
        smooth = _smoothed(values, columns, smoothing)
        position[i], slope = _crossings(smooth, z[near], threshold, rising=above > below)
        averaged = max(1.0, 4 * np.pi * smoothing**2)
        variance[i] = (noise / slope) ** 2 / averaged
        position[i][~columns] = variance[i][~columns] = np.nan
        thresholds.append(threshold)
        contrasts.append(above - below)
    coords = {**{a: volume.coords[a] for a in "yx"}, "interface": [f"{i.below}/{i.above}" for i in interfaces]}
    dims = ("interface", "y", "x")
    return xr.Dataset(
        {
            "position": (dims, position, {"units": "m"}),
            "position_var": (dims, variance, {"units": "m^2"}),
            "threshold": ("interface", thresholds, {"units": volume.attrs.get("units", "")}),
            "contrast": ("interface", contrasts, {"units": volume.attrs.get("units", "")}),
        },
        coords=coords,
        attrs={"smoothing_voxels": smoothing},
    )


def plane_from_boundary(boundary: xr.Dataset) -> Plane:
    """Fit a plane to one interface of `layer_boundaries`, robustly.

    The error of the plane comes from its residuals, counted once per patch of smoothed columns.

    Raises
    ------
    InputError
        If fewer than ten columns show the interface.
    """
    position = boundary["position"].values
    y, x = np.meshgrid(boundary.y.values, boundary.x.values, indexing="ij")
    seen = np.isfinite(position)
    if seen.sum() < 10:
        raise InputError("boundary", must="seen in ten columns or more", received=int(seen.sum()))
    design = np.stack([np.ones(seen.sum()), x[seen], y[seen]], axis=1)
    values = position[seen]
    weight = np.ones(values.size)
    for _ in range(10):
        root = np.sqrt(weight)
        solution = np.linalg.lstsq(root[:, None] * design, root * values, rcond=None)[0]
        residual = values - design @ solution
        limit = 2 * 1.4826 * np.median(np.abs(residual)) + 1e-12
        weight = np.minimum(1.0, limit / np.maximum(np.abs(residual), 1e-30))
    roughness = float(1.4826 * np.median(np.abs(residual)))
    shared = max(1.0, 4 * np.pi * float(boundary.attrs["smoothing_voxels"]) ** 2)
    covariance = np.linalg.inv(design.T @ (weight[:, None] * design)) * roughness**2 * shared
    offset, slope_x, slope_y = (float(s) for s in solution)
    return Plane(offset, slope_x, slope_y, covariance, roughness)


def _plateaus(values: Array, depth: Array, window: float, columns: Array) -> tuple[float, float, float]:
    """Medians below and above the interface, and the noise of a single voxel."""
    below, above = (values[side][:, columns] for side in (depth < -window / 2, depth > window / 2))
    noise = [1.4826 * np.median(np.abs(side - np.median(side))) for side in (below, above)]
    return float(np.median(below)), float(np.median(above)), float(max(noise))


def _smoothed(values: Array, columns: Array, sigma: float) -> Array:
    """Smooth across columns, taking only those inside."""
    if sigma <= 0:
        return values
    weight = ndimage.gaussian_filter(columns.astype(np.float32), sigma)
    spread = ndimage.gaussian_filter(values * columns, (0, sigma, sigma))
    return np.asarray(spread / np.maximum(weight, 1e-6))


def _crossings(values: Array, z: Array, threshold: float, *, rising: bool) -> tuple[Array, Array]:
    """Crossing of the threshold nearest the middle of the window in each column [m], and the slope there.

    A column that crosses several times, as noise makes it, is judged by where the two sides balance best.
    """
    above = (values > threshold) if rising else (values < threshold)
    # voxels on the wrong side if the interface lay between k and k + 1
    wrong = np.cumsum(above, axis=0)[:-1] + np.cumsum(~above[::-1], axis=0)[::-1][1:]
    crosses = ~above[:-1] & above[1:]
    best = np.where(crosses, wrong, values.shape[0] + 1).argmin(axis=0)
    found = crosses.any(axis=0)
    low, high = (np.take_along_axis(values, (best + k)[None], axis=0)[0] for k in (0, 1))
    step = np.where(found, high - low, np.nan)
    position = z[best] + (threshold - low) / step * (z[1] - z[0])
    wide_low = np.take_along_axis(values, np.maximum(best - 1, 0)[None], axis=0)[0]
    wide_high = np.take_along_axis(values, np.minimum(best + 2, values.shape[0] - 1)[None], axis=0)[0]
    slope = np.maximum(np.abs(wide_high - wide_low) / 3, np.abs(step) / 2) / (z[1] - z[0])
    return position, slope
