import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.electrochemistry.finite_volume import (
    Faces,
    conductances_from_conductivity,
    face_areas,
    flows_from_potential,
    missing_in_voxels,
    net_outflow,
    side_conductance_from_conductivity,
)
from operando.electrochemistry.grain_boundaries import resistances_between_grains

SPACING = (1.0, 2.0, 3.0)


def test_two_half_voxels_and_a_contact_are_in_series():
    contact = Faces(np.zeros((2, 1, 2)), np.zeros((1, 2, 2)), np.full((1, 1, 3), 0.7))
    found = conductances_from_conductivity(
        conductivity=np.array([[[4.0, 5.0]]]), spacing=SPACING, contact_resistance=contact
    )
    assert found.x[0, 0, 1] == pytest.approx(2.0 / (1.5 / 4 + 0.7 + 1.5 / 5))
    assert found.x[0, 0, 0] == found.x[0, 0, 2] == 0
    assert not found.z.any()


def test_what_does_not_conduct_is_cut_off_and_metal_adds_nothing():
    found = conductances_from_conductivity(conductivity=np.array([[[0.0, 5.0, np.inf]]]), spacing=SPACING)
    assert found.x[0, 0, 1] == 0
    assert found.x[0, 0, 2] == pytest.approx(2.0 * 5 / 1.5)


def test_an_electrode_lies_half_a_voxel_and_a_contact_away():
    found = side_conductance_from_conductivity(
        conductivity=np.full((1, 1, 2), 5.0), side="+z", spacing=SPACING, contact_resistance=0.1
    )
    np.testing.assert_allclose(found, 6.0 / (0.5 / 5 + 0.1))


def test_grain_boundaries_lie_between_grains_only():
    grains = np.array([[[1, 1, 2, 0, 3]]])
    found = resistances_between_grains(grains=grains, resistance=2.0, spacing=SPACING)
    np.testing.assert_array_equal(found.x[0, 0], [0, 0, 2, 0, 0, 0])
    assert found.z.shape == (2, 1, 5)


@given(st.integers(0, 2**31))
def test_what_leaves_the_voxels_leaves_by_the_sides(seed):
    rng = np.random.default_rng(seed)
    flows = Faces(rng.normal(size=(4, 4, 5)), rng.normal(size=(3, 5, 5)), rng.normal(size=(3, 4, 6)))
    sides = sum(f.take(-1, axis=a).sum() - f.take(0, axis=a).sum() for a, f in enumerate(flows))
    assert net_outflow(flows).sum() == pytest.approx(sides, abs=1e-10)


def test_a_linear_potential_drives_a_uniform_current():
    z, y, x = np.meshgrid(*(h * (np.arange(n) + 0.5) for h, n in zip(SPACING, (3, 4, 5), strict=True)), indexing="ij")
    conductances = conductances_from_conductivity(conductivity=np.full(z.shape, 2.0), spacing=SPACING)
    flows = flows_from_potential(potential=1.0 * z - 2 * y + 3 * x, conductances=conductances)
    areas = face_areas(SPACING)
    np.testing.assert_allclose(flows.z[1:-1] / areas[0], -2)
    np.testing.assert_allclose(flows.y[:, 1:-1] / areas[1], 4)
    np.testing.assert_allclose(flows.x[:, :, 1:-1] / areas[2], -6)


@given(st.integers(0, 2**31))
def test_flows_follow_ohms_law_on_every_face_and_add_up(seed):
    rng = np.random.default_rng(seed)
    conductances = Faces(rng.random((4, 4, 5)), rng.random((3, 5, 5)), rng.random((3, 4, 6)))
    potential, ends = rng.normal(size=(3, 4, 5)), rng.normal(size=6)
    beyond = dict(zip(("-z", "+z", "-y", "+y", "-x", "+x"), ends, strict=True))
    flows = flows_from_potential(potential=potential, conductances=conductances, outside=beyond)
    for axis, (flow, conductance) in enumerate(zip(flows, conductances, strict=True)):
        inside, along = np.moveaxis(potential, axis, 0), np.moveaxis(flow / conductance, axis, 0)
        np.testing.assert_allclose(along[1:-1], inside[:-1] - inside[1:], atol=1e-12)
        np.testing.assert_allclose(along[0], ends[2 * axis] - inside[0], atol=1e-12)
        np.testing.assert_allclose(along[-1], inside[-1] - ends[2 * axis + 1], atol=1e-12)
    more = flows_from_potential(
        potential=potential, conductances=conductances, outside=beyond, onto=Faces(*(f.copy() for f in flows))
    )
    for twice, once in zip(more, flows, strict=True):
        np.testing.assert_allclose(twice, 2 * once)


def test_fixed_voxels_lack_nothing():
    rng = np.random.default_rng(1)
    flows = Faces(rng.normal(size=(4, 4, 5)), rng.normal(size=(3, 5, 5)), rng.normal(size=(3, 4, 6)))
    fixed = rng.random((3, 4, 5)) < 0.3
    missing, total = missing_in_voxels(flows, fixed)
    np.testing.assert_array_equal(missing, np.where(fixed, 0.0, -net_outflow(flows)))
    assert total == pytest.approx(np.abs(missing).sum())
