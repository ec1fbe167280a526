"""Isotopes carried by a current: the front, its spreading, exchange, and balances to rounding."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.electrochemistry.transport.isotopes import Flow, Isotopes, Medium, moved
from operando.frames import Array
from operando.materials.transport import drift_velocity_from_current_density

H = 5e-6
CONCENTRATION = 30e3


def _column(size: int, *, diffusivity: float = 0.0, current_density: float = 10.0) -> tuple[Medium, Flow]:
    """One square metre of electrolyte; the lowest voxel holds particles that release the current's lithium."""
    shape = (size, 1, 1)
    lithium = np.full(shape, CONCENTRATION * H)
    faces = tuple(np.zeros(tuple(n + (i == axis) for i, n in enumerate(shape))) for axis in range(3))
    diffusion = (faces[0].copy(), faces[1].copy(), faces[2].copy())
    diffusion[0][1:-1] = CONCENTRATION * diffusivity / H
    current = (faces[0].copy(), faces[1].copy(), faces[2].copy())
    moles = current_density / 96485.33212
    current[0][1:] = moles
    release = np.zeros(shape)
    release[0] = moles
    particles = np.zeros(shape)
    particles[0] = 50.0
    return Medium(lithium, diffusion), Flow(current, release, np.zeros(shape), particles)


def _start(medium: Medium, flow: Flow, fraction: Array | float, own: float) -> Isotopes:
    zero = np.zeros(medium.electrolyte.shape[1:])
    return Isotopes(medium.electrolyte * fraction, flow.particles * own, zero, zero.copy())


def test_a_front_moves_at_the_drift_velocity_exactly() -> None:
    medium, flow = _column(200)
    start = _start(medium, flow, np.where(np.arange(200) < 20, 1.0, 0.0)[:, None, None], 1.0)
    duration = 40 * 3600.0
    end = moved(start, medium=medium, flow=flow, duration=duration, longest=500.0)
    fraction = (end.electrolyte / medium.electrolyte).ravel()
    travelled = (fraction.sum() - 20) * H
    expected = drift_velocity_from_current_density(current_density=10.0, concentration=CONCENTRATION) * duration
    assert travelled == pytest.approx(expected, rel=1e-10)
    assert fraction.min() > -1e-12
    assert fraction.max() < 1 + 1e-12
    # After a hundred voxels; first-order upwinding would smear it over 33
    assert ((fraction > 0.05) & (fraction < 0.95)).sum() <= 10
    middle = np.interp(0.5, fraction[::-1], (np.arange(200)[::-1] + 0.5) * H)
    assert middle == pytest.approx(20 * H + expected, abs=0.6 * H)  # the limiter skews a front by half a voxel


def test_a_line_spreads_by_the_root_of_2_d_t_while_it_drifts() -> None:
    diffusivity, duration = 1e-13, 20 * 3600.0
    medium, flow = _column(300, diffusivity=diffusivity)
    z = (np.arange(300) + 0.5) * H
    profile = np.exp(-((z - 250e-6) ** 2) / (2 * 30e-6**2))
    start = _start(medium, flow, profile[:, None, None], 0.0)
    end = moved(start, medium=medium, flow=flow, duration=duration, longest=500.0)
    weight = end.electrolyte.ravel() / end.electrolyte.sum()
    mean = float(weight @ z)
    variance = float(weight @ (z - mean) ** 2)
    drift = drift_velocity_from_current_density(current_density=10.0, concentration=CONCENTRATION) * duration
    assert mean == pytest.approx(250e-6 + drift, rel=1e-4)
    assert variance == pytest.approx(30e-6**2 + 2 * diffusivity * duration, rel=2e-3)


