import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from operando.report.statements import add_statements
from operando.report.style import COLUMN, PAGE, new_figure, panel_title

ROWS = [('"on the order of 10 µT"', "-8.1 to +18 µT " + "over particles " * 20), ("", "0.5 µT without")]


@pytest.mark.parametrize("width", [COLUMN, PAGE])
def test_statements_stand_below_the_panels_and_within_the_picture(width):
    figure = new_figure(width=width, height=60)
    axes = figure.subplots()
    axes.set_xlabel("x (µm)")
    panel_title(axes, "a", "A panel")
    before = figure.get_size_inches()
    add_statements(figure, ROWS)
    FigureCanvasAgg(figure).draw()
    text = next(t for t in figure.texts if "Stated by Pollok" in t.get_text())
    box, panel = text.get_window_extent(), axes.get_tightbbox()
    assert box.y1 <= panel.y0
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert all(found.split()[0] in text.get_text() for _, found in ROWS)
    # the panels keep their size: the figure grows by what is written
    grown = figure.get_size_inches() - before
    assert grown[0] == 0
    np.testing.assert_allclose(grown[1] * figure.dpi, box.height, rtol=0.4)
