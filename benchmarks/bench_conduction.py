"""Steady conduction beside pyamg: a random two-phase block of 128^3 voxels, contrast 10^4, to a residual of 1e-6.

``python -m benchmarks conduction``. Both start from the same conductances; CPU seconds of set-up and solve together.
With ``LARGE=1`` in the environment the iterations are counted up to 256^3.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import time
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from operando.electrochemistry.finite_volume import (
    Faces,
    conductances_from_conductivity,
    on_side,
    side_conductance_from_conductivity,
)
from operando.electrochemistry.multigrid import Solution, solve

Array = npt.NDArray[Any]

CONTRAST, RESIDUAL, SIDE = 1e4, 1e-6, 128


def main() -> None:
    """Print iterations against size, then the times of each solver."""
    _ours(*_problem(16))
    print(f"{'voxels':>10}{'iterations':>12}{'CPU s':>9}{'wall s':>9}")
    for n in (64, 128, 192, 256) if os.environ.get("LARGE") else (64, 128):
        cpu, wall, found = _timed(lambda n=n: _ours(*_problem(n)), _problem_seconds(n))
        print(f"{n:>8}^3{found.iterations:12}{cpu:9.2f}{wall:9.2f}")
    conductances, b = _problem(SIDE)
    print(f"\n{SIDE}^3{'':24}{'CPU s':>9}{'ratio':>8}{'wall s':>9}{'iterations':>12}{'residual':>11}")
    ours, wall, found = _timed(lambda: _ours(conductances, b))
    print(f"{'operando':29}{ours:9.2f}{1.0:8.1f}{wall:9.2f}{found.iterations:12}{found.residual:11.1e}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if importlib.util.find_spec("pyamg") is None:
        print(f"{'pyamg':29} not installed")
    else:
        for name in ("ruge_stuben_solver", "smoothed_aggregation_solver"):
            cpu, wall, (count, residual) = _timed(lambda name=name: _pyamg(name, conductances, b))
            print(f"{'pyamg ' + name[:-7]:29}{cpu:9.2f}{cpu / ours:8.1f}{wall:9.2f}{count:12}{residual:11.1e}")
    print(f"peak memory before the peers {peak:.2f} GiB")


def _problem(n: int) -> tuple[Faces, Array]:
    """Conductances between electrodes on both ends of x, and what 1 V at the first drives in."""
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(n, n, n)), 2.0)
    conductivity = np.where(noise > np.median(noise), 1.0, 1 / CONTRAST)
    unit = (1.0, 1.0, 1.0)
    conductances = conductances_from_conductivity(conductivity=conductivity, spacing=unit)
    for side in ("-x", "+x"):
        on_side(conductances, side)[...] = side_conductance_from_conductivity(
            conductivity=conductivity, side=side, spacing=unit
        )
    b = np.zeros_like(conductivity)
    b[:, :, 0] = on_side(conductances, "-x")
    return conductances, b


def _problem_seconds(n: int) -> float:
    """CPU time of making the problem, to be taken off."""
    return _timed(lambda: _problem(n))[0]


def _timed(work: Any, less: float = 0.0) -> tuple[float, float, Any]:
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return time.process_time() - cpu - less, time.perf_counter() - wall - less, result


def _ours(conductances: Faces, b: Array) -> Solution:
    return solve(conductances=conductances, diagonal=np.zeros_like(b), b=b, tolerance=RESIDUAL)


def _pyamg(name: str, conductances: Faces, b: Array) -> tuple[int, float]:
    import pyamg
    from scipy import sparse

    index = np.arange(b.size).reshape(b.shape)
    diagonal, parts = np.zeros_like(b), []
    for axis, faces in enumerate(conductances):
        moved, at = np.moveaxis(faces, axis, 0), np.moveaxis(index, axis, 0)
        np.moveaxis(diagonal, axis, 0)[...] += moved[1:] + moved[:-1]
        parts.append((-moved[1:-1].ravel(), at[:-1].ravel(), at[1:].ravel()))
    values, rows, columns = (np.concatenate(p) for p in zip(*parts, strict=True))
    upper = sparse.csr_array((values, (rows, columns)), shape=(b.size, b.size))
    matrix = sparse.csr_matrix(upper + upper.T + sparse.diags_array(diagonal.ravel()))
    history: list[float] = []
    u = getattr(pyamg, name)(matrix).solve(b.ravel(), tol=RESIDUAL, accel="cg", residuals=history)
    return len(history) - 1, float(np.linalg.norm(b.ravel() - matrix @ u) / np.linalg.norm(b))


if __name__ == "__main__":
    main()
