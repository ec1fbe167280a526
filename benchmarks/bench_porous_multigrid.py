"""Both potentials of a porous electrode: columns in a multigrid of their own beside the shared multigrid.

The shared one preconditions with one hierarchy for each network, with the reaction on their diagonals or without it.
CPU seconds of one thread or many; decision 5 quotes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from operando.electrochemistry.finite_volume import Faces
from operando.electrochemistry.multigrid import hierarchy_from_conductances
from operando.electrochemistry.porous.electrode import PorousCell, particles_of
from operando.electrochemistry.porous.lines import LinePotentials
from operando.electrochemistry.porous.network import Networks, networks_of
from operando.electrochemistry.stencil_numba import apply
from operando.frames import Array, Grid

T = TypeVar("T")

LAYERS, COMPOSITE, SIDE, VOXEL = 58, 11, 64, 14e-6
TOLERANCE = 1e-6
REACTIONS = (1e7, 1e8, 1e9)


def main() -> None:
    """Print iterations and CPU seconds for three strengths of the reaction [S/m^3]."""
    cell = _cell()
    networks, rng = networks_of(cell), np.random.default_rng(1)
    right = np.zeros(cell.grid.shape), 1e-12 * rng.standard_normal(cell.grid.shape)
    uneven = np.where(cell.active, rng.uniform(0.5, 1.0, cell.grid.shape), 0.0) * cell.grid.voxel_volume
    print(f"both potentials on {LAYERS} x {SIDE} x {SIDE}, error {TOLERANCE:.0e}: iterations, CPU seconds")
    print(f"  {'reaction S/m3':14}{'columns':>16}{'shared':>16}{'shared, apart':>16}")
    for reaction in REACTIONS:
        coupling = reaction * uneven
        _columns(networks, coupling, right)  # compiles
        found = [
            _columns(networks, coupling, right),
            _shared(networks, coupling, right, on_diagonal=coupling),
            _shared(networks, coupling, right, on_diagonal=np.zeros_like(coupling)),
        ]
        print(f"  {reaction:<14.0e}" + "".join(f"{count:10}{seconds:6.2f}" for count, seconds in found))


def _columns(networks: Networks, coupling: Array, right: tuple[Array, Array]) -> tuple[int, float]:
    lines = LinePotentials(networks, tolerance=TOLERANCE)
    system = {"coupling": coupling, "electronic": right[0], "ionic": right[1]}
    seconds, _ = _cpu(lambda: lines.solve(**system, total=None))
    return lines.iterations, seconds


def _shared(
    networks: Networks, coupling: Array, right: tuple[Array, Array], *, on_diagonal: Array
) -> tuple[int, float]:
    seconds, count = _cpu(lambda: _gradients((networks.electronic, networks.ionic), coupling, right, on_diagonal))
    return count, seconds


def _gradients(pair: tuple[Faces, Faces], coupling: Array, right: tuple[Array, Array], on_diagonal: Array) -> int:
    """Count the iterations of conjugate gradients with one hierarchy for each network."""
    hierarchies = [hierarchy_from_conductances(conductances=faces, diagonal=on_diagonal) for faces in pair]
    nothing = np.zeros_like(coupling)
    r, direction = np.stack(right), np.zeros((2, *coupling.shape))
    first, before = 0.0, 1.0
    for count in range(1000):
        z = np.stack([hierarchy(part) for hierarchy, part in zip(hierarchies, r, strict=True)])
        now = float(np.vdot(r, z))
        first = first or now
        if now <= TOLERANCE**2 * first:
            return count
        direction = z + (now / before) * direction if count else z
        before = now
        drop = coupling * (direction[0] - direction[1])
        image = np.stack([apply(faces, nothing, part) for faces, part in zip(pair, direction, strict=True)])
        image += np.stack([drop, -drop])
        r = r - now / float(np.vdot(direction, image)) * image
    return 1000


def _cell() -> PorousCell:
    """Build cell B's layers over a square, with conductivities that vary by a factor of three."""
    from scipy.ndimage import gaussian_filter

    shape = (LAYERS, SIDE, SIDE)
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


def _cpu(work: Callable[[], T]) -> tuple[float, T]:
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


if __name__ == "__main__":
    main()
