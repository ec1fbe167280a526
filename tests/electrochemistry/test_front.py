"""The delithiation front: its definition, and the prescribed one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.electrochemistry.delithiation import delithiation_from_front, front_position_from_mean
from operando.electrochemistry.front import front_depth_from_profile
from operando.errors import InputError


@given(place=st.floats(20e-6, 130e-6), scale=st.floats(0.01, 1.0))
def test_a_straight_ramp_is_halved_halfway(place: float, scale: float) -> None:
    depth = np.linspace(0, 150e-6, 40)
    delithiation = scale * np.clip(1.0 - depth / (2 * place), 0.0, 1.0)
    assert front_depth_from_profile(depth=depth, delithiation=delithiation) == pytest.approx(place, rel=1e-6)


def test_an_exponential_is_halved_after_its_length_times_ln_2() -> None:
    depth = np.linspace(0, 200e-6, 400)
    found = front_depth_from_profile(depth=depth, delithiation=0.3 * np.exp(-depth / 30e-6))
    assert found == pytest.approx(30e-6 * np.log(2), rel=1e-3)


def test_the_front_lies_behind_the_maximum() -> None:
    depth = np.arange(6.0)
    assert front_depth_from_profile(depth=depth, delithiation=np.array([0.1, 0.4, 1.0, 0.8, 0.2, 0.0])) == 3.5
    assert front_depth_from_profile(depth=depth, delithiation=np.full(6, 0.3)) == 5.0
    assert np.isnan(front_depth_from_profile(depth=depth, delithiation=np.zeros(6)))


@pytest.mark.parametrize("depth", [[0.0, 2.0, 1.0], [0.0], [0.0, 1.0]])
def test_a_profile_without_growing_depth_is_refused(depth: list[float]) -> None:
    with pytest.raises(InputError, match="depths that grow"):
        front_depth_from_profile(depth=np.array(depth), delithiation=np.zeros(3))


@given(mean=st.floats(1e-4, 0.98), bend=st.floats(0.0, 0.6))
def test_the_prescribed_front_holds_its_mean(mean: float, bend: float) -> None:
    lead = np.linspace(-bend, bend, 64)
    front = front_position_from_mean(mean=mean, lead=lead)
    depth = (np.arange(2000) + 0.5) / 2000
    lost = delithiation_from_front(front=front, lead=lead[None, :], depth=depth[:, None])
    assert lost.mean() == pytest.approx(mean, rel=1e-4)
    assert np.all(np.diff(lost, axis=0) <= 0)
    assert np.all(np.diff(lost, axis=1) >= 0)
