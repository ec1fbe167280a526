"""Drift against cells drawn at sub-voxel positions, where a change of the cell must not pass for motion."""

import numpy as np
import pytest

from operando.errors import InputError
from operando.frames import centred_grid, transformed
from operando.tomography.drift import DriftStatus, drift_from_volumes

VOXEL = 14e-6
GRID = centred_grid(shape=(40, 56, 56), spacing=VOXEL)


def cell(shift=(0.0, 0.0, 0.0), angle=0.0, *, cathode=210.0, noise=0.0, seed=0):
    """Casing, layers, a lump in the anode and an off-centre wire; shift (x, y, z) in voxels."""

    def below(distance):
        return np.clip(0.5 - distance, 0, 1)

    z, y, x = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in GRID.shape), indexing="ij")
    x, y, z = x - shift[0], y - shift[1], z - shift[2]
    c, s = np.cos(angle), np.sin(angle)
    x, y = c * x + s * y, -s * x + c * y
    radius = np.hypot(x, y)
    core = below(radius - 18)
    layers = 120 * below(z + 8) + cathode * (below(z + 1) - below(z + 8)) + 88 * (below(z - 8) - below(z + 1))
    layers = layers + 120 * (1 - below(z - 8))
    lump = below(np.hypot(x - 6, y + 4) - 7) * (below(z - 12) - below(z - 8))
    image = 30 * (below(radius - 23) - core) + core * (layers + 700 * lump) + 500 * below(np.hypot(x - 21, y) - 1.5)
    image = image * below(np.abs(z) - 16) + np.random.default_rng(seed).normal(0, noise, GRID.shape)
    return GRID.array(image, name="attenuation", units="1/m")


@pytest.mark.parametrize("seed", range(4))
def test_recovers_shift_and_turn(seed):
    rng = np.random.default_rng(seed)
    shift, angle = rng.uniform(-3, 3, 3), rng.uniform(-0.015, 0.015)
    drift = drift_from_volumes(cell(noise=30, seed=10), cell(shift, angle, noise=30, seed=20 + seed))
    assert drift.status is DriftStatus.FOUND
    assert drift.shift / VOXEL == pytest.approx(shift, abs=0.05)
    assert drift.angle == pytest.approx(angle, abs=2e-3)


def test_affine_takes_the_moving_frame_back():
    shift, angle = np.array([1.3, -0.6, 2.2]), 0.01
    drift = drift_from_volumes(cell(), cell(shift, angle))
    mark = np.array([10.0, -7.0, 5.0]) * VOXEL
    middle = np.array([0.0, 0.0, GRID.coordinate("z").mean()])
    c, s = np.cos(angle), np.sin(angle)
    moved = np.array([c * mark[0] - s * mark[1], s * mark[0] + c * mark[1], mark[2]]) + shift * VOXEL + middle
    assert transformed(moved, drift.affine) == pytest.approx(mark + middle, abs=0.03 * VOXEL)


def test_error_bars_match_the_scatter():
    """Six shifts in x, y, z: the pulls have unit variance within what 24 draws without a turn can show."""
    pulls = []
    for seed in range(8):
        shift = np.random.default_rng(seed).uniform(-2, 2, 3)
        drift = drift_from_volumes(
            cell(noise=60, seed=100 + seed), cell(shift, noise=60, seed=200 + seed), rotation=False
        )
        pulls.append((drift.shift / VOXEL - shift) / (drift.shift_sigma / VOXEL))
    assert 0.5 < np.sqrt(np.mean(np.square(pulls))) < 1.7


def test_mask_keeps_cycling_out():
    """A cathode that loses a third of its attenuation is no motion when casing and pins alone are compared."""
    y, x = np.meshgrid(*(GRID.coordinate(a) for a in "yx"), indexing="ij")
    casing = cell().copy(data=np.broadcast_to(np.hypot(x, y) > 16 * VOXEL, GRID.shape))
    shift = np.array([0.4, -0.3, 0.25])
    drift = drift_from_volumes(cell(noise=10), cell(shift, cathode=140.0, noise=10, seed=1), mask=casing)
    assert drift.shift / VOXEL == pytest.approx(shift, abs=0.05)


def test_strangers_do_not_settle():
    rng = np.random.default_rng(0)
    one, other = (GRID.array(rng.normal(size=GRID.shape), name="noise", units="1/m") for _ in range(2))
    assert not drift_from_volumes(one, other).status.succeeded


def test_an_empty_image_has_no_edges():
    flat = GRID.array(np.zeros(GRID.shape), name="flat", units="1/m")
    assert drift_from_volumes(flat, flat).status is DriftStatus.NO_EDGES


def test_refusals():
    volume = cell()
    with pytest.raises(InputError, match="grid of the reference"):
        drift_from_volumes(volume, volume.assign_coords(z=volume.z + 1.0))
    with pytest.raises(InputError, match="grid of the reference"):
        drift_from_volumes(volume, volume[1:])
    with pytest.raises(InputError, match="finite"):
        drift_from_volumes(volume, volume.where(volume < 600))
    with pytest.raises(InputError, match="mask"):
        drift_from_volumes(volume, volume, mask=volume > 1e9)
    with pytest.raises(InputError, match="coordinates"):
        drift_from_volumes(volume.drop_vars("x"), volume)
