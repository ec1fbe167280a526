import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from operando.electrochemistry.tortuosity import transport_through_phase
from operando.errors import InputError
from operando.frames import Grid

TAUFACTOR = 1.61485493
"""TauFactor 1.2.1 on CPU, ``taufactor.Solver(phase.astype(int)).solve(conv_crit=1e-5)``, of the phase in `blobs`."""


def blobs():
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(64, 64, 64)), 2.0)
    return noise > -0.3 * noise.std()


def unit_grid(shape):
    return Grid(shape=shape, spacing=(1e-7,) * 3, origin=(0.0, 0.0, 0.0))


def test_it_is_what_taufactor_finds():
    found = transport_through_phase(phase=blobs(), grid=unit_grid((64, 64, 64)), axis="z")
    assert found.tortuosity == pytest.approx(TAUFACTOR, rel=1e-6)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_straight_pores_have_none(axis):
    phase = np.zeros((6, 8, 10), dtype=bool)
    pore = [slice(2, 5)] * 3
    pore["zyx".index(axis)] = slice(None)
    phase[tuple(pore)] = True
    found = transport_through_phase(phase=phase, grid=unit_grid(phase.shape), axis=axis, tolerance=1e-10)
    assert found.tortuosity == pytest.approx(1.0, rel=1e-9)


def test_pockets_count_as_phase_that_does_not_conduct():
    phase = np.zeros((6, 8, 10), dtype=bool)
    phase[:, 2:4] = True
    alone = transport_through_phase(phase=phase, grid=unit_grid(phase.shape), axis="z", tolerance=1e-10)
    phase[2:4, 6, 3:5] = True
    found = transport_through_phase(phase=phase, grid=unit_grid(phase.shape), axis="z", tolerance=1e-10)
    assert found.conduction.pruned == 4
    assert found.relative_conductivity == pytest.approx(alone.relative_conductivity, rel=1e-9)
    assert found.tortuosity > alone.tortuosity


def test_a_phase_that_does_not_lead_through_is_refused():
    phase = np.ones((6, 8, 10), dtype=bool)
    phase[3] = False
    with pytest.raises(InputError, match="a conducting path"):
        transport_through_phase(phase=phase, grid=unit_grid(phase.shape), axis="z")
    with pytest.raises(InputError, match="x, y or z"):
        transport_through_phase(phase=phase, grid=unit_grid(phase.shape), axis="w")
    with pytest.raises(InputError, match="boolean"):
        transport_through_phase(phase=phase * 1, grid=unit_grid(phase.shape), axis="z")
