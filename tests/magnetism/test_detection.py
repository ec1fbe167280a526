import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.magnetism.detection import (
    blurred_map,
    coinciding_centres,
    confusion_from_responses,
    confusion_with_prior,
    contrast_from_map,
    resolution_from_distance,
    time_from_contrast,
)
from operando.magnetism.lines import lines_from_field
from operando.magnetism.nv import nv_frames_from_cut

RAMP = np.arange(64 * 64, dtype=float).reshape(64, 64)


def bump(y: float, x: float, width: float) -> np.ndarray:
    grid = np.arange(64)
    return np.exp(-((grid[:, None] - y) ** 2 + (grid[None, :] - x) ** 2) / (2 * width**2))


def test_contrast_of_a_ramp_is_half_its_span():
    assert contrast_from_map(field=RAMP) == pytest.approx((64 * 64 - 1) / 2, rel=1e-12)


@given(offset=st.floats(-1e3, 1e3), scale=st.floats(1e-3, 1e3))
def test_contrast_scales_with_the_signal_and_knows_no_offset(offset, scale):
    one = contrast_from_map(field=bump(30, 20, 4))
    assert contrast_from_map(field=offset + scale * bump(30, 20, 4)) == pytest.approx(scale * one, rel=1e-6)


@given(contrast=st.floats(1e-9, 1e-3), eta=st.floats(1e-9, 1e-3), n=st.floats(0.5, 10), factor=st.floats(0.1, 10))
def test_time_goes_with_the_square_of_noise_over_signal(contrast, eta, n, factor):
    time = time_from_contrast(contrast=contrast, sensitivity=eta, significance=n)
    assert time == pytest.approx((eta * n / contrast) ** 2, rel=1e-9)
    stronger = time_from_contrast(contrast=factor * contrast, sensitivity=eta, significance=n)
    assert stronger == pytest.approx(time / factor**2, rel=1e-9)
    confused = time_from_contrast(contrast=contrast, sensitivity=eta, significance=n, confusion=factor)
    assert confused == pytest.approx(time * factor, rel=1e-9)


def test_nothing_takes_forever():
    assert time_from_contrast(contrast=0.0, sensitivity=1e-6, significance=5) == np.inf


def test_a_feature_stands_out_after_the_time_that_is_said():
    # pixels of noise eta / sqrt(t) around a bump: its peak departs by n of them, over many draws
    field, eta, n = 3e-6 * bump(30, 20, 4), 1e-6, 5.0
    contrast = float(contrast_from_map(field=field))
    time = float(time_from_contrast(contrast=contrast, sensitivity=eta, significance=n))
    rng = np.random.default_rng(3)
    noisy = field + eta / np.sqrt(time) * rng.standard_normal((2000, 64, 64))
    departure = noisy[:, 30, 20] - noisy.mean(axis=(1, 2))
    assert departure.mean() / departure.std() == pytest.approx(n, rel=0.06)


def test_blur_of_a_gaussian_adds_in_quadrature():
    # the peak of a two-dimensional Gaussian falls as s^2 / (s^2 + b^2)
    sigma = 3.0
    seen = blurred_map(field=bump(32, 32, 4.0), width=sigma * 2.3548200450309493, pixel=(1.0, 1.0))
    assert seen[32, 32] == pytest.approx(16 / (16 + 9), rel=2e-3)
    assert seen.sum() == pytest.approx(bump(32, 32, 4.0).sum(), rel=1e-6)


def test_neither_sensor_nor_distance_alone_makes_the_resolution():
    assert resolution_from_distance(sensor=50e-9, distance=1e-6) == 1e-6
    assert resolution_from_distance(sensor=1e-6, distance=50e-9) == 1e-6


def test_two_overlapping_sources_cost_what_their_correlation_says():
    pair = np.stack([bump(32, 30, 3), bump(32, 33, 3)])
    centred = pair - pair.mean(axis=(1, 2), keepdims=True)
    rho = (centred[0] * centred[1]).sum() / np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum())
    assert confusion_from_responses(responses=pair) == pytest.approx(1 / (1 - rho**2), rel=1e-9)


