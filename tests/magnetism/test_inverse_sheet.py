"""Inversions against fields computed another way: Hankel integrals, and the closed form of a strip."""

import numpy as np
import pytest
import xarray as xr
from scipy.constants import mu_0
from scipy.integrate import quad
from scipy.interpolate import CubicSpline
from scipy.special import j0, j1

from operando.magnetism.inverse_field import current_from_field

UM = 1e-6
NOISE = 20e-9
RING = 2e-3, 1.5 * UM  # stream function I exp(-r^2 / 2 w^2): I [A], w [m]


def labelled(values, y, x):
    coords = {"y": ("y", y, {"units": "m"}), "x": ("x", x, {"units": "m"})}
    if values.ndim == 3:
        coords["component"] = list("xyz")
    dims = ("component", "y", "x")[3 - values.ndim :]
    return xr.DataArray(values, dims=dims, coords=coords, attrs={"units": "T"})


def ring(height, *, shape=(72, 64), pixel=0.2 * UM, centre=(0.7 * UM, -0.5 * UM), seed=0):
    """Field and current of a Gaussian stream function, by Hankel integrals, in free space."""
    y = (np.arange(shape[0]) - shape[0] / 2) * pixel
    x = (np.arange(shape[1]) - shape[1] / 2) * pixel
    dy, dx = y[:, None] - centre[1], x[None] - centre[0]
    r = np.hypot(dy, dx)
    total, w = RING
    radii = np.linspace(0, r.max() * 1.01, 60)

    def hankel(bessel, radius):
        weight = lambda k: k**2 * np.exp(-k * height - (k * w) ** 2 / 2) * bessel(k * radius)  # noqa: E731
        return mu_0 / 2 * total * w**2 * quad(weight, 0, 8 / w, limit=200)[0]

    along = CubicSpline(radii, [hankel(j0, q) for q in radii])(r)
    away = CubicSpline(radii, [hankel(j1, q) for q in radii])(r)
    safe = np.where(r > 0, r, 1.0)
    field = np.stack([away * dx / safe, away * dy / safe, along])
    field += NOISE * np.random.default_rng(seed).standard_normal(field.shape)
    stream = total * np.exp(-(r**2) / 2 / w**2)
    return labelled(field, y, x), np.stack([-stream * dy, stream * dx]) / w**2, stream


def error(found, truth):
    return np.linalg.norm(found - truth) / np.linalg.norm(truth)


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 0, 0), (0, -0.6, 0.8), np.array([1, 1, 1]) / np.sqrt(3)])
def test_a_current_along_any_axis_comes_back_with_its_sign(axis):
    field, truth, _ = ring(0.5 * UM)
    seen = xr.dot(field, xr.DataArray(np.array(axis, float), dims="component", coords={"component": list("xyz")}))
    found = current_from_field(seen.assign_attrs(units="T"), height=0.5 * UM, axis=axis, noise=NOISE, samples=0)
    # Bx says nothing where kx = 0: what of the ring is even along x stays unseen, about a third of it
    assert error(found.current.values, truth) < (0.03 if axis[2] else 0.4)
