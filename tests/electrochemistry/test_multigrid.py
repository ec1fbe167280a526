import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.electrochemistry import stencil_jax, stencil_numba
from operando.electrochemistry.finite_volume import Faces, conductances_from_conductivity
from operando.electrochemistry.multigrid import Status, hierarchy_from_conductances, solve


def random_system(shape, *, seed=0, contrast=1e3, spacing=(1.0, 1.0, 1.0)):
    rng = np.random.default_rng(seed)
    conductivity = contrast ** rng.uniform(-1, 0, shape)
    diagonal = np.where(rng.random(shape) < 0.05, 1.0, 0.0)
    diagonal.flat[0] = 1.0
    return conductances_from_conductivity(conductivity=conductivity, spacing=spacing), diagonal, rng.normal(size=shape)


def dense(conductances, diagonal):
    """Built entry by entry, apart from the kernels."""
    index = np.arange(diagonal.size).reshape(diagonal.shape)
    matrix = np.diag(diagonal.ravel())
    for axis, faces in enumerate(conductances):
        moved, at = np.moveaxis(faces, axis, 0), np.moveaxis(index, axis, 0)
        for g, i in zip((moved[0], moved[-1]), (at[0], at[-1]), strict=True):
            matrix[i.ravel(), i.ravel()] += g.ravel()
        for g, i, j in zip(moved[1:-1].ravel(), at[:-1].ravel(), at[1:].ravel(), strict=True):
            matrix[i, i] += g
            matrix[j, j] += g
            matrix[i, j] -= g
            matrix[j, i] -= g
    return matrix


@given(st.tuples(*[st.integers(1, 9)] * 3), st.integers(0, 2**31))
@settings(max_examples=15)
def test_the_solution_is_that_of_the_matrix(shape, seed):
    conductances, diagonal, b = random_system(shape, seed=seed)
    found = solve(conductances=conductances, diagonal=diagonal, b=b, tolerance=1e-12)
    assert found.status is Status.CONVERGED
    expected = np.linalg.solve(dense(conductances, diagonal), b.ravel())
    np.testing.assert_allclose(found.value.ravel(), expected, rtol=1e-6, atol=1e-8 * np.abs(expected).max())


def test_a_cycle_is_symmetric_and_positive():
    conductances, diagonal, u = random_system((11, 8, 13))
    cycle = hierarchy_from_conductances(conductances=conductances, diagonal=diagonal)
    v = np.random.default_rng(1).normal(size=u.shape)
    scale = np.sqrt((u * cycle(u)).sum() * (v * cycle(v)).sum())
    assert abs((v * cycle(u)).sum() - (u * cycle(v)).sum()) < 1e-4 * scale, "to single precision"
    assert (u * cycle(u)).sum() > 0


@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((24, 24, 24), (1.0, 1.0, 1.0)), ((24, 24, 24), (1.0, 1.0, 20.0)), ((24, 24, 24), (20.0, 1.0, 3.0)),
     ((1, 90, 70), (1.0, 1.0, 1.0)), ((90, 1, 70), (1.0, 5.0, 30.0)), ((1, 1, 999), (1.0, 1.0, 1.0))],
)  # fmt: skip
def test_iterations_stay_few_on_flat_and_stretched_grids(shape, spacing):
    conductances, _, b = random_system(shape, contrast=10, spacing=spacing)
    found = solve(conductances=conductances, diagonal=np.full(shape, 1e-4), b=b, tolerance=1e-8)
    assert found.status is Status.CONVERGED
    assert found.iterations <= 35


def test_two_phases_apart_are_two_systems_in_one():
    conductivity = np.ones((16, 16, 16))
    conductivity[:, 8] = 0
    conductances = conductances_from_conductivity(conductivity=conductivity, spacing=(1.0, 1.0, 1.0))
    diagonal = np.where(conductivity > 0, 1e-3, 0.0)
    b = np.zeros(conductivity.shape)
    b[3, 3, 3] = 1.0
    found = solve(conductances=conductances, diagonal=diagonal, b=b, tolerance=1e-10)
    assert found.value[:, :8].sum() * 1e-3 == pytest.approx(1.0)
    assert np.abs(found.value[:, 8:]).max() < 1e-12


def test_jax_finds_what_numba_finds():
    conductances, diagonal, b = random_system((7, 6, 12))
    ours = solve(conductances=conductances, diagonal=diagonal, b=b, tolerance=1e-10)
    with jax.enable_x64(True):
        given = Faces(*(jnp.asarray(f) for f in conductances))
        theirs = solve(conductances=given, diagonal=jnp.asarray(diagonal), b=jnp.asarray(b), tolerance=1e-10)
        np.testing.assert_allclose(theirs.value, ours.value, rtol=1e-6, atol=1e-9 * np.abs(ours.value).max())
        image = stencil_jax.apply(given, jnp.asarray(diagonal), jnp.asarray(b))
        np.testing.assert_allclose(image, stencil_numba.apply(conductances, diagonal, b), rtol=1e-12, atol=1e-12)
    assert theirs.status is Status.CONVERGED
    assert abs(theirs.iterations - ours.iterations) <= 5


def test_it_says_why_it_stopped():
    conductances, diagonal, b = random_system((16, 16, 16))
    few = solve(conductances=conductances, diagonal=diagonal, b=b, tolerance=1e-12, iterations=2)
    assert (few.status, few.iterations) == (Status.ITERATIONS, 2)
    b[0, 0, 0] = np.nan
    assert solve(conductances=conductances, diagonal=diagonal, b=b, tolerance=1e-6).status is Status.BREAKDOWN
    b[:] = 0
    nothing = solve(conductances=conductances, diagonal=diagonal, b=b, tolerance=1e-6)
    assert nothing.status is Status.CONVERGED
    assert not nothing.value.any()
