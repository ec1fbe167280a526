"""Resolved cells: the 2-D cross-section through 4 minutes of 5C, and one coupled step of a volume.

``python benchmarks/bench_resolved_cell.py [--voxels 128] [--voxel 100]``; processor seconds, which a busy
machine leaves as they are. The peer of the section is NGSolve (benchmarks/section_finite_elements.py, run apart).
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.electrochemistry.protocol import galvanostatic
from operando.electrochemistry.resolved.builtin import (
    cell_from_microstructure,
    garnet,
    lithium_cobalt_oxide,
    lithium_metal,
)
from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.run import run_protocol
from operando.frames import Grid


def volume(edge: int) -> ResolvedCell:
    """Random active material and electrolyte before an electrolyte and lithium."""
    noise = gaussian_filter(np.random.default_rng(1).standard_normal((edge,) * 3), 3, mode="wrap")
    active = noise > np.quantile(noise, 0.45)
    active[:, :, 3 * edge // 4 :] = False
    labels = np.where(active, 0, 1).astype(np.uint8)
    labels[:, :, -3:] = 2
    return ResolvedCell(
        phases=xr.DataArray(labels, dims=("z", "y", "x"), attrs={"phases": ("active", "electrolyte", "lithium")}),
        materials={"active": lithium_cobalt_oxide(), "electrolyte": garnet(), "lithium": lithium_metal()},
        grid=Grid(shape=labels.shape, spacing=(1e-7, 1e-7, 1e-7), origin=(0.0, 0.0, 0.0)),
    )


def timed(name: str, cell: ResolvedCell, current: float, duration: float, tolerance: float) -> None:
    """Run once to compile and once to time."""
    for attempt in ("with compiling", "compiled"):
        start = time.process_time()
        run = run_protocol(cell, protocol=[galvanostatic(current, duration)], lithiation=0.9, tolerance=tolerance)
        spent, steps = time.process_time() - start, len(run.time) - 1
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        print(
            f"{name:24} {attempt:16} {steps:4} steps {spent:8.1f} s {spent / max(steps, 1):8.2f} s/step {peak:6.2f} GB"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--voxels", type=int, default=128)
    parser.add_argument("--voxel", type=float, default=100.0, help="of the section [nm]")
    chosen = parser.parse_args()
    structure = microstructure_from_scene(load_scene("llzo-section").at_voxel(chosen.voxel * 1e-9))
    timed("section, 5C, 240 s", cell_from_microstructure(structure), 47.0, 240.0, 2e-3)
    if chosen.voxels:
        timed(f"volume {chosen.voxels}^3, 0.3 s", volume(chosen.voxels), 20.0, 0.3, 1.0)


if __name__ == "__main__":
    main()
