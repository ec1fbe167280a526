import numpy as np
import pytest

from operando.magnetism.particle_prior import independent_prior, smooth_prior
from operando.magnetism.particle_solver import Design, solve_particles
from operando.magnetism.particle_verdict import ParticleVerdict, verdicts_from_information
from operando.units import Measured

ROWS, PARTICLES, PATCHES = 300, 6, 24
EXPECTED = [Measured(1.0, 0.5)] * PARTICLES


def _design(rng, *, chi, a, o, noise=1.0):
    """A map made by the model that `solve_particles` states, of random fields."""
    random = np.random.default_rng(5)
    fields = 4 * random.standard_normal((ROWS, PARTICLES))
    shifts = 0.05 * np.stack([fields, random.standard_normal((ROWS, PARTICLES))])
    patches, owner = 0.3 * random.standard_normal((ROWS, PATCHES)), np.arange(PATCHES) % PARTICLES
    background = np.stack([np.ones(ROWS), np.linspace(-1, 1, ROWS)], axis=1)
    data = (fields + np.einsum("k,krp->rp", a, shifts)) @ chi + patches @ (o * chi[owner]) + background @ [30.0, -7.0]
    return Design(
        data=data + noise * rng.standard_normal(ROWS),
        fields=fields,
        shifts=shifts,
        bends=np.zeros_like(shifts),
        patches=patches,
        owner=owner,
        background=background,
    )


def _solved(rng, **made):
    return solve_particles(_design(rng, **made), start=independent_prior(expected=EXPECTED))


def test_errors_cover_when_every_source_is_drawn_from_its_own():
    rng, pulls, misfit = np.random.default_rng(0), [], []
    for _ in range(150):
        chi = 1.0 + 0.5 * rng.standard_normal(PARTICLES)
        solved = _solved(rng, chi=chi, a=rng.standard_normal(2), o=rng.standard_normal(PATCHES))
        whitener = np.linalg.cholesky(np.linalg.inv(solved.covariance)).T
        pulls.append(whitener @ (solved.susceptibility - chi))
        misfit.append(solved.chi_squared / solved.freedom)
    # whitened by the whole covariance: errors that particles share count as well
    assert np.std(pulls) == pytest.approx(1.0, abs=0.08)
    assert abs(np.mean(pulls)) < 0.1
    assert np.mean(misfit) == pytest.approx(1.0, abs=0.03)


def test_without_noise_and_errors_the_truth_comes_back():
    chi = np.linspace(0.5, 1.5, PARTICLES)
    design = _design(np.random.default_rng(0), chi=chi, a=np.zeros(2), o=np.zeros(PATCHES), noise=0.0)
    loose = independent_prior(expected=[Measured(1.0, 1e4)] * PARTICLES)
    np.testing.assert_allclose(solve_particles(design, start=loose).susceptibility, chi, rtol=1e-6)


def test_variances_add_up_to_the_whole():
    solved = _solved(np.random.default_rng(1), chi=np.ones(PARTICLES), a=np.zeros(2), o=np.zeros(PATCHES))
    parts = solved.noise + solved.outlines + solved.prior + (solved.shifts**2).sum(axis=0)
    np.testing.assert_allclose(parts, np.diag(solved.covariance), rtol=1e-6)


def test_an_error_that_scales_every_field_moves_all_particles_in_proportion():
    chi = np.linspace(0.6, 1.4, PARTICLES)
    made = {"chi": chi, "o": np.zeros(PATCHES), "noise": 0.0}
    loose = independent_prior(expected=[Measured(1.0, 1e3)] * PARTICLES)
    stated, wrong = (
        solve_particles(_design(np.random.default_rng(2), a=np.array([a, 0.0]), **made), start=loose) for a in (0, 1)
    )
    # the first shared error is 5 % of all fields: a map cannot tell it from susceptibility
    np.testing.assert_allclose(stated.shifts[0], -0.05 * stated.susceptibility, rtol=1e-3)
    np.testing.assert_allclose(wrong.susceptibility, 1.05 * stated.susceptibility, rtol=1e-3)


def _smooth(information, values, centres, sd=1.0):
    start = independent_prior(expected=[Measured(0.0, sd)] * len(values))
    return smooth_prior(
        start=start,
        alike=np.ones(len(values), bool),
        centres=centres,
        information=information,
        weighted=information @ values,
    )


def test_a_smooth_prior_is_learnt_from_a_gradient_and_not_from_chance():
    rng = np.random.default_rng(3)
    centres = rng.uniform(0, 10e-6, (40, 3))
    noise = np.where(np.arange(40) % 2, 0.05, 2.0)
    information = np.diag(1 / noise**2)
    gradient = centres[:, 0] / 5e-6 - 1
    prior = _smooth(information, gradient + noise * rng.standard_normal(40), centres)
    assert prior.length > 2e-6
    chance = _smooth(information, rng.standard_normal(40) + noise * rng.standard_normal(40), centres)
    assert chance.length < 2e-6
    assert chance.spread == pytest.approx(1.0, rel=0.4)


def test_a_smooth_prior_makes_badly_seen_particles_better_and_says_how_well():
    rng, errors, alone, pulls = np.random.default_rng(4), [], [], []
    for _ in range(20):
        centres = rng.uniform(0, 10e-6, (30, 3))
        truth = np.sin(centres[:, 0] / 3e-6)
        noise = np.where(np.arange(30) % 3 == 0, 2.0, 0.1)
        values = truth + noise * rng.standard_normal(30)
        information = np.diag(1 / noise**2)
        prior = _smooth(information, values, centres)
        covariance = np.linalg.inv(np.linalg.inv(prior.covariance) + information)
        found = covariance @ information @ values
        blind = noise > 1
        errors.append((found - truth)[blind])
        alone.append((values / (1 + noise**2) - truth)[blind])
        pulls.append(((found - truth) / np.sqrt(np.diag(covariance)))[blind])
    assert np.std(errors) < 0.5 * np.std(alone)
    assert np.mean(np.abs(pulls) < 2) > 0.9


def test_verdicts_name_depth_and_neighbours():
    sd = np.full(4, 1.0)
    told, deep = np.array([[100.0]]), np.array([[0.5]])
    # only the sum of the last two is known
    pair = 50.0 * np.array([[1.0, 0.99], [0.99, 1.0]])
    information = np.zeros((4, 4))
    information[:1, :1], information[1:2, 1:2], information[2:, 2:] = told, deep, pair
    judged = verdicts_from_information(information=information, expected_sd=sd, within_reach=np.zeros(4, bool))
    merged = ParticleVerdict.MERGED
    assert list(judged["verdict"]) == [ParticleVerdict.DETERMINED, ParticleVerdict.TOO_DEEP, merged, merged]
    assert list(judged["partner"][2:]) == [3, 2]
    assert (judged["correlation"][2:] < -0.9).any()
    # one particle: 1 / sqrt(1 + A s^2) of the prior is left
    assert judged["left"][0] == pytest.approx(1 / np.sqrt(101))
    np.testing.assert_allclose(judged["left_alone"][2:], 1 / np.sqrt(51))
    near = verdicts_from_information(information=information, expected_sd=sd, within_reach=np.ones(4, bool))
    assert near["verdict"][1] == ParticleVerdict.TOO_FAINT
    weights = np.linalg.inv(pair + np.eye(2))
    assert judged["left"][2] == pytest.approx(np.sqrt(weights[0, 0]))
