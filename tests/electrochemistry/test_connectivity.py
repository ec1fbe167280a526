import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from operando.cell.microstructure.connectivity import joined_to
from operando.electrochemistry.connectivity import necks_in, parts_of


def test_corners_and_edges_do_not_connect():
    mask = np.zeros((2, 2, 2), dtype=bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[0, 1, 1] = True
    labels, count = parts_of(mask)
    assert count == 2
    assert labels[1, 1, 1] == labels[0, 1, 1] != labels[0, 0, 0]


def test_only_what_a_seed_reaches_stays():
    mask = np.ones((3, 3, 7), dtype=bool)
    mask[:, :, 3] = False
    seeds = np.zeros_like(mask)
    seeds[:, :, :2] = seeds[:, :, 3] = True
    np.testing.assert_array_equal(joined_to(mask, seeds)[0, 0], [1, 1, 1, 0, 0, 0, 0])


def test_a_bridge_with_its_feet_is_a_neck_and_a_wider_one_is_not():
    mask = np.zeros((5, 5, 9), dtype=bool)
    mask[:, :, :3] = mask[:, :, -3:] = True
    mask[2, 2] = True
    assert np.argwhere(necks_in(mask)).tolist() == [[2, 2, x] for x in range(2, 7)]
    mask[2:4, 2:4] = True
    assert not necks_in(mask).any()


def test_in_a_section_a_bridge_is_a_neck_too():
    mask = np.zeros((1, 5, 5), dtype=bool)
    mask[0, :, :2] = mask[0, :, 3:] = mask[0, 2, 2] = True
    assert np.argwhere(necks_in(mask)).tolist() == [[0, 2, 1], [0, 2, 2], [0, 2, 3]]


@given(st.integers(0, 2**31))
def test_taking_a_voxel_that_is_no_neck_never_splits_a_part(seed):
    mask = np.random.default_rng(seed).random((4, 5, 5)) < 0.7
    _, count = parts_of(mask)
    candidates = np.argwhere(mask & ~necks_in(mask))
    for index in map(tuple, candidates[:20]):
        less = mask.copy()
        less[index] = False
        assert parts_of(less)[1] <= count