def test_exchange_relaxes_at_its_rate_to_one_fraction() -> None:
    medium, flow = _column(1, current_density=0.0)
    particles, electrolyte = 0.6, float(medium.electrolyte[0, 0, 0])
    rate = 1e-5
    flow = Flow(flow.current, flow.release, np.full((1, 1, 1), rate), np.full((1, 1, 1), particles))
    start = _start(medium, flow, 0.01, 0.0759)
    duration = 7200.0
    end = moved(start, medium=medium, flow=flow, duration=duration)
    difference = float((end.particles / particles - end.electrolyte / electrolyte)[0, 0, 0])
    assert difference == pytest.approx(0.0659 * np.exp(-rate * duration * (1 / particles + 1 / electrolyte)), rel=1e-10)
    assert end.total == pytest.approx(start.total, rel=1e-13)


@given(st.integers(0, 2**31))
@settings(max_examples=10, deadline=None)
def test_each_isotope_is_conserved_through_reversal_in_three_dimensions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (8, 4, 3)
    held = rng.random(shape) > 0.15
    medium = Medium(np.where(held, rng.uniform(1, 2, shape), 0.0), _open(held, rng, 1e-3))
    particles = np.where(held & (np.arange(8) < 3)[:, None, None], 5.0, 0.0)
    isotopes = Isotopes(
        medium.electrolyte * rng.random(shape) * 0.1,
        particles * 0.0759,
        np.full(shape[1:], 0.2) * 0.05,
        np.full(shape[1:], 0.2),
    )
    total, lithium = isotopes.total, isotopes.anode_lithium.sum() + particles.sum()
    for sign in (1.0, -1.0, 1.0):
        current = tuple(sign * (faces - 5e-4) for faces in _open(held, rng, 1e-3))
        current = tuple(np.where(faces == -sign * 5e-4, 0.0, faces) for faces in current)
        current[0][-1] = sign * np.where(held[-1], 1e-4, 0.0)
        divergence = sum(np.diff(faces, axis=axis) for axis, faces in enumerate(current))
        release = np.where(particles > 0, divergence, 0.0)
        flow = Flow((current[0], current[1], current[2]), release, np.where(particles > 0, 1e-4, 0.0), particles)
        isotopes = moved(isotopes, medium=medium, flow=flow, duration=300.0)
        particles = particles - release * 300.0
        assert isotopes.total == pytest.approx(total, rel=1e-12)
    top = float(isotopes.anode_lithium.sum())
    assert top == pytest.approx(0.2 * 12 + 1e-4 * 300 * held[-1].sum(), rel=1e-12)
    assert lithium > 0


def _open(held: Array, rng: np.random.Generator, scale: float) -> tuple[Array, Array, Array]:
    faces = []
    for axis in range(3):
        along = np.moveaxis(held, axis, 0)
        face = np.zeros((along.shape[0] + 1, *along.shape[1:]))
        face[1:-1] = np.where(along[1:] & along[:-1], scale * rng.random(along[1:].shape), 0.0)
        faces.append(np.moveaxis(face, 0, axis).copy())
    return faces[0], faces[1], faces[2]


def test_lithium_comes_back_from_the_anode_with_what_is_there() -> None:
    medium, flow = _column(4, current_density=-10.0)
    start = Isotopes(medium.electrolyte * 0.0, flow.particles * 0.0, np.full((1, 1), 2.0 * 0.07), np.full((1, 1), 2.0))
    end = moved(start, medium=medium, flow=flow, duration=3600.0)
    moles = 10.0 * 3600 / 96485.33212
    assert end.anode[0, 0] == pytest.approx(0.07 * (2.0 - moles), rel=1e-6)
    assert end.total == pytest.approx(start.total, rel=1e-13)


@pytest.mark.parametrize("left", [5e-16, -5e-16])
def test_what_rounding_leaves_in_the_anode_brings_back_no_more_than_the_current(left: float) -> None:
    medium, flow = _column(5, current_density=-1e-6)
    start = replace(_start(medium, flow, 0.5, 0.5), anode=np.full((1, 1), left), anode_lithium=np.full((1, 1), 1e-18))
    end = moved(start, medium=medium, flow=flow, duration=100.0)
    returned = float((start.anode - end.anode)[0, 0])
    assert 0 <= returned <= 1e-6 / 96485.33212 * 100.0 * (1 + 1e-12)
    assert end.total == pytest.approx(start.total, rel=1e-14)
