import numpy as np
import pytest

from operando.materials.formula import formula_from_text
from operando.materials.magnetic_lithiation import volume_from_lithium
from operando.materials.magnetic_sheet import magnetic_sheet_from_formula
from operando.materials.magnetic_table import magnetic_compounds, magnetic_elements
from operando.report.style import png_bytes
from operando.report.susceptibility import susceptibility_figure


def test_the_figure_shows_the_curve_and_every_material_that_has_a_value():
    figure = susceptibility_figure()
    left, right = figure.axes
    x, y = left.lines[0].get_data()
    assert y == pytest.approx(1e4 * volume_from_lithium(lithium=np.asarray(x)))
    assert left.get_xlim() == (1.0, 0.3)
    listed = {m.name for m in (*magnetic_elements(), *magnetic_compounds()) if m.volume is not None}
    assert {label.get_text() for label in right.get_yticklabels()} == listed
    low, high = right.get_xlim()
    assert all(low < value < high for line in right.lines for value in line.get_xdata())
    assert png_bytes(figure, resolution=40).startswith(b"\x89PNG")


def test_a_material_is_marked_at_its_lithium_and_its_value():
    marked = magnetic_sheet_from_formula(formula_from_text("Li0.8CoO2")).material
    left, right = susceptibility_figure(shown=marked).axes
    value = float(volume_from_lithium(lithium=0.8))
    assert [tuple(p[0] for p in line.get_data()) for line in left.lines if line.get_marker() == "s"] == [
        (0.8, pytest.approx(1e4 * value))
    ]
    assert any(list(line.get_xdata()) == [pytest.approx(value)] * 2 for line in right.lines)
    # far below the plotted range the curve has no place for it
    left, _ = susceptibility_figure(shown=magnetic_sheet_from_formula(formula_from_text("CoO2")).material).axes
    assert not [line for line in left.lines if line.get_marker() == "s"]
