"""Open-circuit potentials: the published points, shape, ends, and the same in JAX."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.materials.curve import curve_from_points
from operando.materials.open_circuit import (
    OPEN_CIRCUIT_MATERIALS,
    open_circuit_curve,
    open_circuit_potential_from_lithiation,
    open_circuit_slope_from_lithiation,
)

ANY = np.linspace(-0.5, 1.5, 4001)


def test_the_published_points_of_lithium_cobalt_oxide() -> None:
    lithiation = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    published = [3.875, 3.895, 3.930, 4.017, 4.162, 4.391]
    found = open_circuit_potential_from_lithiation(lithiation=lithiation, material="LixCoO2")
    np.testing.assert_allclose(found, published, atol=1.1e-3)


def test_the_published_fit_of_nickel_rich_oxide_inside_its_window() -> None:
    x = np.linspace(0.27, 0.91, 400)
    fit = (
        4.4875
        - 0.8090 * x
        - 0.0428 * np.tanh(18.5138 * (x - 0.5542))
        - 17.7326 * np.tanh(15.7890 * (x - 0.3117))
        + 17.5842 * np.tanh(15.9308 * (x - 0.3120))
    )
    found = open_circuit_potential_from_lithiation(lithiation=x, material="NCM83")
    np.testing.assert_allclose(found, fit, atol=3e-4)


def test_plateaus() -> None:
    assert open_circuit_potential_from_lithiation(lithiation=0.3, material="LiIn") == 0.62
    assert open_circuit_potential_from_lithiation(lithiation=0.3, material="Li") == 0.0


@pytest.mark.parametrize("material", ["LixCoO2", "NCM83"])
def test_falls_with_lithiation_everywhere_also_beyond_the_table(material: str) -> None:
    potential = open_circuit_potential_from_lithiation(lithiation=ANY, material=material)
    assert np.isfinite(potential).all()
    assert (np.diff(potential) < 0).all()
    assert (open_circuit_slope_from_lithiation(lithiation=ANY, material=material) < 0).all()


@pytest.mark.parametrize("material", OPEN_CIRCUIT_MATERIALS)
def test_the_slope_is_the_derivative(material: str) -> None:
    step = 1e-6
    x = np.linspace(-0.2, 1.2, 137)
    up = open_circuit_potential_from_lithiation(lithiation=x + step, material=material)
    down = open_circuit_potential_from_lithiation(lithiation=x - step, material=material)
    slope = open_circuit_slope_from_lithiation(lithiation=x, material=material)
    np.testing.assert_allclose(slope, (up - down) / (2 * step), atol=2e-3)


def test_jax_gives_the_same_compiled_and_differentiated() -> None:
    import jax

    with jax.enable_x64(True):
        import jax.numpy as jnp

        x = jnp.asarray(ANY)
        curve = open_circuit_curve("LixCoO2")
        assert x.dtype == np.float64
        np.testing.assert_allclose(jax.jit(curve)(x), curve(ANY), rtol=1e-13)
        np.testing.assert_allclose(jax.vmap(jax.grad(curve))(x), curve.slope(ANY), rtol=1e-10)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=12), st.floats(-3, 3), st.floats(0.01, 2))
def test_a_curve_meets_its_points_and_never_overshoots_them(y: list[float], start: float, step: float) -> None:
    x = start + step * np.arange(len(y))
    curve = curve_from_points(x=x, y=y)
    np.testing.assert_allclose(curve(x), y, atol=1e-9)
    for left in range(len(y) - 1):
        between = curve(np.linspace(x[left], x[left + 1], 21))
        low, high = min(y[left : left + 2]), max(y[left : left + 2])
        assert (between >= low - 1e-9).all()
        assert (between <= high + 1e-9).all()


@pytest.mark.parametrize(("x", "y"), [([0.0], [1.0]), ([0, 1, 3], [1, 2, 3]), ([1, 0], [1, 2]), ([0, 1], [1, np.nan])])
def test_points_that_make_no_curve_are_refused(x: list[float], y: list[float]) -> None:
    with pytest.raises(InputError, match="points"):
        curve_from_points(x=x, y=y)


def test_a_material_without_a_table_is_refused() -> None:
    with pytest.raises(InputError, match="LixCoO2"):
        open_circuit_potential_from_lithiation(lithiation=0.5, material="LiFePO4")
