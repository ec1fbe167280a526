"""Shifts by fractions of a voxel: exact on what a grid can hold, reversible, without blur."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.frames import Grid
from operando.tomography.shift import shifted

GRID = Grid(shape=(24, 20, 22), spacing=(2e-5, 1e-5, 1e-5), origin=(0.0, 0.0, 0.0))


def blob(at: tuple[float, float, float]) -> np.ndarray:
    """A Gaussian three voxels wide at (x, y, z), which a grid of voxels holds to 1e-6."""
    z, y, x = np.meshgrid(*(GRID.coordinate(a) for a in "zyx"), indexing="ij")
    distance = ((x - at[0]) / 2e-5) ** 2 + ((y - at[1]) / 2e-5) ** 2 + ((z - at[2]) / 4e-5) ** 2
    return np.exp(-distance / 2)


@given(st.tuples(st.floats(-1.5e-5, 1.5e-5), st.floats(-1.5e-5, 1.5e-5), st.floats(-3e-5, 3e-5)))
def test_a_shifted_blob_is_the_blob_elsewhere(shift: tuple[float, float, float]) -> None:
    centre = (1.1e-4, 1.0e-4, 2.3e-4)
    volume = GRID.array(blob(centre), name="v", units="1/m")
    moved = shifted(volume, shift=shift)
    expected = blob(tuple(c + s for c, s in zip(centre, shift, strict=True)))
    np.testing.assert_allclose(moved, expected, atol=2e-3)


def test_noise_keeps_its_variance_and_the_sum_stays() -> None:
    noise = np.random.default_rng(0).standard_normal(GRID.shape)
    volume = GRID.array(noise, name="v", units="1/m")
    moved = shifted(volume, shift=(0.0, 0.0, 1e-5))
    assert float(moved.sum()) == pytest.approx(noise.sum(), abs=noise.std() * 30)
    assert float(moved.var()) == pytest.approx(noise.var(), rel=0.06)  # Nyquist halves at half a voxel


def test_a_shift_beyond_the_volume_is_refused() -> None:
    volume = GRID.array(np.zeros(GRID.shape), name="v", units="1/m")
    with pytest.raises(InputError, match="shift"):
        shifted(volume, shift=(0.0, 0.0, 1.0))
    with pytest.raises(InputError, match="shift"):
        shifted(volume, shift=(float("nan"), 0.0, 0.0))
