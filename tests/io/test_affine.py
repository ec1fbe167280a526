import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from operando.errors import FileError, InputError
from operando.frames import transformed
from operando.io.affine import read_affine, write_affine


def affine_from(linear, shift):
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = linear, shift
    return affine


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bend=arrays("float64", (3, 3), elements=st.floats(-0.3, 0.3)),
    shift=arrays("float64", 3, elements=st.floats(-0.1, 0.1)),
)
def test_an_affine_comes_back(tmp_path, bend, shift):
    affine = affine_from(np.eye(3) + bend, shift)
    write_affine(tmp_path / "a.tfm", affine)
    assert np.allclose(read_affine(tmp_path / "a.tfm"), affine, rtol=1e-15, atol=1e-300)


def test_simpleitk_moves_points_the_same_way(tmp_path):
    import SimpleITK

    affine = affine_from([[0.9, -0.3, 0.1], [0.3, 0.95, 0.0], [0.0, 0.05, 1.02]], [1e-3, -2e-3, 5e-4])
    write_affine(tmp_path / "a.tfm", affine)
    theirs = SimpleITK.ReadTransform(str(tmp_path / "a.tfm"))
    point = np.array([0.01, 0.02, -0.03])
    moved = np.array(theirs.TransformPoint((1e3 * point).tolist())) / 1e3  # ITK counts in millimetres
    assert np.allclose(moved, transformed(point, affine), rtol=1e-12)


def test_an_affine_of_simpleitk_with_a_centre_is_read(tmp_path):
    import SimpleITK

    turn = SimpleITK.AffineTransform(3)
    turn.SetMatrix([0, -1, 0, 1, 0, 0, 0, 0, 1])
    turn.SetCenter((10.0, 20.0, 5.0))
    turn.SetTranslation((1.0, 2.0, 3.0))
    SimpleITK.WriteTransform(turn, str(tmp_path / "a.tfm"))
    point = np.array([0.003, -0.004, 0.012])
    want = np.array(turn.TransformPoint((1e3 * point).tolist())) / 1e3
    assert np.allclose(transformed(point, read_affine(tmp_path / "a.tfm")), want, rtol=1e-12)


@pytest.mark.parametrize(
    "affine", [np.eye(3), np.zeros((4, 4)), np.diag([1, 1, 0, 1.0]), np.diag([1, 1, np.nan, 1]), 2 * np.eye(4)]
)
def test_what_is_no_affine_is_not_written(tmp_path, affine):
    with pytest.raises(InputError, match="affine"):
        write_affine(tmp_path / "a.tfm", affine)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("AffineTransform_double_3_3", "BSplineTransform_double_3_3"),
        ("#Insight Transform File V1.0", "#Something else"),
        ("Parameters: 1.0 ", "Parameters: "),
        ("Parameters: 1.0 ", "Parameters: one "),
        ("Parameters: 1.0 ", "Parameters: inf "),
        ("FixedParameters: 0 0 0", ""),
    ],
)
def test_a_damaged_transform_is_refused(tmp_path, old, new):
    write_affine(tmp_path / "a.tfm", np.eye(4))
    text = (tmp_path / "a.tfm").read_text()
    assert old in text
    (tmp_path / "a.tfm").write_text(text.replace(old, new, 1))
    with pytest.raises(FileError, match=r"a\.tfm"):
        read_affine(tmp_path / "a.tfm")


def test_a_missing_transform_is_refused(tmp_path):
    with pytest.raises(FileError, match="no such transform"):
        read_affine(tmp_path / "none.tfm")
