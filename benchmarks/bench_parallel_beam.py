"""One parallel-beam slice from 799 projections of 512 pixels, beside algotom, astra-toolbox and scikit-image.

CPU seconds per slice, bias inside a disk of known attenuation, and what air reads, relative to the disk.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.tomography.axis import RotationAxis
from operando.tomography.parallel import volume_from_line_integrals

Array = npt.NDArray[Any]

PROJECTIONS, WIDTH, SLICES, CENTRE = 799, 512, 32, 255.5
ANGLE = np.pi * np.arange(PROJECTIONS) / PROJECTIONS
DISK = (20.0, -15.0, 180.0)
"""x, y, radius [pixels]."""
ATTENUATION = 0.98 / 100


def main() -> None:
    """Print one row for each tool."""
    s = np.arange(WIDTH) - CENTRE
    offset = s - (DISK[0] * np.cos(ANGLE) + DISK[1] * np.sin(ANGLE))[:, None]
    sinogram = (2 * ATTENUATION * np.sqrt(np.clip(DISK[2] ** 2 - offset**2, 0, None))).astype(np.float32)
    seconds, ours = _operando(sinogram)
    print(f"{PROJECTIONS} projections x {WIDTH} pixels to {WIDTH} x {WIDTH} voxels")
    print(f"{'':28}{'CPU s/slice':>12}{'ratio':>8}{'bias':>11}{'air':>11}")
    _row("operando, with variance", seconds, seconds, ours)
    for name, peer in (("algotom", _algotom), ("astra", _astra), ("skimage", _skimage)):
        if importlib.util.find_spec(name) is None:
            print(f"{name:28} not installed")
        else:
            _row(name, *_timed(lambda peer=peer: peer(sinogram)), reference=seconds)


def _row(name: str, seconds: float, *rest: Any, reference: float | None = None) -> None:
    image = rest[-1]
    y, x = np.mgrid[:WIDTH, :WIDTH] - (WIDTH - 1) / 2
    # peers turn or mirror the image: the disk is looked for at the place where it shows
    inside, outside = min(
        ((np.hypot(x - dx, y - dy) < DISK[2] - 5, np.hypot(x - dx, y - dy) > DISK[2] + 5) for dx, dy in _places()),
        key=lambda masks: float(np.std(image[masks[0]])),
    )
    outside &= np.hypot(x, y) < WIDTH / 2 - 2
    bias, air = image[inside].mean() / ATTENUATION - 1, image[outside].mean() / ATTENUATION
    print(f"{name:28}{seconds:12.3f}{seconds / (reference or seconds):8.1f}{bias:+11.1e}{air:+11.1e}")


def _places() -> list[tuple[float, float]]:
    a, b = DISK[:2]
    return [(i * p, j * q) for p, q in ((a, b), (b, a)) for i in (-1, 1) for j in (-1, 1)]


def _timed(work: Callable[[], Array]) -> tuple[float, Array]:
    work()
    start = time.process_time()
    image = work()
    return time.process_time() - start, image


def _operando(sinogram: Array) -> tuple[float, Array]:
    dims = ("projection", "row", "column")
    stack = np.repeat(sinogram[:, None], SLICES, axis=1)
    corrected = xr.Dataset(
        {
            "line_integral": (dims, stack),
            "line_integral_var": (dims, np.exp(stack) / 300),
            "line_integral_shared_var": (dims[1:], np.full((SLICES, WIDTH), 1e-4)),
        },
        coords={
            "angle": ("projection", ANGLE),
            "row": np.arange(float(SLICES)),
            "column": np.arange(float(WIDTH)),
        },
    )
    seconds, volume = _timed(
        lambda: volume_from_line_integrals(corrected, RotationAxis(CENTRE)).attenuation.values,
    )
    return seconds / SLICES, volume[0]


def _algotom(sinogram: Array) -> Array:
    from algotom.rec.reconstruction import fbp_reconstruction

    image = fbp_reconstruction(
        sinogram, CENTRE, angles=ANGLE, apply_log=False, gpu=False, filter_name=None, ratio=1.0, ncore=1
    )
    return np.asarray(image)


def _astra(sinogram: Array) -> Array:
    import astra

    volume = astra.create_vol_geom(WIDTH, WIDTH)
    projector = astra.create_projector("linear", astra.create_proj_geom("parallel", 1.0, WIDTH, ANGLE), volume)
    data, image = astra.data2d.create("-sino", astra.create_proj_geom("parallel", 1.0, WIDTH, ANGLE), sinogram), None
    image = astra.data2d.create("-vol", volume)
    settings = astra.astra_dict("FBP")
    settings |= {"ProjectionDataId": data, "ReconstructionDataId": image, "ProjectorId": projector}
    algorithm = astra.algorithm.create(settings)
    astra.algorithm.run(algorithm)
    values = np.asarray(astra.data2d.get(image))
    astra.clear()
    return values


def _skimage(sinogram: Array) -> Array:
    from skimage.transform import iradon

    # its axis falls on column 256 and cannot be given: the profile is moved by half a pixel
    moved = 0.5 * (sinogram + np.roll(sinogram, 1, axis=1))
    return np.asarray(iradon(moved.T, theta=np.degrees(ANGLE), filter_name="ramp", circle=True))


if __name__ == "__main__":
    main()
