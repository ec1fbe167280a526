"""The multigrid of columns against a factorisation, on uneven cells with a bore and a strong reaction."""

import numpy as np
import pytest

from operando.electrochemistry.porous.direct import DirectPotentials
from operando.electrochemistry.porous.electrode import PorousCell, particles_of
from operando.electrochemistry.porous.lines import LinePotentials
from operando.electrochemistry.porous.network import Networks, networks_of, outflow
from operando.frames import Array, Grid


def _uneven(lateral: tuple[int, int], seed: int) -> tuple[PorousCell, Networks, dict[str, Array]]:
    rng = np.random.default_rng(seed)
    shape = (12, *lateral)
    y, x = (np.arange(n) - (n - 1) / 2 for n in lateral)
    bore = (np.hypot(y[:, None], x) <= max(lateral) / 2)[None]
    composite = (np.arange(12) < 5)[:, None, None] & bore
    uneven = np.exp(0.7 * rng.standard_normal(shape))
    cell = PorousCell(
        grid=Grid(shape=shape, spacing=(14e-6,) * 3, origin=(0.0,) * 3),
        particles=particles_of("NCM83", radius=2e-6, exchange_current_density=1.0),
        electronic_conductivity=np.where(composite, 0.5 * uneven, 0.0),
        ionic_conductivity=np.where(bore, np.where(composite, 0.005, 0.9) * uneven, 0.0),
        active_fraction=np.where(composite, 0.4, 0.0),
        counter_resistance=1e-3 * (1 + rng.random(lateral)),
    )
    inside = {
        "coupling": np.where(composite, 10 ** rng.uniform(4, 8, shape), 0.0) * cell.grid.voxel_volume,
        "electronic": np.where(composite, rng.standard_normal(shape), 0.0) * 1e-9,
        "ionic": np.where(bore, rng.standard_normal(shape), 0.0) * 1e-9,
    }
    return cell, networks_of(cell), inside


@pytest.mark.parametrize(
    ("lateral", "total"),
    [
        ((6, 1), None),
        ((5, 8), 1e-6),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [((9, 9), None), ((5, 8), None), ((9, 9), 1e-6), ((6, 1), 1e-6)]
        ),
    ],
)
def test_finds_what_a_factorisation_finds(lateral: tuple[int, int], total: float | None) -> None:
    _, networks, system = _uneven(lateral, 3)
    one = DirectPotentials(networks).solve(**system, total=total)
    lines = LinePotentials(networks, tolerance=1e-10)
    e, i, voltage = np.zeros_like(one[0]), np.zeros_like(one[1]), 0.0
    for _ in range(8):  # as Newton does: the response to a voltage is known to some percent only
        reaction = system["coupling"] * (e - i)
        into = float(np.sum(networks.electronic[0][0] * (voltage - e[0])))
        d_e, d_i, d_v = lines.solve(
            coupling=system["coupling"],
            electronic=system["electronic"] - outflow(networks.electronic, e, below=voltage) - reaction,
            ionic=system["ionic"] - outflow(networks.ionic, i) + reaction,
            total=None if total is None else total - into,
        )
        e, i, voltage = e + d_e, i + d_i, voltage + d_v
    scale = max(abs(one[0]).max(), abs(one[1]).max())
    assert voltage == pytest.approx(one[2], rel=1e-6)
    np.testing.assert_allclose(e, one[0], atol=1e-6 * scale)
    np.testing.assert_allclose(i, one[1], atol=1e-6 * scale)


def test_the_held_voltage_is_solved_to_the_tolerance_and_currents_balance() -> None:
    _, networks, system = _uneven((9, 9), 5)
    d_e, d_i, _ = LinePotentials(networks, tolerance=1e-12).solve(**system, total=None)
    reaction = system["coupling"] * (d_e - d_i)
    assert np.abs(outflow(networks.electronic, d_e) + reaction - system["electronic"]).max() < 1e-9 * 1e-9
    assert np.abs(outflow(networks.ionic, d_i) - reaction - system["ionic"]).max() < 1e-9 * 1e-9


def test_cycles_do_not_grow_with_the_number_of_columns() -> None:
    counts = []
    for size in (8, 32):
        _, networks, system = _uneven((size, size), 1)
        lines = LinePotentials(networks, tolerance=1e-6)
        lines.solve(**system, total=None)
        counts.append(lines.iterations)
    assert counts[1] <= counts[0] + 3
    assert counts[1] <= 15
