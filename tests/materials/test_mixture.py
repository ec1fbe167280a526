"""Weights, volumes and pores: published composite, round trips, limits, refusals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.materials.mixture import (
    density_from_volume_fractions,
    porosity_from_density,
    volume_fractions_from_weight,
    weight_fractions_from_volume,
)

DENSITIES = st.floats(500, 20e3)


@st.composite
def mixtures(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    parts = draw(st.lists(st.floats(0.01, 1), min_size=1, max_size=5))
    fractions = [part / sum(parts) for part in parts]
    return fractions, draw(st.lists(DENSITIES, min_size=len(parts), max_size=len(parts)))


def test_known_composite_cathode() -> None:
    alphas = volume_fractions_from_weight(weight_fractions=[0.7, 0.3], densities=[4780, 1870])
    assert alphas == pytest.approx([0.4772, 0.5228], abs=5e-5)
    assert density_from_volume_fractions(volume_fractions=alphas, densities=[4780, 1870]) == pytest.approx(3259, abs=1)


@given(mixtures())
def test_weight_to_volume_and_back(mixture: tuple[list[float], list[float]]) -> None:
    weights, densities = mixture
    alphas = volume_fractions_from_weight(weight_fractions=weights, densities=densities)
    assert sum(alphas) == pytest.approx(1)
    assert weight_fractions_from_volume(volume_fractions=alphas, densities=densities) == pytest.approx(weights)


@given(mixtures())
def test_the_volumes_of_the_constituents_add_up(mixture: tuple[list[float], list[float]]) -> None:
    weights, densities = mixture
    alphas = volume_fractions_from_weight(weight_fractions=weights, densities=densities)
    dense = density_from_volume_fractions(volume_fractions=alphas, densities=densities)
    assert 1 / dense == pytest.approx(sum(w / rho for w, rho in zip(weights, densities, strict=True)))


@given(DENSITIES, st.floats(0, 0.9))
def test_porosity_is_read_from_the_density_that_it_makes(dense: float, porosity: float) -> None:
    porous = density_from_volume_fractions(volume_fractions=[1.0], densities=[dense], porosity=porosity)
    assert porosity_from_density(density=porous, dense=dense) == pytest.approx(porosity, abs=1e-12)


@pytest.mark.parametrize("fractions", [[0.5, 0.4], [1.5, -0.5], [math.nan, 1.0]])
def test_fractions_that_do_not_sum_to_one_are_refused(fractions: list[float]) -> None:
    with pytest.raises(InputError, match="weight fractions must be"):
        volume_fractions_from_weight(weight_fractions=fractions, densities=[1000, 2000])
    with pytest.raises(InputError, match="volume fractions must be"):
        weight_fractions_from_volume(volume_fractions=fractions, densities=[1000, 2000])


def test_a_body_denser_than_its_solid_is_refused() -> None:
    with pytest.raises(InputError, match="at most the dense solid's 1870"):
        porosity_from_density(density=1900, dense=1870)