def test_confusion_is_the_scatter_of_a_joint_fit():
    rng = np.random.default_rng(5)
    maps = np.stack([bump(20, 20, 5), bump(24, 20, 5), bump(24, 26, 5)]).reshape(3, -1)
    design = np.vstack([maps, np.ones(maps.shape[1])]).T
    noisy = maps.sum(axis=0)[:, None] + rng.standard_normal((maps.shape[1], 4000))
    fitted = np.linalg.lstsq(design, noisy, rcond=None)[0][:3]
    alone = 1 / ((maps - maps.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    confusion = confusion_from_responses(responses=maps.reshape(3, 64, 64))
    # a variance from 4000 draws is known to 2 %
    assert fitted.var(axis=1) == pytest.approx(alone * confusion, rel=0.08)


def test_what_is_known_beforehand_leaves_less_to_confuse():
    maps = np.stack([bump(20, 20, 5), bump(24, 20, 5), bump(24, 26, 5)])
    free = confusion_from_responses(responses=maps)
    spreads = (1e-3, 0.3, 3.0, 1e4)
    known = np.stack([confusion_with_prior(responses=maps, spread=s, significance=5.0) for s in spreads])
    assert known[0] == pytest.approx(1.0, abs=0.01)
    assert (np.diff(known, axis=0) >= -0.01 * known[:-1]).all()
    # rounds end where they rise by less than 1 %
    assert known[-1] == pytest.approx(free, rel=0.05)


def test_confusion_with_a_prior_is_the_scatter_of_a_joint_fit_with_it():
    # one neighbour: v in closed form from v = 1 + v rho^2 / (1/(n^2 s^2) + v (1 - rho^2)), both responses of one size
    pair = np.stack([bump(32, 28, 3), bump(32, 34, 3)])
    centred = (pair - pair.mean(axis=(1, 2), keepdims=True)).reshape(2, -1)
    rho2 = (centred[0] @ centred[1]) ** 2 / (centred[0] @ centred[0]) / (centred[1] @ centred[1])
    n, s = 5.0, 0.5
    v = confusion_with_prior(responses=pair, spread=s, significance=n)[0]
    weights = n**2 * v * np.array([[1.0, np.sqrt(rho2)], [np.sqrt(rho2), 1.0]]) + np.diag([0.0, 1 / s**2])
    assert n**2 * np.linalg.inv(weights)[0, 0] == pytest.approx(1.0, rel=0.015)
    assert 1.0 < v < 1 / (1 - rho2)


def test_sources_apart_do_not_disturb_each_other_and_twins_are_hopeless():
    apart = confusion_from_responses(responses=np.stack([bump(12, 12, 2), bump(50, 50, 2)]))
    # what is left is the common offset: each bump covers 0.6 % of the map, and correlates with the other by 1.2 %
    assert apart == pytest.approx(1.0, abs=2e-4)
    twins = confusion_from_responses(responses=np.stack([bump(12, 12, 2), 3 * bump(12, 12, 2), bump(50, 50, 2)]))
    assert np.isinf(twins[:2]).all()
    assert twins[2] == pytest.approx(1.0, abs=4e-4)


def test_a_field_in_a_mirror_plane_makes_families_coincide():
    frames = nv_frames_from_cut(cut="100")
    along_normal = lines_from_field(field=np.array([0.0, 0.0, 5e-3]), frames=frames)
    assert len(coinciding_centres(lines=along_normal, width=1e6)) == 6
    in_mirror = lines_from_field(field=np.array([2e-3, 0.0, 5e-3]), frames=frames)
    assert len(coinciding_centres(lines=in_mirror, width=1e6)) == 2
    anyhow = lines_from_field(field=np.array([1.1e-3, 2.3e-3, 4.5e-3]), frames=frames)
    assert coinciding_centres(lines=anyhow, width=1e6) == []


def test_maps_without_sense_are_refused():
    with pytest.raises(InputError, match="finite"):
        contrast_from_map(field=np.full((4, 4), np.nan))
    with pytest.raises(InputError, match="shape"):
        confusion_from_responses(responses=np.ones((4, 4)))
    with pytest.raises(InputError, match="seen somewhere"):
        confusion_from_responses(responses=np.stack([bump(3, 3, 2), np.ones((64, 64))]))
    with pytest.raises(InputError, match="width"):
        blurred_map(field=RAMP, width=-1.0, pixel=(1.0, 1.0))
