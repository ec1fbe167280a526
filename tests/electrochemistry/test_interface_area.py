import numpy as np
import pytest

from operando.electrochemistry.finite_volume import face_areas
from operando.electrochemistry.interface_area import interface_area, interface_weights
from operando.errors import InputError


def ball(radius, centre, *, flat=False, spacing=(1.0, 1.0, 1.0)):
    n = [1 if flat and a == 0 else int((2 * radius + 14) / s) for a, s in enumerate(spacing)]
    z, y, x = np.meshgrid(*((np.arange(k) + 0.5 - k / 2) * s - c for k, s, c in zip(n, spacing, centre, strict=True)),
                          indexing="ij")  # fmt: skip
    return (0 if flat else z**2) + y**2 + x**2 < radius**2


@pytest.mark.parametrize("radius", [6, 8, 12])
@pytest.mark.parametrize("flat", [False, True])
def test_spheres_and_circles_have_their_area_wherever_they_lie(radius, flat):
    rng = np.random.default_rng(radius)
    truth = 2 * np.pi * radius if flat else 4 * np.pi * radius**2
    found = [
        interface_area(phase=ball(radius, rng.uniform(-0.5, 0.5, 3), flat=flat), spacing=(1.0, 1.0, 1.0)) / truth
        for _ in range(30 if flat else 8)
    ]
    assert np.mean(found) == pytest.approx(1, abs=0.005)
    # One ball on voxels differs from the next by its position: by 0.7 % of its circumference at a radius of 6.
    assert np.std(found) < 0.01


def test_uncorrected_faces_are_half_too_many():
    phase = ball(12, (0, 0, 0))
    faces = sum(np.count_nonzero(np.diff(phase, axis=a)) * s for a, s in enumerate(face_areas((1.0, 1.0, 1.0))))
    assert faces / (4 * np.pi * 144) == pytest.approx(1.5, abs=0.06)


def test_stretched_voxels_have_the_same_area():
    spacing = (1.0, 0.5, 0.7)
    found = interface_area(phase=ball(8, (0.1, 0.2, 0.3), spacing=spacing), spacing=spacing)
    assert found == pytest.approx(4 * np.pi * 64, rel=0.01)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_planes_along_the_grid_are_exact(axis):
    phase = np.moveaxis(np.arange(12)[:, None, None] < np.full((1, 7, 5), 6), 0, axis)
    spacing = (1.0, 2.0, 3.0)
    expected = 35 * face_areas(spacing)[axis]
    assert interface_area(phase=phase, spacing=spacing) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("slope", [0.25, 1 / 3, 0.5, 1.0])
def test_inclined_planes_have_their_length(slope):
    n = 96
    y, x = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    phase = (y - n / 2 + 0.25 < slope * (x - n / 2))[None]
    weights = interface_weights(phase=phase, spacing=(1.0, 1.0, 1.0))
    middle = sum(w[:, 24:73, 32:64].sum() for w in weights)
    assert middle == pytest.approx(32 * np.hypot(1, slope), rel=0.03)


def test_voxels_that_take_no_part_bound_the_interface():
    phase = np.broadcast_to(np.arange(12)[:, None, None] < 6, (12, 8, 8))
    inside = np.broadcast_to(np.arange(8) < 5, phase.shape)
    assert interface_area(phase=phase, spacing=(1.0, 1.0, 1.0), inside=inside) == pytest.approx(40, rel=1e-12)


def test_labels_are_refused():
    with pytest.raises(InputError, match="boolean"):
        interface_weights(phase=np.zeros((2, 2, 2)), spacing=(1.0, 1.0, 1.0))
