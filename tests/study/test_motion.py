"""Motion along the axis from profiles that are known everywhere, while the cathode and the separator change."""

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter1d

from operando.study.motion import motion_along_axis
from operando.study.structure import Structure
from operando.tomography.stack import Edge

FINE, BLUR, COLLECTOR, SEPARATOR, ANODE = 1e-6, 12e-6, 1.003e-3, 1.174e-3, 1.9e-3
STEEL, CATHODE, ELECTROLYTE, INDIUM = 120.0, 175.0, 58.0, 900.0
# So short a chord that transmission averages as attenuation does
RADIUS = 1e-9


def layers(voxel):
    faces = [Edge(at, 1e-7, BLUR, 0.0, low, high) for at, low, high in (
        (COLLECTOR, STEEL, CATHODE), (SEPARATOR, CATHODE, ELECTROLYTE), (ANODE, ELECTROLYTE, INDIUM),
    )]  # fmt: skip
    return Structure(*faces, top=2.2e-3, voxel=voxel, radius=RADIUS, blur=BLUR)


def profile(voxel, *, moved=0.0, brighter=0.0, lost=lambda depth: 0.0 * depth, gained=0.0, noise=0.0, seed=0):
    """Attenuation of the stack, blurred and averaged over voxels; `lost` by the cathode at a depth under its top."""
    z = np.arange(0, 2.5e-3, FINE) + FINE / 2
    at = z - moved
    values = np.select([at < COLLECTOR, at < SEPARATOR, at < ANODE], [STEEL, CATHODE, ELECTROLYTE], INDIUM)
    values = values - np.where((at > COLLECTOR) & (at < SEPARATOR), lost(SEPARATOR - at), 0.0)
    values = values + np.where((at > SEPARATOR) & (at < ANODE), gained * np.exp(-(at - SEPARATOR) / 200e-6), 0.0)
    each = round(voxel / FINE)
    count = z.size // each
    seen = gaussian_filter1d(values, BLUR / FINE)[: count * each].reshape(count, each).mean(axis=1) * (1 + brighter)
    seen = seen + noise * np.random.default_rng(seed).normal(size=count)
    coords = {"z": (np.arange(count) + 0.5) * voxel}
    variance = np.full(count, max(noise, 1e-3) ** 2)
    return xr.Dataset({"attenuation": ("z", seen), "attenuation_var": ("z", variance)}, coords=coords)


def front(depth):
    return 90.0 / (1 + np.exp((depth - 45e-6) / 26e-6))


def skin(depth):
    return 8.0 + 40.0 * np.exp(-depth / 35e-6)


def even(depth):
    return 15.0 + 0.0 * depth


@pytest.mark.parametrize("voxel", [28e-6, 14e-6])
@pytest.mark.parametrize("lost", [front, skin, even])
@pytest.mark.parametrize("moved", [-4e-6, 0.0, 7e-6])
def test_the_motion_is_found_while_lithium_leaves(voxel, lost, moved):
    after = profile(voxel, moved=moved, brighter=1e-3, lost=lost, gained=10.0)
    found, sigma = motion_along_axis(before=profile(voxel), after=after, structure=layers(voxel))
    assert found == pytest.approx(moved, abs=0.04 * voxel)
    assert abs(found - moved) < 2.5 * sigma + 0.05e-6


def test_noise_scatters_as_stated():
    structure, before = layers(28e-6), profile(28e-6)
    found = np.array([
        motion_along_axis(before=before, after=profile(28e-6, lost=even, noise=0.3, seed=n), structure=structure)
        for n in range(60)
    ])  # fmt: skip
    assert np.std(found[:, 0]) == pytest.approx(np.sqrt(np.mean(found[:, 1] ** 2)), rel=0.5)
    assert abs(np.mean(found[:, 0])) < 3 * np.std(found[:, 0]) / np.sqrt(60) + 0.1e-6


def test_what_happens_beyond_the_cathode_does_not_matter():
    quiet, loud = (
        motion_along_axis(
            before=profile(14e-6), after=profile(14e-6, moved=3e-6, gained=gained), structure=layers(14e-6)
        )
        for gained in (0.0, 30.0)
    )
    assert quiet == pytest.approx(loud, abs=1e-9)
