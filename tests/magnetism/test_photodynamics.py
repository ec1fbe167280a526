import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.magnetism.nv import NV
from operando.magnetism.photodynamics import EXCITED_CROSSING, GROUND_CROSSING, relative_contrast_from_field


def tilted(field: np.ndarray | float, angle: float) -> np.ndarray:
    """Fields at an angle [deg] to the axis."""
    b, a = np.atleast_1d(field), np.radians(angle)
    return np.stack([b * np.sin(a), 0 * b, b * np.cos(a)], axis=-1)


def test_a_field_along_the_axis_costs_nothing():
    fields = np.array([1e-3, 10e-3, EXCITED_CROSSING, 80e-3, GROUND_CROSSING + 5e-3, 0.3])
    assert relative_contrast_from_field(field=tilted(fields, 0.0)) == pytest.approx(1.0, abs=1e-6)


def test_a_field_across_costs_contrast_quadratically_at_first():
    # mixing is second order in the transverse field over what splits the levels; 5 mT along the axis part m = +-1
    across = np.array([0.25e-3, 0.5e-3, 1e-3])
    lost = 1 - relative_contrast_from_field(field=np.stack([across, 0 * across, 0 * across + 5e-3], axis=-1))
    assert lost[1:] / lost[:-1] == pytest.approx(4.0, rel=0.1)
    strong = relative_contrast_from_field(field=tilted(np.array([20e-3, 50e-3, 100e-3]), 90.0))
    assert (np.diff(strong) < 0).all()
    assert strong[-1] < 0.05


def test_levels_cross_where_they_should():
    fields = np.linspace(20e-3, 130e-3, 2201)
    seen = relative_contrast_from_field(field=tilted(fields, 0.3))
    dips = fields[1:-1][(np.diff(seen)[:-1] < 0) & (np.diff(seen)[1:] > 0)]
    assert dips == pytest.approx([EXCITED_CROSSING, GROUND_CROSSING], abs=0.5e-3)
    assert pytest.approx(102.4e-3, abs=0.05e-3) == GROUND_CROSSING


@given(b=st.floats(1e-4, 0.2), angle=st.floats(0, 90), turn=st.floats(0, 2 * np.pi))
def test_neither_azimuth_nor_sign_matters(b, angle, turn):
    field = tilted(b, angle)[0]
    turned = np.array([field[0] * np.cos(turn), field[0] * np.sin(turn), -field[2]])
    two = relative_contrast_from_field(field=np.stack([field, turned]))
    assert two[1] == pytest.approx(two[0], abs=1e-6)
    # exactly across, m = +1 and -1 mix as they like, which gains a little
    assert -0.01 < two[0] < 1.1


def test_without_field_the_contrast_is_that_of_single_centres():
    # saturated microwaves and weak light: 15 to 30 % for single centres
    from operando.magnetism.photodynamics import _contrast

    assert 0.15 < float(_contrast(np.array([[0.0, 0.0, 1e-3]]), 2e6, 1e7, NV)[0]) < 0.3


def test_fields_without_sense_are_refused():
    with pytest.raises(InputError, match="shape"):
        relative_contrast_from_field(field=np.zeros(2))
    with pytest.raises(InputError, match="positive"):
        relative_contrast_from_field(field=np.zeros(3), pumping=0.0)
