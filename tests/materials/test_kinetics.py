"""Butler-Volmer: its linear and Tafel limits, its inverse, and no number that a solver chokes on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.materials.kinetics import (
    FARADAY,
    GAS_CONSTANT,
    current_density_from_overpotential,
    exchange_current_density_from_lithiation,
    exchange_current_density_from_resistance,
    overpotential_from_current_density,
    thermal_voltage,
)


def test_the_linear_limit_is_the_charge_transfer_resistance() -> None:
    exchange = exchange_current_density_from_resistance(resistance=5e-3)
    current = current_density_from_overpotential(overpotential=1e-6, exchange_current_density=exchange)
    assert 1e-6 / current == pytest.approx(5e-3, rel=1e-6)


@pytest.mark.parametrize("transfer", [0.3, 0.5])
def test_the_tafel_slope(transfer: float) -> None:
    low, high = (
        current_density_from_overpotential(
            overpotential=eta, exchange_current_density=1.0, transfer_coefficient=transfer
        )
        for eta in (0.4, 0.5)
    )
    assert np.log(high / low) / 0.1 == pytest.approx(transfer * FARADAY / (GAS_CONSTANT * 298.15), rel=1e-5)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_the_overpotential_inverts_the_current(current: float, exchange: float) -> None:
    eta = overpotential_from_current_density(current_density=current, exchange_current_density=exchange)
    back = current_density_from_overpotential(overpotential=eta, exchange_current_density=exchange)
    assert back == pytest.approx(current, rel=1e-9, abs=1e-9)


@given(st.floats(-1e6, 1e6), st.floats(0.1, 0.9))
def test_finite_and_monotone_whatever_the_iterate(eta: float, transfer: float) -> None:
    low, high = (
        current_density_from_overpotential(overpotential=e, exchange_current_density=1.0, transfer_coefficient=transfer)
        for e in (eta, eta + 1e-3)
    )
    assert np.isfinite(low)
    assert high > low


def test_the_exchange_current_density_is_symmetric_and_named_at_half() -> None:
    x = np.array([0.5, 0.1, 0.9, 0.2])
    found = exchange_current_density_from_lithiation(lithiation=x, at_half=3.0)
    np.testing.assert_allclose(found, 6.0 * np.sqrt(x * (1 - x)), rtol=1e-9)


def test_the_exchange_current_density_stays_positive_and_smooth_also_beyond_the_ends() -> None:
    import jax

    with jax.enable_x64(True):
        import jax.numpy as jnp

        law = jax.value_and_grad(lambda v: exchange_current_density_from_lithiation(lithiation=v, at_half=1.0))
        value, slope = jax.vmap(law)(jnp.asarray([-2.0, -1e-9, 0.0, 1e-7, 0.5, 1.0, 1.0 + 1e-7, 3.0]))
    assert (np.asarray(value) > 0).all()
    assert np.isfinite(np.asarray(slope)).all()


def test_thermal_voltage_at_room_temperature() -> None:
    assert thermal_voltage() == pytest.approx(25.693e-3, rel=1e-4)
