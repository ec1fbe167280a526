"""Tortuosity of a random phase of 200^3 voxels beside TauFactor on CPU: ``python -m benchmarks tortuosity``.

TauFactor stops where its flow is uniform enough; it is given its default criterion and a tighter one. Each answer is
held against ours at a closure of 1e-9. ``SIDE`` in the environment sets another size.
"""

from __future__ import annotations

import importlib.util
import os
import time
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from operando.electrochemistry.tortuosity import transport_through_phase
from operando.frames import Grid

Array = npt.NDArray[Any]

SIDE = int(os.environ.get("SIDE", "200"))


def main() -> None:
    """Print one row for each solver and criterion."""
    _ours(_phase(16), 1e-5)
    phase = _phase(SIDE)
    truth = _ours(phase, 1e-9)
    print(f"{SIDE}^3, tortuosity {truth:.7f}")
    print(f"{'':34}{'CPU s':>9}{'ratio':>8}{'wall s':>9}{'error':>11}")
    reference = 0.0
    for closure in (1e-3, 1e-5):
        cpu, wall, found = _timed(lambda closure=closure: _ours(phase, closure))
        reference = reference or cpu
        print(f"{f'operando, closure {closure:g}':34}{cpu:9.2f}{cpu / reference:8.1f}{wall:9.2f}{found - truth:11.1e}")
    if importlib.util.find_spec("taufactor") is None:
        print(f"{'TauFactor':34} not installed")
        return
    for criterion in (1e-2, 1e-3):
        cpu, wall, found = _timed(lambda criterion=criterion: _taufactor(phase, criterion))
        name = f"TauFactor, criterion {criterion:g}"
        print(f"{name:34}{cpu:9.2f}{cpu / reference:8.1f}{wall:9.2f}{found - truth:11.1e}")


def _phase(n: int) -> Array:
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(n, n, n)), 2.0)
    return np.asarray(noise > -0.3 * noise.std())


def _timed(work: Any) -> tuple[float, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return time.process_time() - cpu, time.perf_counter() - wall, result


def _ours(phase: Array, closure: float) -> float:
    grid = Grid(shape=phase.shape, spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0))
    return transport_through_phase(phase=phase, grid=grid, axis="z", tolerance=closure).tortuosity


def _taufactor(phase: Array, criterion: float) -> float:
    import taufactor

    solver = taufactor.Solver(phase.astype(int), device="cpu")
    solver.solve(conv_crit=criterion, iter_limit=20000, verbose=False)
    return float(np.asarray(solver.tau).ravel()[0])


if __name__ == "__main__":
    main()
