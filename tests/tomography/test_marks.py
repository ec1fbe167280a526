"""Registration of a cell by its marks: what is found, and what is refused."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from operando.frames import transformed
from operando.tomography.marks import Marks, MarksStatus, bore_from_slices, registration_from_marks

RADIUS = 1.5e-3


def wrinkles(x: np.ndarray, y: np.ndarray, seed: int = 0) -> np.ndarray:
    """A smooth uneven foil, as a sum of waves that no turn maps onto itself."""
    rng = np.random.default_rng(seed)
    waves = rng.normal(0, 5e3, (60, 2))
    phases = rng.uniform(0, 2 * np.pi, 60)
    return 30 + sum(np.cos(kx * x + ky * y + p) for (kx, ky), p in zip(waves, phases, strict=True))


def marks(*, turn: float, scale: float, axis: tuple[float, float], face: float, voxel: float, seed: int = 0) -> Marks:
    """Marks of a cell turned by `turn`, in a frame whose lengths read `scale` times too small."""
    along = (np.arange(160) - 79.5) * voxel
    y, x = np.meshgrid(along, along, indexing="ij")
    cosine, sine = np.cos(turn), np.sin(turn)
    u, v = scale * (x - axis[0]), scale * (y - axis[1])
    foil = wrinkles(cosine * u - sine * v, sine * u + cosine * v, seed) * (np.hypot(u, v) < RADIUS)
    return Marks(
        radius=RADIUS / scale,
        axis=axis,
        face=face,
        foil=xr.DataArray(foil, dims=("y", "x"), coords={"y": along, "x": along}),
    )


FIXED = marks(turn=0.0, scale=1.0, axis=(1e-5, -2e-5), face=5e-4, voxel=28e-6)


@settings(max_examples=10)
@given(st.floats(-3.1, 3.1), st.floats(0.95, 1.05))
def test_turn_scale_and_shift_are_found(turn: float, scale: float) -> None:
    moving = marks(turn=turn, scale=scale, axis=(-7e-5, 1.1e-4), face=6.2e-4, voxel=31e-6)
    found = registration_from_marks(fixed=FIXED, moving=moving)
    assert found.status is MarksStatus.REGISTERED
    assert found.scale == pytest.approx(scale)
    assert np.angle(np.exp(1j * (found.turn - turn))) == pytest.approx(0, abs=0.01)
    np.testing.assert_allclose(transformed(np.array([-7e-5, 1.1e-4, 6.2e-4]), found.affine), [1e-5, -2e-5, 5e-4])


def test_a_mirrored_volume_is_refused() -> None:
    moving = marks(turn=0.7, scale=1.0, axis=(0.0, 0.0), face=5e-4, voxel=28e-6)
    mirrored = Marks(moving.radius, moving.axis, moving.face, moving.foil.copy(data=moving.foil.values[:, ::-1]))
    assert registration_from_marks(fixed=FIXED, moving=mirrored).status is MarksStatus.MIRRORED


def test_another_cells_foil_is_refused() -> None:
    other = marks(turn=0.7, scale=1.0, axis=(0.0, 0.0), face=5e-4, voxel=28e-6, seed=5)
    assert not registration_from_marks(fixed=FIXED, moving=other).status.succeeded


def test_a_foil_without_wrinkles_is_refused() -> None:
    rng = np.random.default_rng(2)
    plain = FIXED.foil.copy(data=rng.normal(10, 0.1, FIXED.foil.shape))
    found = registration_from_marks(fixed=FIXED, moving=Marks(RADIUS, (0.0, 0.0), 0.0, plain))
    assert not found.status.succeeded
    assert found.status.value.startswith("Registration failed")


def test_the_bore_is_measured_to_a_fraction_of_a_voxel() -> None:
    voxel, radius, axis = 42e-6, 1.493e-3, (0.31e-4, -0.77e-4)
    fine = (np.arange(4 * 120) - 239.5) * voxel / 4
    y, x = np.meshgrid(fine, fine, indexing="ij")
    distance = np.hypot(x - axis[0], y - axis[1])
    image = np.where(distance < radius, 900.0, np.where(distance < 2e-3, 100.0, 0.0))
    coarse = ndimage.gaussian_filter(image, 2).reshape(120, 4, 120, 4).mean(axis=(1, 3))
    along = (np.arange(120) - 59.5) * voxel
    slices = xr.DataArray(coarse[None].repeat(3, 0), dims=("z", "y", "x"), coords={"y": along, "x": along})
    found, centre = bore_from_slices(slices)
    assert found == pytest.approx(radius, abs=0.05 * voxel)
    np.testing.assert_allclose(centre, axis, atol=0.05 * voxel)
