"""Stray and Oersted fields of voxels beside magpylib and harmonica: CPU time, agreement, and the largest source.

CPU seconds of all threads, so that a busy machine does not matter; peers that are not installed are named and skipped.
"""

from __future__ import annotations

import importlib.util
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from operando.frames import Grid, vectors_on_grid
from operando.magnetism.fields import current_field, stray_field

SIDE, STEP, HEIGHT = 100, 1e-7, 2e-7
DEPTHS = (16, 64)
"""Layers of the sources whose memory is measured."""

PART = 200
"""Voxels that a slow peer is timed on; its cost is their number times that of one."""


def main() -> None:
    """Print the comparison at 10^4 voxels and 10^4 points, then times of large sources."""
    source = _source((1, SIDE, SIDE))
    stray_field(source, heights=HEIGHT, grid=_grid((1, SIDE, SIDE)))
    ours, _ = _cpu(lambda: stray_field(source, heights=HEIGHT, grid=_grid((1, SIDE, SIDE))), repeats=5)
    print(f"{SIDE**2} voxels at {SIDE**2} points, three components")
    print(f"  {'operando':12}{ours:10.3f} CPU s")
    for name, peer in (("magpylib", _magpylib), ("harmonica", _harmonica)):
        if importlib.util.find_spec(name) is None:
            print(f"  {name:12} not installed")
            continue
        seconds, other = peer(source)
        part = stray_field(_first(source), heights=HEIGHT, grid=_grid((1, SIDE, SIDE)))
        compared = part.values if other.shape[0] == 3 else part.sel(component=["z"]).values
        error = np.abs(compared - other).max() / np.abs(compared).max()
        whole = seconds * SIDE**2 / PART
        ratio = f"{whole / ours:.0f} times ours"
        print(f"  {name:12}{whole:10.1f} CPU s (from {PART} voxels), {ratio}; differs by {error:.0e}")
    print(f"\n  {'source (x, y, z)':18}{'stray CPU s':>13}{'Oersted CPU s':>15}")
    for shape in ((16, 256, 256), (64, 512, 512)):
        large = _source(shape)
        stray, _ = _cpu(lambda: stray_field(large, heights=HEIGHT))  # noqa: B023
        amperes = large.assign_attrs(units="A/m^2")
        oersted, _ = _cpu(lambda: current_field(amperes, heights=HEIGHT))  # noqa: B023
        print(f"  {' x '.join(map(str, shape[::-1])):18}{stray:13.1f}{oersted:15.1f}")
    print("\n  peak memory of a process that computes the stray field of 512 x 512 voxels a layer")
    for depth in DEPTHS:
        # the peak of a process never falls: one for each
        command = [sys.executable, __file__, "--peak", str(depth)]
        print(f"  {subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()}")


def peak(depth: int) -> None:
    """Print the peak memory of this process, with its libraries, for a source of a depth in voxels."""
    source = _source((depth, 512, 512))
    stray_field(source, heights=HEIGHT)
    reached = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{depth:4} layers: {reached / 1e9:.2f} GB, of which the source itself is {source.nbytes / 1e9:.2f} GB")


def _grid(shape: tuple[int, int, int]) -> Grid:
    return Grid(shape=shape, spacing=(STEP,) * 3, origin=(-(shape[0] - 0.5) * STEP, 0.0, 0.0))


def _source(shape: tuple[int, int, int]) -> xr.DataArray:
    values = np.random.default_rng(0).normal(size=(3, *shape))
    return vectors_on_grid(values, _grid(shape), name="magnetisation", units="A/m")


def _first(source: xr.DataArray) -> xr.DataArray:
    values = np.zeros(source.shape)
    values.reshape(3, -1)[:, :PART] = source.values.reshape(3, -1)[:, :PART]
    return source.copy(data=values)


def _cpu(work: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    start = time.process_time()
    for _ in range(repeats):
        result = work()
    return (time.process_time() - start) / repeats, result


def _places(source: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Centres of the first voxels and all points, ``(n, 3)`` in the order x, y, z [m]."""
    y, x = (a.ravel() for a in np.meshgrid(source.y, source.x, indexing="ij"))
    z = float(source.z[0])
    return np.column_stack([x, y, 0 * x + z])[:PART], np.column_stack([x, y, 0 * x + HEIGHT])


def _magpylib(source: xr.DataArray) -> tuple[float, np.ndarray]:
    import magpylib

    centres, points = _places(source)
    moments = source.values.reshape(3, -1)[:, :PART].T
    cuboids = [
        magpylib.magnet.Cuboid(position=c, dimension=(STEP,) * 3, magnetization=m)
        for c, m in zip(centres, moments, strict=True)
    ]
    seconds, field = _cpu(lambda: magpylib.getB(cuboids, points, sumup=True))
    return seconds, field.T.reshape(3, SIDE, SIDE)


def _harmonica(source: xr.DataArray) -> tuple[float, np.ndarray]:
    import harmonica

    centres, points = _places(source)
    prisms = np.column_stack(
        [f(centres[:, i]) for i in range(3) for f in (lambda c: c - STEP / 2, lambda c: c + STEP / 2)]
    )
    moments = tuple(source.values.reshape(3, -1)[:, :PART])
    arguments = (tuple(points.T), prisms, moments)
    harmonica.prism_magnetic(*arguments, field="b_u", parallel=False)
    seconds, upward = _cpu(lambda: harmonica.prism_magnetic(*arguments, field="b_u", parallel=False))
    return seconds, upward.reshape(1, SIDE, SIDE) * 1e-9


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        peak(int(sys.argv[2]))
    else:
        main()
