"""The mass balance of isotope exchange: exact sums come back, errors are the scatter, disagreement shows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.lithium import exchange
from operando.lithium.exchange import BalanceData, balance_from_data
from operando.materials.cross_sections import PAPER_TABLE, lithium_cross_sections
from operando.materials.formula import AVOGADRO, LITHIUM6_NATURAL
from operando.units import FARADAY

SIGMA6, SIGMA7 = lithium_cross_sections(PAPER_TABLE)
CROSS = {"sigma6": SIGMA6, "sigma7": SIGMA7}
ACTIVE, ELECTROLYTE, ENRICHED = 22.99e-6, 19.78e-6, 0.01
MIXTURE = exchange.mixture_fraction_from_amounts(
    active_lithium=ACTIVE,
    electrolyte_lithium=ELECTROLYTE,
    active_fraction=LITHIUM6_NATURAL,
    electrolyte_fraction=ENRICHED,
)
STATISTICAL, SCALE, EFFICIENCY, INTERFACE = 0.01, 0.03, 0.005, 0.02


def sums(lost, lost6, anode=ENRICHED):
    """What an ideal instrument would measure, from counting atoms in each part."""
    cathode = AVOGADRO * (SIGMA6 * lost6 + SIGMA7 * (lost - lost6))
    gained6 = lost6 - anode * lost
    separator = AVOGADRO * (SIGMA6 * gained6 + SIGMA7 * -gained6)
    return np.array([cathode, FARADAY * lost, separator])


def balance(measured, anode_sigma=0.003, size=None, **changes):
    size = measured if size is None else size
    data = BalanceData(
        *measured,
        statistical=(STATISTICAL * size[0], 1e-6 * size[1], STATISTICAL * size[2]),
        relative={"attenuation scale": (SCALE, 0.0, SCALE), "current efficiency": (0.0, EFFICIENCY, 0.0)},
        absolute={"interface": (INTERFACE * size[0], 0.0, INTERFACE * size[0])},
    )
    known = {"data": data, "anode_fraction": ENRICHED, "anode_fraction_sigma": anode_sigma, **CROSS}
    return balance_from_data(**{**known, **changes})


@given(delithiation=st.floats(0.05, 0.9), extent=st.floats(-0.2, 1.8))
def test_exact_sums_come_back(delithiation, extent):
    lost = delithiation * ACTIVE
    lost6 = lost * ((1 - extent) * LITHIUM6_NATURAL + extent * MIXTURE)
    found = balance(sums(lost, lost6))
    assert found.lost_lithium == pytest.approx(lost, rel=1e-9)
    assert found.lost_lithium6 == pytest.approx(lost6, rel=1e-9)
    assert found.chi2 == pytest.approx(0.0, abs=1e-9)
    lithiation = exchange.lithiation_figure(balance=found, active_lithium=ACTIVE)
    assert lithiation.value == pytest.approx(1 - delithiation, abs=1e-9)
    figure = exchange.exchange_extent_figure(balance=found, mixture_fraction=MIXTURE)
    assert figure.value == pytest.approx(extent, abs=1e-6)


def noisy(rng, truth):
    """Measured sums with every error that the balance is told of."""
    scale, efficiency = 1 + SCALE * rng.normal(), 1 + EFFICIENCY * rng.normal()
    interface = INTERFACE * truth[0] * rng.normal()
    anode = AVOGADRO * (SIGMA6 - SIGMA7) * truth[1] / FARADAY * 0.003 * rng.normal()
    exact = truth * [scale, efficiency, scale] + [interface, 0.0, interface + anode]
    return exact + truth * [STATISTICAL, 1e-6, STATISTICAL] * rng.normal(size=3)


@pytest.mark.parametrize("extent", [0.0, 0.5, 1.0])
def test_errors_are_the_scatter_of_repeated_measurements(extent):
    lost = 0.27 * ACTIVE
    fraction = (1 - extent) * LITHIUM6_NATURAL + extent * MIXTURE
    truth = sums(lost, fraction * lost)
    rng = np.random.default_rng(11)
    found = [balance(noisy(rng, truth), size=truth) for _ in range(600)]
    stated = exchange.leaving_fraction_figure(balance=balance(truth))
    fractions = [b.lost_lithium6 / b.lost_lithium for b in found]
    # 600 samples know a standard deviation to 3 %.
    assert np.std(fractions) == pytest.approx(stated.total, rel=0.1)
    assert np.mean(fractions) == pytest.approx(fraction, abs=4 * stated.total / np.sqrt(600))
    amounts = [b.lost_lithium for b in found]
    assert np.std(amounts) == pytest.approx(balance(truth).lost_lithium_sigma, rel=0.1)
    assert np.mean([b.chi2 for b in found]) == pytest.approx(1.0, abs=0.2)
    assert np.mean([b.closure < 0.05 for b in found]) == pytest.approx(0.05, abs=0.03)


def test_a_common_scale_does_not_pull_the_fit_below_its_data():
    """Two sums of the same Li-6 that disagree by 6 %, with a common scale of 20 %: the fit stays between them."""
    truth = np.array([1.0, FARADAY, 1.0]) * AVOGADRO * SIGMA6 * 0.06 * 0.27 * ACTIVE
    truth[1] = FARADAY * 0.27 * ACTIVE
    measured = truth * [0.97, 1.0, 1.03]
    data = BalanceData(*measured, statistical=tuple(0.01 * truth), relative={"attenuation scale": (0.2, 0.0, 0.2)})
    found = balance_from_data(data=data, anode_fraction=0.0, anode_fraction_sigma=0.0, sigma6=SIGMA6, sigma7=0.0)
    assert 0.97 < found.lost_lithium6 / (0.06 * 0.27 * ACTIVE) < 1.03
    assert found.closure < 0.01


def test_lithium6_that_went_missing_fails_the_closure():
    lost = 0.27 * ACTIVE
    truth = sums(lost, 0.06 * lost)
    wrong = balance(truth * [1.0, 1.0, 0.6])
    assert wrong.closure < 1e-3
    assert wrong.residuals[0] * wrong.residuals[2] < 0


def test_a_wrong_charge_moves_the_lithiation_and_nothing_says_so():
    """The image weighs Li-6, the charge counts lithium: with little Li-6 at the anode one cannot check the other."""
    lost = 0.27 * ACTIVE
    found = balance(sums(lost, 0.06 * lost) * [1.0, 1.2, 1.0])
    assert found.lost_lithium / lost == pytest.approx(1.2, rel=0.02)
    assert found.closure > 0.1


def test_too_little_lithium_says_nothing_of_its_isotopes():
    data = BalanceData(*sums(1e-9, 6e-11), statistical=(1e-10, 1.0, 1e-10))
    early = balance_from_data(data=data, anode_fraction=ENRICHED, anode_fraction_sigma=0.0, **CROSS)
    for figure in (
        exchange.leaving_fraction_figure(balance=early),
        exchange.exchange_extent_figure(balance=early, mixture_fraction=MIXTURE),
    ):
        assert figure.value is None
        assert "Too little lithium" in figure.note


def test_terms_of_the_figures_are_finite_differences():
    truth = sums(0.27 * ACTIVE, 0.06 * 0.27 * ACTIVE)
    figure = exchange.lithiation_figure(
        balance=balance(truth), active_lithium=ACTIVE, active_lithium_sigma=0.02 * ACTIVE
    )
    assert figure.terms["active mass"] == pytest.approx(0.27 * 0.02)
    assert abs(figure.terms["current efficiency"]) == pytest.approx(0.27 * EFFICIENCY, rel=0.01)
    extent = exchange.exchange_extent_figure(
        balance=balance(truth), mixture_fraction=MIXTURE, mixture_fraction_sigma=0.001
    )
    below, above = (
        exchange.exchange_extent_from_fractions(
            leaving_fraction=0.06, active_fraction=LITHIUM6_NATURAL, mixture_fraction=MIXTURE + d
        )
        for d in (-0.001, 0.001)
    )
    assert extent.terms["mixture fraction"] == pytest.approx((above - below) / 2, rel=0.01)


def test_refusals():
    data = BalanceData(*sums(1e-6, 6e-8), statistical=(0.0, 0.0, 0.0))
    with pytest.raises(InputError, match="statistical must be above zero"):
        balance_from_data(data=data, anode_fraction=0.01, anode_fraction_sigma=0.0, **CROSS)
    with pytest.raises(InputError, match="must be finite everywhere"):
        BalanceData(np.nan, 1.0, 1.0, statistical=(1.0, 1.0, 1.0))
    with pytest.raises(InputError, match="mixture_fraction must be below active_fraction"):
        exchange.exchange_extent_from_fractions(leaving_fraction=0.05, active_fraction=0.05, mixture_fraction=0.05)
