from dataclasses import replace

import numpy as np
import pytest

from operando.twin.detector import drawn_detector, generator
from operando.twin.priors import InstrumentPriors

PERFECT = InstrumentPriors(
    response=0.0, nonlinearity=0.0, ringing_nonlinearity=0.0, dead_pixels=0.0, hot_pixels=0.0, read_noise=0.0
)


def detector(priors=PERFECT, *, full=300.0, gamma_rate=0.0, shape=(60, 80)):
    return drawn_detector(shape=shape, full=full, priors=priors, rng=generator(1, 0), gamma_rate=gamma_rate)


@pytest.mark.parametrize("transmission", [1.0, 0.3, 0.02])
def test_variance_over_mean_is_the_gain(transmission):
    camera = detector()
    quanta = np.full(camera.shape, 300.0 * transmission)
    frames = np.stack([camera.recorded(quanta, generator(2, i)) for i in range(60)]).astype(float)
    signal = frames.mean() - camera.offset.mean()
    assert signal == pytest.approx(camera.gain * 300 * transmission, rel=0.01)
    # 60 x 4800 samples: the ratio scatters by 0.3 %; rounding to counts adds 1/12 to a variance of 60 000 or more
    assert frames.var(axis=0, ddof=1).mean() / signal == pytest.approx(camera.gain, rel=0.02)


def test_a_dark_frame_holds_offset_and_read_noise_alone():
    camera = detector(replace(PERFECT, read_noise=2.0), gamma_rate=0.5)
    frames = np.stack([camera.recorded(np.zeros(camera.shape), generator(3, i), beam_on=False) for i in range(40)])
    np.testing.assert_allclose(frames.mean(axis=0), camera.offset, atol=5 * np.sqrt((4 + 1 / 12) / 40))
    assert frames.std(axis=0, ddof=1).mean() == pytest.approx(2.0, rel=0.05)


def test_rings_come_from_pixels_that_the_open_beam_does_not_correct():
    priors = replace(PERFECT, response=0.05, ringing_pixels=0.1, ringing_nonlinearity=0.05)
    camera = detector(priors, full=1e7)  # no noise to speak of
    sample, opened = (camera.recorded(np.full(camera.shape, share * 1e7), generator(4, 0)) for share in (0.4, 1.0))
    flat = (sample - camera.offset) / (opened - camera.offset)
    ringing = camera.nonlinearity != 0
    assert flat[~ringing].std() < 1e-3
    assert 0.05 < ringing.mean() < 0.15
    expected = 0.4 * (1 - 0.6 * camera.nonlinearity)
    np.testing.assert_allclose(flat[ringing], expected[ringing], rtol=2e-3)


def test_stuck_pixels_answer_to_nothing():
    camera = detector(replace(PERFECT, dead_pixels=0.01, hot_pixels=0.01))
    dim, bright = (camera.recorded(np.full(camera.shape, n), generator(5, int(n))) for n in (10.0, 300.0))
    stuck = camera.stuck >= 0
    assert 0.01 < stuck.mean() < 0.03
    assert (dim == bright)[stuck].all()
    assert (dim < bright)[~stuck].all()


def test_gamma_spots_come_at_their_rate_and_only_with_the_beam():
    camera = detector(gamma_rate=1e-3, shape=(200, 200), full=1e4)
    quanta = np.full(camera.shape, 1e4)
    lit = np.stack([camera.recorded(quanta, generator(6, i)) for i in range(30)]).astype(float)
    bright = (lit - camera.offset) / camera.gain > 1e4 * 1.1
    # Each hit gives 60 % of an exponential of mean 0.5 to one pixel, 40 % to the same or the next column.
    alone, first, second = np.exp(-0.2), np.exp(-0.1 / 0.3), np.exp(-0.1 / 0.2)
    expected = 1e-3 * (alone / 2 + (first + second) / 2)
    assert bright.mean() == pytest.approx(expected, rel=0.1)


def test_streams_depend_on_their_key_alone():
    a = generator(7, 1, 2).random(5)
    generator(7, 9).random(100)
    assert (generator(7, 1, 2).random(5) == a).all()
    assert (generator(7, 2, 1).random(5) != a).all()
    assert (generator(8, 1, 2).random(5) != a).all()
