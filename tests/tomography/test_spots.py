import numpy as np
import pytest

from operando.errors import InputError
from operando.tomography.spots import without_spots

RULES = {"threshold": 0.1, "sigmas": 4.0, "gain": 1.0, "dark_variance": 0.0}


def test_spots_are_replaced_by_their_surroundings_and_counted():
    rng = np.random.default_rng(3)
    clean = rng.poisson(1000, (3, 40, 50)).astype(np.float32)
    hit = rng.choice(clean[0].size, 30, replace=False)
    frames = clean.copy()
    frames.reshape(3, -1)[:, hit] += 5000
    repaired, share = without_spots(frames=frames, **RULES)
    assert share == pytest.approx(30 / 2000, abs=2e-3)
    assert np.abs(repaired - 1000).max() < 6 * np.sqrt(1000)


def test_few_quanta_are_noise_not_spots():
    frames = np.random.default_rng(4).poisson(20, (4, 100, 100)).astype(np.float32)
    _, aware = without_spots(frames=frames, **RULES)
    _, naive = without_spots(frames=frames, **(RULES | {"sigmas": 1e-3}))
    assert naive > 0.2
    assert aware < 2e-3


def test_an_edge_of_the_sample_is_kept():
    frames = np.full((1, 30, 30), 100.0, np.float32)
    frames[:, 10:, :] = 1000
    frames[:, :, 18:] *= 2
    repaired, share = without_spots(frames=frames, **RULES)
    # only the convex corner of the brightest quarter looks alone among its neighbours
    assert share <= 1 / 900
    assert np.sum(repaired != frames) <= 1


def test_a_block_with_one_row_of_halo_agrees_with_the_whole():
    frames = np.random.default_rng(5).exponential(500, (2, 30, 40)).astype(np.float32)
    whole, _ = without_spots(frames=frames, **RULES)
    block, _ = without_spots(frames=frames[:, 9:21], **RULES)
    np.testing.assert_array_equal(block[:, 1:-1], whole[:, 10:20])


@pytest.mark.real_data
def test_measured_frames_hold_six_spots_in_a_thousand_pixels(measured_data):
    """Independent count: 0.6 % of the raw pixels exceed their neighbours' median by 10 %."""
    tifffile = pytest.importorskip("tifffile")
    paths = sorted((measured_data / "neutron-ct").glob("ct5s_*.tif"))[::40]
    raw = np.stack([tifffile.imread(path) for path in paths]).astype(np.float32)
    _, plain = without_spots(frames=raw, threshold=0.1, sigmas=1e-3, gain=1.0, dark_variance=0.0)
    assert plain == pytest.approx(0.006, abs=0.0015)
    _, aware = without_spots(frames=raw - 298, threshold=0.1, sigmas=4.0, gain=1.31, dark_variance=130.0)
    assert aware == pytest.approx(0.006, abs=0.0015)


def test_senseless_thresholds_are_refused():
    with pytest.raises(InputError, match="spot threshold"):
        without_spots(frames=np.ones((1, 4, 4), np.float32), **(RULES | {"threshold": 0.0}))
    with pytest.raises(InputError, match="frames"):
        without_spots(frames=np.ones((4, 4), np.float32), **RULES)
