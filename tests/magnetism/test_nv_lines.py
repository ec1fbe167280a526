import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.magnetism.hamiltonian import hamiltonian_from_field
from operando.magnetism.lines import (
    axial_squared_from_lines,
    field_squared_from_lines,
    lines_from_field,
    projection_from_lines,
)
from operando.magnetism.nv import NV, nv_frames_from_cut

FRAMES = nv_frames_from_cut(cut="100")
ALONG_Z = np.eye(3)[None]
GAMMA = NV.gyromagnetic_ratio


def _diagonalised(field, frames, splitting=NV.splitting, transverse=0.0):
    local = np.einsum("cij,...j->...ci", frames, field)
    levels = np.linalg.eigvalsh(hamiltonian_from_field(field=local, splitting=splitting, transverse=transverse))
    return levels[..., 1:] - levels[..., :1]


@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.0, 1e-10, 1e-7, 1e-5, 1e-3, 2e-2, 0.1, 1.0]),
    strain=st.sampled_from([0.0, 1.0, 1e5, 2e7]),
)
def test_lines_equal_the_diagonalised_hamiltonian(seed, scale, strain):
    rng = np.random.default_rng(seed)
    field = scale * rng.standard_normal((20, 3))
    transverse = strain * (rng.standard_normal((20, 4)) + 1j * rng.standard_normal((20, 4)))
    lines = lines_from_field(field=field, frames=FRAMES, transverse=transverse)
    # eigvalsh itself is good to a few units of the last digit of the largest level
    unit = 1e-15 * (NV.splitting + 3 * GAMMA * scale)
    np.testing.assert_allclose(lines, _diagonalised(field, FRAMES, transverse=transverse), rtol=0, atol=20 * unit)


def test_aligned_field_splits_lines_linearly_to_the_last_digit():
    b = np.array([0.0, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 0.05])
    lines = lines_from_field(field=b[:, None] * FRAMES[0, 2], frames=FRAMES[:1])[:, 0]
    np.testing.assert_allclose(lines[:, 0], NV.splitting - GAMMA * b, rtol=0, atol=2e-6)
    np.testing.assert_allclose(lines[:, 1], NV.splitting + GAMMA * b, rtol=0, atol=2e-6)


def test_crossing_of_levels_costs_half_the_digits_only():
    # at gamma B = D two levels meet: the root of a discriminant that vanishes is good to sqrt(eps), 10 Hz of 3 GHz
    field = np.array([[0.0, 0.0, NV.splitting / GAMMA]])
    np.testing.assert_allclose(
        lines_from_field(field=field, frames=ALONG_Z), _diagonalised(field, ALONG_Z), rtol=0, atol=200
    )


def test_weak_strain_splits_by_twice_itself_at_zero_field():
    for e in (1e-3, 1.0, 1e3, 1e6):
        lines = lines_from_field(field=np.zeros(3), frames=ALONG_Z, transverse=e * np.exp(0.7j))[0]
        assert lines[1] - lines[0] == pytest.approx(2 * e, rel=1e-6, abs=1e-6)


@given(kelvin=st.floats(-20, 20))
def test_temperature_moves_both_lines_together_and_field_splits_them(kelvin):
    field = np.array([0.0, 0.0, 1e-3])
    cold, warm = (
        lines_from_field(field=field, frames=ALONG_Z, splitting=NV.splitting + d)[0]
        for d in (0.0, NV.splitting_slope * kelvin)
    )
    np.testing.assert_allclose(warm - cold, NV.splitting_slope * kelvin, atol=1e-5)
    more = lines_from_field(field=1.5 * field, frames=ALONG_Z)[0]
    assert more.mean() == pytest.approx(cold.mean(), abs=1e-5)


@given(b=st.floats(1e-5, 0.04), angle=st.floats(0, np.pi / 2), azimuth=st.floats(-3, 3))
def test_strength_and_direction_come_back_from_two_lines(b, angle, azimuth):
    direction = np.array([np.sin(angle) * np.cos(azimuth), np.sin(angle) * np.sin(azimuth), np.cos(angle)])
    lower, upper = lines_from_field(field=b * direction, frames=ALONG_Z)[0]
    # both take small differences of squares of 3 GHz: what is left of 16 digits is (D/gamma)^2 eps
    floor = (NV.splitting / GAMMA) ** 2 * 1e-14
    assert field_squared_from_lines(lower=lower, upper=upper) == pytest.approx(b**2, rel=1e-6, abs=floor)
    axial = axial_squared_from_lines(lower=lower, upper=upper)
    assert axial == pytest.approx((b * np.cos(angle)) ** 2, rel=1e-6, abs=floor)


@given(b=st.floats(1e-4, 3e-2), e=st.floats(0, 1e7), azimuth=st.floats(-3, 3))
def test_strength_comes_back_with_strain(b, e, azimuth):
    field = b * np.array([0.5, 0.3, np.sqrt(1 - 0.34)])
    lower, upper = lines_from_field(field=field, frames=ALONG_Z, transverse=e * np.exp(1j * azimuth))[0]
    found = field_squared_from_lines(lower=lower, upper=upper, transverse=e)
    assert found == pytest.approx(b**2, rel=1e-6)


@pytest.mark.parametrize("ratio", [0.05, 0.3, 1.0, 1.9, 3.0, 6.0])
@pytest.mark.parametrize("strength", [0.3e-3, 1e-3, 3e-3])
def test_projection_is_wrong_by_its_stated_error(ratio, strength):
    axial, across = strength / np.hypot(1, ratio), strength * ratio / np.hypot(1, ratio)
    lower, upper = lines_from_field(field=np.array([across, 0, axial]), frames=ALONG_Z)[0]
    error = projection_from_lines(lower=lower, upper=upper) / axial - 1
    small = (GAMMA * across / NV.splitting) ** 2
    # the next order: fourth in the field, and the fourth power of mixing over distance
    rest = 4 * small * (GAMMA * strength / NV.splitting) ** 2 * (1 + ratio**2) + small**2 * ratio**4 / 64
    assert error == pytest.approx(small * (ratio**2 - 4) / 8, rel=0, abs=rest)
    assert rest < 0.2 * small or ratio > 2


def test_masked_fields_give_masked_lines():
    lines = lines_from_field(field=np.array([[np.nan, 0, 0], [0, 0, 1e-3]]), frames=FRAMES)
    assert np.isnan(lines[0]).all()
    assert np.isfinite(lines[1]).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"field": np.zeros(2)}, "magnetic field"), ({"frames": np.eye(3)}, "frames"), ({"splitting": 0.0}, "splitting")],
)
def test_wrong_shapes_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        lines_from_field(**{"field": np.zeros(3), "frames": FRAMES} | wrong)
