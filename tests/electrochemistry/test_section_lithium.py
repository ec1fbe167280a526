from __future__ import annotations

import numpy as np
import pytest

from operando.cell.microstructure.structure import Microstructure, section_grid
from operando.electrochemistry.section_lithium import lithium_from_gradient, lithium_on_voxels
from operando.errors import InputError


@pytest.fixture
def structure():
    """Four particles of one column each, from x = 1 to x = 5 um, then none."""
    phase = np.ones((1, 2, 6), dtype=np.uint8)
    phase[:, :, 1:5] = 2
    particle = np.where(phase == 2, np.arange(6), 0)
    grid = section_grid(shape=phase.shape, spacing=(1e-6, 1e-6, 1e-6))
    return Microstructure(grid=grid, phase=phase, particle=particle, grain=(phase == 1).astype(int))


def test_lithium_follows_the_particles_centres(structure):
    lithium = lithium_from_gradient(structure, near_separator=0.5, far_end=0.9)
    assert lithium == pytest.approx([0.55, 0.65, 0.75, 0.85])
    on_voxels = lithium_on_voxels(structure, lithium=lithium)
    assert on_voxels.values[0, 1, 1:5] == pytest.approx(lithium)
    assert np.isnan(on_voxels.values[0, :, [0, 5]]).all()


def test_wrong_lithium_is_refused(structure):
    with pytest.raises(InputError, match="far_end must be x of LixCoO2"):
        lithium_from_gradient(structure, near_separator=0.5, far_end=1.2)
    with pytest.raises(InputError, match="each of 4 particles"):
        lithium_on_voxels(structure, lithium=np.ones(3))
