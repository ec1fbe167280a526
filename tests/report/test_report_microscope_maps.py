from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import LogNorm

from operando.cell.microstructure.structure import Microstructure, section_grid
from operando.report.microscope_maps import draw_map, draw_outlines, extent_of
from operando.report.style import new_figure


@pytest.fixture
def structure():
    phase = np.ones((2, 20, 30), dtype=np.uint8)
    phase[:, :, :4] = 3
    phase[1, 5:15, 20:28] = 2
    grid = section_grid(shape=phase.shape, spacing=(1e-7, 1e-7, 1e-7))
    return Microstructure(grid=grid, phase=phase, particle=(phase == 2).astype(int), grain=(phase == 1).astype(int))


def test_maps_lie_where_the_section_is(structure):
    assert extent_of(structure.grid) == pytest.approx((0.0, 3.0, 0.0, 2.0))
    figure = new_figure(height=60)
    axes = figure.subplots()
    values = np.arange(600.0).reshape(20, 30)
    picture = draw_map(figure, axes, values, structure.grid, label="Bz (µT)")
    assert picture.get_clim() == pytest.approx((-0.998 * 599, 0.998 * 599))
    assert picture.origin == "lower"  # y grows upwards
    assert axes.get_xlabel() == "x (µm)"
    draw_outlines(axes, structure)
    shade = axes.get_images()[-1].get_array()
    assert shade[5, 25, 3] > 0  # a particle's edge
    assert shade[10, 25, 3] == 0  # and its middle
    assert axes.get_ylim() == pytest.approx((0.0, 2.0))


def test_colour_bar_says_what_goes_beyond_it(structure):
    figure = new_figure(height=60)
    axes = figure.subplots()
    values = np.full((20, 30), 5.0)
    values[0, 0] = 200.0
    picture = draw_map(figure, axes, values, structure.grid, label="|J|", limits=(1.0, 100.0), logarithmic=True)
    assert isinstance(picture.norm, LogNorm)
    assert picture.colorbar.extend == "max"
