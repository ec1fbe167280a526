"""A time step of the voxel porous electrode, its linear solver beside a sparse factorisation and pyamg, and a charge.

Wall and CPU seconds: the solver uses all cores, and a busy machine shows in the first most. pyamg is skipped by name
where it is not installed. `charge` takes cell B's voxels of 14 um through the whole of its charge instead, as
`charge 64` a square of 64 x 64 of them, which it also holds against a charge in finer steps.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from operando.electrochemistry.porous.direct import DirectPotentials
from operando.electrochemistry.porous.electrode import PorousCell, particles_of
from operando.electrochemistry.porous.lines import LinePotentials
from operando.electrochemistry.porous.march import PorousRun, run_porous
from operando.electrochemistry.porous.network import networks_of
from operando.electrochemistry.porous.newton import NewtonStep
from operando.electrochemistry.protocol import galvanostatic
from operando.electrochemistry.threads import threads
from operando.frames import Array, Grid
from operando.units import FARADAY

VOXEL = 14e-6
LAYERS, COMPOSITE = 58, 11
SHELLS = 20
CURRENT, DURATION, START = 2.56, 7 * 3600.0, 0.995


def main() -> None:
    """Print a linear solve at a size that peers can do, then steps up to that of cell B at 14 um; or a charge."""
    if sys.argv[1:2] == ["charge"]:
        _charges(int(sys.argv[2]) if sys.argv[2:] else 214)
        return
    _linear(24)
    print(f"\n  {'voxels':18}{'unknowns':>12}{'wall s':>9}{'CPU s':>9}{'cycles':>8}{'Newton+CG ok':>14}{'peak GB':>9}")
    for side in (64, 128, 214):
        _steps(side)


def _linear(side: int) -> None:
    cell = _cell(side)
    networks = networks_of(cell)
    rng = np.random.default_rng(1)
    system: dict[str, Any] = {
        "coupling": np.where(cell.active, 1e7 * rng.uniform(0.5, 1.0, cell.grid.shape), 0.0) * cell.grid.voxel_volume,
        "electronic": np.zeros(cell.grid.shape),
        "ionic": np.where(cell.ionic_conductivity > 0, 1e-12 * rng.standard_normal(cell.grid.shape), 0.0),
        "total": None,
    }
    lines = LinePotentials(networks, tolerance=1e-6)
    lines.solve(**system)
    ours, _ = _cpu(lambda: lines.solve(**system))
    direct = DirectPotentials(networks)
    factorised, exact = _cpu(lambda: direct.solve(**system))
    error = np.abs(lines.solve(**system)[1] - exact[1]).max() / np.abs(exact[1]).max()
    print(f"both potentials on {LAYERS} x {side} x {side}, error 1e-6")
    print(f"  columns in a multigrid {ours:8.2f} CPU s, differs from the factorisation by {error:.0e}")
    print(f"  sparse factorisation   {factorised:8.2f} CPU s, {factorised / ours:.0f} times ours")
    if importlib.util.find_spec("pyamg") is None:
        print("  pyamg                  not installed")
        return
    import pyamg

    matrix, right = direct.system(**system)
    solver, found = _cpu(lambda: pyamg.smoothed_aggregation_solver(matrix.tocsr()))
    seconds, _ = _cpu(lambda: found.solve(right, tol=1e-6, accel="cg"))
    print(f"  pyamg                  {solver + seconds:8.2f} CPU s, {(solver + seconds) / ours:.0f} times ours")


def _steps(side: int) -> None:
    cell = _cell(side)
    with jax.enable_x64(True):
        lines = LinePotentials(networks_of(cell))
        newton = NewtonStep(cell, shells=SHELLS, potentials=lines)
        state = newton.initial(0.9)
        current = CURRENT * cell.area
        for step in (1.0, 60.0):
            state = newton(state, history=state.lithiation, step=step, current=current, voltage=None) or state
        lines.iterations = 0
        wall, begun = time.perf_counter(), time.process_time()
        new = newton(state, history=state.lithiation, step=600.0, current=current, voltage=None)
        seconds = time.perf_counter() - wall, time.process_time() - begun
    active = newton.active.size
    unknowns = int((cell.ionic_conductivity > 0).sum()) + active * (1 + SHELLS)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"  {LAYERS} x {side} x {side:<9}{unknowns:12,}{seconds[0]:9.1f}{seconds[1]:9.1f}{lines.iterations:8}"
        f"{'yes' if new is not None else 'no':>14}{peak:9.2f}"
    )


def _charges(side: int) -> None:
    from scipy.interpolate import PchipInterpolator

    print(f"7 h at 0.256 mA/cm2 on {LAYERS} x {side} x {side} voxels, {SHELLS} shells a particle")
    print(f"load of the machine before {os.getloadavg()[0]:.1f}, {threads()} threads")
    cell = _cell(side)
    usual = _charge(cell, tolerance=1e-3)
    if side > 64:
        return
    fine = _charge(cell, tolerance=3e-5)
    late = usual.time > usual.time[2] / 2  # the voltage jumps at time zero
    curve = PchipInterpolator(fine.time[1:], fine.voltage[1:])
    off = np.abs(curve(usual.time[late]) - usual.voltage[late]).max()
    print(f"  from the finer steps: voltage {1e3 * off:.3f} mV at most, ", end="")
    print(f"x {np.abs(usual.final.lithiation - fine.final.lithiation).max():.0e} in any shell at the end")


def _charge(cell: PorousCell, *, tolerance: float) -> PorousRun:
    wall, begun = time.perf_counter(), time.process_time()
    run = run_porous(cell, [galvanostatic(CURRENT, DURATION)], lithiation=START, shells=SHELLS, tolerance=tolerance)
    seconds = time.perf_counter() - wall, time.process_time() - begun
    if not run.complete:
        raise RuntimeError(f"the charge ended early: {run.endings[-1]}")
    passed = (START - run.lithiation[-1]) * cell.exchangeable_lithium * FARADAY / cell.area
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"  tolerance {tolerance:.0e}: {len(run.time) - 2} steps, {seconds[0]:.1f} wall s, {seconds[1]:.1f} CPU s, "
        f"peak {peak:.2f} GB, lithium off by {abs(passed / (CURRENT * DURATION) - 1):.0e} of what passed"
    )
    return run


def _cell(side: int) -> PorousCell:
    """Build cell B's layers over a square, with conductivities that vary by a factor of three."""
    from scipy.ndimage import gaussian_filter

    shape = (LAYERS, side, side)
    noise = gaussian_filter(np.random.default_rng(0).standard_normal(shape), 1.5)
    uneven: Array = np.exp(0.35 * noise / noise.std())
    composite = np.broadcast_to((np.arange(LAYERS) < COMPOSITE)[:, None, None], shape)
    return PorousCell(
        grid=Grid(shape=shape, spacing=(VOXEL,) * 3, origin=(0.0,) * 3),
        particles=particles_of("NCM83", radius=2e-6, exchange_current_density=1.0),
        electronic_conductivity=np.where(composite, 0.5 * uneven, 0.0),
        ionic_conductivity=np.where(composite, 0.01, 0.94) * uneven,
        active_fraction=np.where(composite, 0.38, 0.0),
        counter_potential=0.62,
        counter_resistance=1e-3,
    )


def _cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


if __name__ == "__main__":
    main()
