"""Cone-beam reconstruction (FDK) beside itk-rtk: voxel updates per CPU second and bias inside a sphere.

The time is that of the whole reconstruction: weighting, filtering and back-projection; ours includes the variance.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.tomography.axis import RotationAxis
from operando.tomography.cone import cone_grid, volume_from_cone_beam
from operando.tomography.scan import ConeBeam

Array = npt.NDArray[Any]

BEAM = ConeBeam(pixel=150e-6, source_to_object=0.089, source_to_detector=0.573)
PROJECTIONS, ROWS, COLUMNS = 360, 200, 256
ANGLE = 2 * np.pi * np.arange(PROJECTIONS) / PROJECTIONS
CENTRE, MIDPLANE = (COLUMNS - 1) / 2, (ROWS - 1) / 2
RADIUS, ATTENUATION = 70 * BEAM.voxel, 500.0


def main() -> None:
    """Print one row for each tool."""
    frame = _sphere()
    seconds, volume, updates = _operando(frame)
    print(f"{PROJECTIONS} projections of {ROWS} x {COLUMNS} pixels")
    print(f"{'':28}{'CPU s':>9}{'M updates/CPU s':>17}{'ratio':>7}{'bias, midplane':>16}{'whole':>10}")
    _row("operando, with variance", seconds, updates, volume, seconds / updates)
    if importlib.util.find_spec("itk") is None:
        print(f"{'itk-rtk':28} not installed")
        return
    theirs, other, count = _rtk(frame)
    _row("itk-rtk", theirs, count, other, seconds / updates)


def _row(name: str, seconds: float, updates: int, volume: Array, reference: float) -> None:
    z, y, x = (np.arange(n) - (n - 1) / 2 for n in volume.shape)
    inside = np.hypot(np.hypot(x, y[:, None]), z[:, None, None]) < 0.85 * RADIUS / BEAM.voxel
    middle = inside & (np.abs(z) < 1.1)[:, None, None]
    bias = [volume[mask].mean() / ATTENUATION - 1 for mask in (middle, inside)]
    ratio = seconds / updates / reference
    print(f"{name:28}{seconds:9.2f}{updates / seconds / 1e6:17.0f}{ratio:7.1f}{bias[0]:+16.1e}{bias[1]:+10.1e}")


def _sphere() -> Array:
    """Exact projection of a sphere on the axis, the same from all angles."""
    u = (np.arange(COLUMNS) - CENTRE) * BEAM.pixel
    v = (np.arange(ROWS) - MIDPLANE)[:, None] * BEAM.pixel
    across = np.hypot(u, v)
    nearest = BEAM.source_to_object * across / np.hypot(across, BEAM.source_to_detector)
    return (2 * ATTENUATION * np.sqrt(np.clip(RADIUS**2 - nearest**2, 0, None))).astype(np.float32)


def _timed(work: Callable[[], Array]) -> tuple[float, Array]:
    work()
    start = time.process_time()
    volume = work()
    return time.process_time() - start, volume


def _operando(frame: Array) -> tuple[float, Array, int]:
    dims = ("projection", "row", "column")
    frames = np.repeat(frame[None], PROJECTIONS, axis=0)
    corrected = xr.Dataset(
        {
            "line_integral": (dims, frames),
            "line_integral_var": (dims, np.exp(frames) / 300),
            "line_integral_shared_var": (dims[1:], np.full(frame.shape, 1e-4)),
        },
        coords={
            "angle": ("projection", ANGLE),
            "row": np.arange(ROWS) * BEAM.pixel,
            "column": np.arange(COLUMNS) * BEAM.pixel,
        },
    )
    axis = RotationAxis(CENTRE)
    side = int(COLUMNS * 0.69) // 2 * BEAM.voxel  # a square within the circle that all projections see
    grid = cone_grid(corrected, BEAM, axis, midplane=MIDPLANE, half_width=side)
    seconds, volume = _timed(
        lambda: volume_from_cone_beam(corrected, BEAM, axis, midplane=MIDPLANE, grid=grid).attenuation.values
    )
    return seconds, volume, volume.size * PROJECTIONS


def _rtk(frame: Array) -> tuple[float, Array, int]:
    import itk

    rtk = itk.RTK
    itk.MultiThreaderBase.SetGlobalMaximumNumberOfThreads(1)
    image = itk.Image[itk.F, 3]
    geometry = rtk.ThreeDCircularProjectionGeometry.New()
    for angle in np.degrees(ANGLE):
        geometry.AddProjection(1e3 * BEAM.source_to_object, 1e3 * BEAM.source_to_detector, float(angle))
    stack = itk.image_from_array(np.repeat(frame[None], PROJECTIONS, axis=0))
    pixel, voxel, side = 1e3 * BEAM.pixel, 1e3 * BEAM.voxel, int(COLUMNS * 0.69) // 2 * 2
    stack.SetSpacing([pixel, pixel, 1.0])
    stack.SetOrigin([-CENTRE * pixel, -MIDPLANE * pixel, 0.0])
    shape = (side, ROWS - 30, side)

    def reconstructed() -> Array:
        empty = rtk.ConstantImageSource[image].New()
        empty.SetOrigin([-(n - 1) / 2 * voxel for n in shape])
        empty.SetSpacing([voxel] * 3)
        empty.SetSize(shape)
        fdk = rtk.FDKConeBeamReconstructionFilter[image].New()
        fdk.SetInput(0, empty.GetOutput())
        fdk.SetInput(1, stack)
        fdk.SetGeometry(geometry)
        fdk.GetRampFilter().SetTruncationCorrection(0.0)
        fdk.Update()
        # its rotation axis is the second one; lengths were millimetres
        return np.asarray(1e3 * np.moveaxis(itk.array_from_image(fdk.GetOutput()), 1, 0))

    seconds, volume = _timed(reconstructed)
    return seconds, volume, volume.size * PROJECTIONS


if __name__ == "__main__":
    main()
