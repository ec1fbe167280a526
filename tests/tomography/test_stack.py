"""Layers along the axis: found in order, placed to a fraction of a voxel, refused where they are not."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from operando.errors import InputError, RunError
from operando.tomography.stack import edge_from_profile, edge_shift_from_contrast, stack_borders_from_profile

STEP = 28e-6
Z = STEP * np.arange(80)
THICKNESSES = (174e-6, 738e-6, 100e-6, 26e-6)
LEVELS = (128.0, 201.0, 70.0, 1163.0, 506.0, 128.0)


def labelled(values: np.ndarray) -> xr.DataArray:
    return xr.DataArray(values, dims="z", coords={"z": ("z", Z, {"units": "m"})}, attrs={"units": "1/m"})


def blurred_stack(start: float, blur: float) -> np.ndarray:
    """Voxel averages of the stack, blurred, by sampling 40 points in each voxel."""
    fine = (Z[:, None] + STEP * ((np.arange(40) + 0.5) / 40 - 0.5)).ravel()
    values = np.full(fine.shape, LEVELS[0])
    borders = start + np.concatenate([[0.0], np.cumsum(THICKNESSES)])
    for border, below, above in zip(borders, LEVELS[:-1], LEVELS[1:], strict=True):
        values = values + (above - below) * ndtr((fine - border) / blur)
    return values.reshape(-1, 40).mean(axis=1)


@given(st.floats(0.3e-3, 0.9e-3), st.floats(5e-6, 20e-6))
def test_the_stack_and_its_first_edges_are_found(start: float, blur: float) -> None:
    profile = labelled(blurred_stack(start, blur))
    described = (0.93 * THICKNESSES[0], 1.06 * THICKNESSES[1], *THICKNESSES[2:])
    borders = stack_borders_from_profile(profile, thicknesses=described, levels=LEVELS)
    truth = start + np.concatenate([[0], np.cumsum(THICKNESSES[:2])])
    np.testing.assert_allclose(borders[:2], truth[:2], atol=STEP)
    assert borders[2] == pytest.approx(truth[2], abs=2 * STEP)  # the cut-off widens the bright layer by its blur
    noise = labelled(np.full(Z.shape, 1e-4))
    for position in (start, start + THICKNESSES[0]):
        edge = edge_from_profile(profile, noise, near=position + 0.3 * STEP, reach=4 * STEP)
        assert edge.position == pytest.approx(position, abs=0.02 * STEP)
        assert edge.blur == pytest.approx(blur, abs=0.1 * STEP)


def test_the_error_of_an_edge_is_its_scatter() -> None:
    rng = np.random.default_rng(0)
    truth, sigma = 0.6e-3, 2.0
    clean = blurred_stack(truth, 12e-6)
    edges = [
        edge_from_profile(
            labelled(clean + sigma * rng.standard_normal(Z.size)),
            labelled(np.full(Z.shape, sigma**2)),
            near=truth,
            reach=4 * STEP,
            blur=12e-6,
        )
        for _ in range(200)
    ]
    scatter = np.std([edge.position for edge in edges])
    stated = np.median([edge.position_sigma for edge in edges])
    assert stated == pytest.approx(scatter, rel=0.25)  # the fit has four degrees of freedom: its own spread is rough


@pytest.mark.parametrize("contrast", [20.0, 130.0, 1100.0])
def test_an_interface_seen_by_transmission_is_put_back(contrast: float) -> None:
    """A flat interface crossing pixels whose transmission is averaged, against the closed form of the shift."""
    chord, pixel, blur, truth = 2.36e-3, 28e-6, 11e-6, 0.6e-3
    fine = (Z[:, None] + pixel * ((np.arange(40) + 0.5) / 40 - 0.5)).ravel()
    offsets, weights = np.polynomial.hermite_e.hermegauss(40)
    blurred = sum(
        w * np.exp(-chord * contrast * (fine + blur * o > truth)) for o, w in zip(offsets, weights, strict=True)
    )
    seen = -np.log((blurred / weights.sum()).reshape(-1, 40).mean(axis=1)) / chord
    edge = edge_from_profile(labelled(seen), labelled(np.full(Z.shape, 1e-2)), near=truth, reach=4 * STEP)
    shift = edge_shift_from_contrast(contrast=contrast, chord=chord, spread=np.hypot(blur, pixel / np.sqrt(12)))
    assert edge.position - truth == pytest.approx(shift, abs=0.12 * pixel)


def test_another_stack_is_refused() -> None:
    upside_down = labelled(blurred_stack(0.6e-3, 12e-6)[::-1])
    with pytest.raises(RunError, match="cathode_at"):
        stack_borders_from_profile(upside_down, thicknesses=THICKNESSES, levels=LEVELS)
    with pytest.raises(InputError, match="no higher than"):
        stack_borders_from_profile(upside_down, thicknesses=(3e-3, 1e-3), levels=(1.0, 2.0, 3.0, 4.0))


def test_no_edge_where_there_is_none() -> None:
    rng = np.random.default_rng(1)
    flat = labelled(100 + rng.standard_normal(Z.size))
    with pytest.raises(RunError, match="No interface"):
        edge_from_profile(flat, labelled(np.ones(Z.shape)), near=1e-3, reach=4 * STEP, blur=12e-6)
