import numpy as np
import pytest

from operando.errors import InputError
from operando.tomography.scatter import dots_from_frames, scatter_level_from_dots, scatter_levels_from_frames

PIXEL = 1e-4
ROW, COLUMN = PIXEL * np.arange(200), PIXEL * np.arange(300)
Y, X = np.meshgrid(np.arange(200), np.arange(300), indexing="ij")


def dotted(places, radius=8.0):
    return np.min([np.hypot(Y - y, X - x) for y, x in places], axis=0) < radius


def background(scale=1.0):
    return scale * (80 + 0.05 * (X - 150) - 0.1 * (Y - 100) + 4e-4 * (X - 150) ** 2)


@pytest.mark.parametrize(("columns", "tolerance"), [(range(30, 300, 60), 0.02), (range(60, 300, 90), 12.0)])
def test_a_smooth_background_is_recovered_from_its_dots(columns, tolerance):
    """Ten dots or more carry a quadratic surface exactly; six only a plane, which the curvature betrays."""
    places = [(y, x) for y in (40, 100, 160)[:: 1 if len(columns) > 3 else 2] for x in columns]
    frame = np.where(dotted(places), 0.0, 1000.0) + background()
    dots = dots_from_frames(black_body=frame, open_beam=np.full(X.shape, 1000.0) + background())
    assert dots.max() == len(places)
    level = scatter_level_from_dots(frame=frame, dots=dots, row=ROW, column=COLUMN)
    error = level.at(row=ROW, column=COLUMN) - background()
    assert np.abs(error[30:170, 30:270]).max() < tolerance
    if tolerance > 1:
        assert level.sigma > 0.3
    else:
        assert level.sigma < 0.1


def test_levels_are_those_of_the_open_beams_dose():
    """Black-body frames at another dose: S0 = 50 and S = 70 at dose 1 come out, whatever the exposure was."""
    dots = dotted([(50, 60), (50, 150), (150, 60), (150, 240), (100, 280), (30, 220)])
    sample = np.where(abs(X - 150) < 60, 0.3, 1.0)
    open_beam = np.full(X.shape, 1000.0) + 50
    empty = 0.8 * (np.where(dots, 0.0, 1000.0) + 50)
    filled = 1.3 * (np.where(dots, 0.0, 1000.0 * sample) + 70)
    air = np.abs(np.arange(300) - 150) > 70
    without, within = scatter_levels_from_frames(
        empty=empty, filled=filled, open_beam=open_beam, air=air, row=ROW, column=COLUMN
    )
    np.testing.assert_allclose(without.at(row=ROW, column=COLUMN), 50, rtol=1e-6)
    np.testing.assert_allclose(within.at(row=ROW, column=COLUMN), 70, rtol=1e-6)


def test_a_level_is_the_same_function_on_every_block():
    frame = np.where(dotted([(40, 40), (40, 200), (150, 100), (120, 250)]), 0.0, 1000.0) + background()
    dots = dots_from_frames(black_body=frame, open_beam=np.full(X.shape, 1000.0))
    level = scatter_level_from_dots(frame=frame, dots=dots, row=ROW, column=COLUMN)
    whole = level.at(row=ROW, column=COLUMN)
    np.testing.assert_allclose(level.at(row=ROW[50:60], column=COLUMN[7:9]), whole[50:60, 7:9], rtol=1e-12)


def test_frames_without_dots_are_refused():
    with pytest.raises(InputError, match="absorbing dots"):
        dots_from_frames(black_body=np.full((50, 50), 990.0), open_beam=np.full((50, 50), 1000.0))
    with pytest.raises(InputError, match="of shape"):
        dots_from_frames(black_body=np.ones((50, 50)), open_beam=np.ones((50, 51)))
