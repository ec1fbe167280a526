import numpy as np
import pytest

from operando.errors import InputError
from operando.frames import Grid, grid_of
from operando.twin.micrograph import micrograph_of

OLD = Grid(shape=(40, 60, 60), spacing=(50e-9,) * 3, origin=(-1.975e-6, 25e-9, 25e-9))


def _ball(radius=0.9e-6):
    z, y, x = np.meshgrid(*(OLD.coordinate(axis) for axis in "zyx"), indexing="ij")
    inside = (z + 1e-6) ** 2 + (y - 1.5e-6) ** 2 + (x - 1.5e-6) ** 2 < radius**2
    return OLD.array(inside.astype(np.int32) * 4, name="labels", units="")


def _seen(labels=None, **errors):
    stated = {"voxel": 80e-9, "outline": 0.0, "outline_length": 0.4e-6, "threshold": 0.0, "seed": 1}
    return micrograph_of(_ball() if labels is None else labels, **(stated | errors))


def _volume(labels):
    return float((labels > 0).sum()) * grid_of(labels).voxel_volume


def test_other_voxels_hold_the_same_body_below_the_same_surface():
    seen = _seen()
    new = grid_of(seen)
    assert set(np.unique(seen)) == {0, 4}
    assert new.origin[0] + (new.shape[0] - 0.5) * new.spacing[0] == pytest.approx(0.0, abs=1e-15)
    assert _volume(seen) == pytest.approx(_volume(_ball()), rel=0.02)
    # beside each other and not on top of each other
    off = (new.origin[1] - OLD.origin[1]) / OLD.spacing[1]
    assert abs(off - round(off)) > 1e-3


def test_a_threshold_moves_all_outlines_by_what_is_recorded():
    for seed in range(4):
        seen = _seen(threshold=80e-9, seed=seed)
        moved = seen.attrs["threshold"]
        assert _volume(seen) == pytest.approx(4 / 3 * np.pi * (0.9e-6 + moved) ** 3, rel=0.04)


def test_outlines_wander_by_their_standard_deviation():
    x = OLD.coordinate("x")
    flat = OLD.array(np.broadcast_to((x > 1.5e-6).astype(np.int32), OLD.shape), name="labels", units="")
    seen = _seen(flat, voxel=60e-9, outline=100e-9)
    new = grid_of(seen)
    edge = new.coordinate("x")[0] + (1 - seen.values).sum(axis=2) * new.spacing[2] - new.spacing[2] / 2
    assert edge.std() == pytest.approx(100e-9, rel=0.35)
    # neighbours wander together
    assert np.abs(np.diff(edge, axis=1)).mean() < 0.4 * edge.std()
    assert _seen(flat).values.std() > 0


def test_a_seed_gives_the_same_labels_again():
    assert (_seen(outline=50e-9, seed=3) == _seen(outline=50e-9, seed=3)).all()
    assert (_seen(outline=50e-9, seed=3).values != _seen(outline=50e-9, seed=4).values).any()


def test_voxels_too_large_for_the_structure_are_refused():
    with pytest.raises(InputError, match="voxel"):
        _seen(voxel=2e-6)
