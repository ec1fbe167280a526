import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.magnetism.hamiltonian import hamiltonian_from_field, hamiltonian_with_nitrogen, spin_matrices
from operando.magnetism.nv import (
    NUCLEI,
    NV,
    nv_frames_from_cut,
    splitting_from_temperature,
    stark_shift_from_electric_field,
    temperature_from_splitting,
)


@pytest.mark.parametrize(
    ("cut", "degrees"), [("100", [54.74] * 4), ("111", [0, 70.53, 70.53, 70.53]), ("110", [35.26, 35.26, 90, 90])]
)
def test_axes_lean_from_the_normal_as_the_cut_says(cut, degrees):
    frames = nv_frames_from_cut(cut=cut, azimuth=0.4)
    lean = np.degrees(np.arccos(np.clip(frames[:, 2, 2], -1, 1)))
    np.testing.assert_allclose(np.sort(lean), degrees, atol=0.01)


@given(cut=st.sampled_from(["100", "110", "111"]), azimuth=st.floats(-7, 7))
def test_frames_are_right_handed_and_axes_tetrahedral(cut, azimuth):
    frames = nv_frames_from_cut(cut=cut, azimuth=azimuth)
    np.testing.assert_allclose(frames @ frames.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (4, 3, 3)), atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(frames), 1.0, atol=1e-14)
    cosines = np.abs(frames[:, 2] @ frames[:, 2].T)
    np.testing.assert_allclose(cosines, np.full((4, 4), 1 / 3) + np.eye(4) * 2 / 3, atol=1e-14)


@given(field=st.tuples(*[st.floats(-1, 1)] * 3), cut=st.sampled_from(["100", "110", "111"]))
def test_projections_on_four_axes_sum_to_four_thirds_of_the_square(field, cut):
    projections = nv_frames_from_cut(cut=cut)[:, 2] @ np.array(field)
    assert np.sum(projections**2) == pytest.approx(4 / 3 * np.dot(field, field), rel=1e-12, abs=1e-15)


def test_x_lies_in_a_mirror_plane_of_the_centre():
    # a mirror plane of a <111> axis holds the other three axes, one each: y is normal to one of them
    frames = nv_frames_from_cut(cut="100")
    for own, frame in enumerate(frames):
        others = np.delete(frames[:, 2], own, axis=0)
        assert np.abs(others @ frame[1]).min() == pytest.approx(0.0, abs=1e-14)


def test_unknown_cut_is_refused():
    with pytest.raises(InputError, match="100, 110 or 111"):
        nv_frames_from_cut(cut="211")


@given(temperature=st.floats(250, 400))
def test_temperature_and_splitting_are_inverse(temperature):
    splitting = splitting_from_temperature(temperature=temperature)
    assert temperature_from_splitting(splitting=splitting) == pytest.approx(temperature, abs=1e-6)
    assert (splitting < NV.splitting) == (temperature > 300.0) or temperature == pytest.approx(300.0)


def test_electric_field_along_an_axis_shifts_and_across_it_splits():
    frames = nv_frames_from_cut(cut="111")
    axial, transverse = stark_shift_from_electric_field(electric_field=1e7 * frames[0, 2], frames=frames)
    assert axial[0] == pytest.approx(35e3)
    assert abs(transverse[0]) == pytest.approx(0.0, abs=1e-6)
    axial, transverse = stark_shift_from_electric_field(electric_field=1e7 * frames[0, 0], frames=frames)
    assert axial[0] == pytest.approx(0.0, abs=1e-6)
    assert abs(transverse[0]) == pytest.approx(1.7e6)


@pytest.mark.parametrize("spin", [0.5, 1.0, 1.5])
def test_spin_matrices_obey_their_algebra(spin):
    sx, sy, sz = spin_matrices(spin)
    np.testing.assert_allclose(sx @ sy - sy @ sx, 1j * sz, atol=1e-14)
    total = sx @ sx + sy @ sy + sz @ sz
    np.testing.assert_allclose(total, spin * (spin + 1) * np.eye(round(2 * spin) + 1), atol=1e-14)


@given(field=st.tuples(*[st.floats(-0.2, 0.2)] * 3), e=st.complex_numbers(max_magnitude=5e7))
def test_hamiltonian_is_hermitian_with_the_trace_of_its_splitting(field, e):
    h = hamiltonian_from_field(field=np.array(field), transverse=e)
    np.testing.assert_allclose(h, h.conj().T, atol=1e-6)
    assert np.trace(h).real == pytest.approx(2 * NV.splitting)


@pytest.mark.parametrize("nitrogen", ["14N", "15N"])
@pytest.mark.parametrize("axial", [1e-3, 5e-3])
def test_exact_multiplets_lie_a_stated_step_above_those_of_first_order(nitrogen, axial):
    """Transitions that keep the nuclear spin, of the whole Hamiltonian, beside the offsets that fits use."""
    nucleus, field = NUCLEI[nitrogen], np.array([0.0, 0.0, axial])
    levels, states = np.linalg.eigh(hamiltonian_with_nitrogen(field=field, nitrogen=nitrogen))
    count = round(2 * nucleus.spin) + 1
    drive = np.kron(spin_matrices(1.0)[0], np.eye(count))
    strength = np.abs(states.conj().T @ drive @ states) ** 2
    allowed = [(levels[j] - levels[i]) for i in range(count) for j in range(count, 3 * count) if strength[i, j] > 0.1]
    exact = np.sort(allowed).reshape(2, count)
    bare = np.diff(np.linalg.eigvalsh(hamiltonian_from_field(field=field)))
    bare = np.array([bare[0], bare.sum()])
    # second order in the coupling across the axis, alike for both lines: it looks like heat and not like a field
    shift = nucleus.spin * (nucleus.spin + 1) * nucleus.transverse**2 / NV.splitting
    np.testing.assert_allclose(exact.mean(axis=1) - bare, shift, rtol=0.05)
    np.testing.assert_allclose(exact - exact.mean(axis=1)[:, None], [nucleus.multiplet] * 2, atol=4e3)


@pytest.mark.parametrize("nitrogen", ["14N", "15N"])
def test_nitrogen_splits_a_line_into_the_stated_multiplet(nitrogen):
    field = np.array([0.0, 0.0, 5e-3])
    levels = np.linalg.eigvalsh(hamiltonian_with_nitrogen(field=field, nitrogen=nitrogen))
    bare = np.linalg.eigvalsh(hamiltonian_from_field(field=field))
    count = round(2 * NUCLEI[nitrogen].spin) + 1
    # along the axis the nuclear states of the levels 0 and +1 pair off by energy of the unperturbed coupling
    h = hamiltonian_with_nitrogen(field=field, nitrogen=nitrogen)
    diagonal = np.real(np.diag(h)).reshape(3, count)
    lines = np.sort(diagonal[0] - diagonal[1]) - (bare[2] - bare[0])
    np.testing.assert_allclose(lines, NUCLEI[nitrogen].multiplet, atol=1e-3)
    # the transverse coupling, left out of the multiplet, moves levels by A^2 / D only
    shift = np.abs(np.sort(np.real(np.diag(h))) - levels).max()
    assert shift < 2 * NUCLEI[nitrogen].transverse ** 2 / (NV.splitting - 28.032e9 * 5e-3)
