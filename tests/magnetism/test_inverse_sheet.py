"""Inversions against fields computed another way: Hankel integrals, prisms, and the closed form of a strip."""

import numpy as np
import pytest
import xarray as xr
from scipy.constants import mu_0
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import j0, j1

from operando.errors import InputError, RunError
from operando.magnetism.inverse_edges import derivatives
from operando.magnetism.inverse_field import current_from_field
from operando.magnetism.inverse_open import open_sheet
from operando.magnetism.inverse_straight import straight_sheet
from operando.magnetism.inverse_system import SmoothPrior
from operando.magnetism.regularisation import SourceSpectrum
from operando.magnetism.sheet import HalfSpectrum, current_from_stream_function, field_per_stream_function
from operando.magnetism.sheet_maps import patched

UM = 1e-6
NOISE = 20e-9
RING = 2e-3, 1.5 * UM  # stream function I exp(-r^2 / 2 w^2): I [A], w [m]
PIXEL = 0.25 * UM
HEIGHT = 0.5 * UM


def labelled(values, y, x):
    coords = {"y": ("y", y, {"units": "m"}), "x": ("x", x, {"units": "m"})}
    if values.ndim == 3:
        coords["component"] = list("xyz")
    dims = ("component", "y", "x")[3 - values.ndim :]
    return xr.DataArray(values, dims=dims, coords=coords, attrs={"units": "T"})


def axes(shape):
    return tuple((np.arange(n) - n / 2) * PIXEL for n in shape)


def ring(*, shape=(57, 52), centre=(0.7 * UM, -0.5 * UM), seed=0, layers=lambda k: 1.0, noise=NOISE):
    """Field and current of a Gaussian stream function, by Hankel integrals, in free space."""
    y, x = axes(shape)
    dy, dx = y[:, None] - centre[1], x[None] - centre[0]
    r = np.hypot(dy, dx)
    total, w = RING
    radii = np.linspace(0, r.max() * 1.01, 100)
    nodes, weights = np.polynomial.legendre.leggauss(150)
    k = (nodes + 1) * 4 / w  # up to 8 / w, where the source's spectrum has fallen by 14 orders
    spectrum = mu_0 / 2 * total * w**2 * k**2 * np.exp(-k * HEIGHT - (k * w) ** 2 / 2) * layers(k) * weights * 4 / w
    along, away = (CubicSpline(radii, bessel(np.outer(radii, k)) @ spectrum)(r) for bessel in (j0, j1))
    safe = np.where(r > 0, r, 1.0)
    field = np.stack([away * dx / safe, away * dy / safe, along])
    field += noise * np.random.default_rng(seed).standard_normal(field.shape)
    stream = total * np.exp(-(r**2) / 2 / w**2)
    return labelled(field, y, x), np.stack([-stream * dy, stream * dx]) / w**2, stream


def strip(*, turned=False, shape=(48, 56), width=3 * UM, total=1e-3, centre=0.6 * UM, noise=NOISE):
    """Bz of an infinite strip that carries `total` to +x, or to +y where turned; it leaves the frame on both sides."""
    y, x = axes(shape)
    across = (-x[None] if turned else y[:, None]) - centre
    near, far = ((across + s * width / 2) ** 2 + HEIGHT**2 for s in (1, -1))
    bz = mu_0 * total / width / (4 * np.pi) * np.log(near / far) * np.ones(shape)
    return labelled(bz + noise * np.random.default_rng(1).standard_normal(shape), y, x)


def small_ring():
    """All components at a noise that few steps reach."""
    return ring(shape=(46, 42), noise=50 * NOISE)[0]


def inverted(field, **settings):
    return current_from_field(field, **{"height": HEIGHT, "noise": NOISE, "samples": 0} | settings)


def error(found, truth):
    return np.linalg.norm(found - truth) / np.linalg.norm(truth)


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 0, 0), (0, -0.6, 0.8), np.array([1, 1, 1]) / np.sqrt(3)])
def test_a_current_along_any_axis_comes_back_with_its_sign(axis):
    field, truth, _ = ring()
    seen = xr.dot(field, xr.DataArray(np.array(axis, float), dims="component", coords={"component": list("xyz")}))
    found = inverted(seen.assign_attrs(units="T"), axis=axis)
    # Bx says nothing of stripes along x (kx = 0), about two fifths of the ring; the rest comes back
    unseen = 0.0 if axis[2] else 1.0
    told, there = (j - unseen * j.mean(axis=2, keepdims=True) for j in (found.current.values, truth))
    assert error(told, there) < 0.01
    assert ("unseen" in found.attrs) == (axis[2] == 0)


def test_all_components_together():
    field, truth, stream = ring()
    found = inverted(field)
    assert error(found.current.values, truth) < 0.005
    offset = (found.stream_function - stream).mean()
    assert error(found.stream_function.values - float(offset), stream) < 0.005
    assert 0.9 < found.misfit < 1.1
    assert "unseen" not in found.attrs


@pytest.mark.parametrize("turned", [False, True])
def test_a_current_that_leaves_the_frame_is_the_same_through_every_cut(turned):
    found = inverted(strip(turned=turned), axis=(0, 0, 1)).current
    cuts = found.sel(component="y").sum("x") if turned else found.sel(component="x").sum("y")
    # the tails of a strip whose edges are smoothed reach the frame's sides
    assert cuts.values * PIXEL == pytest.approx(np.full(cuts.size, 1e-3), rel=0.02)
    aside = found.sel(component="x" if turned else "y")
    assert float(np.abs(aside).max()) < 0.05 * float(np.abs(found).max())


def test_sharp_edges_are_nearer_to_the_truth_than_smooth_ones():
    noise = 2e-6
    field = strip(shape=(40, 32), noise=noise)
    truth = np.where(np.abs(field.y - 0.6 * UM) < 1.5 * UM, 1e-3 / (3 * UM), 0.0)[:, None] * np.ones(32)
    smooth, sharp = (
        error(inverted(field, axis=(0, 0, 1), edges=e, noise=noise).current.values[0], truth)
        for e in ("smooth", "sharp")
    )
    assert sharp < 0.75 * smooth
    assert sharp < 0.2


def test_an_axis_that_falls_is_the_same_map():
    field = small_ring()
    found = inverted(field, noise=50 * NOISE)
    flipped = inverted(field.isel(y=slice(None, None, -1)), noise=50 * NOISE)
    assert flipped.y[0] > flipped.y[-1]
    xr.testing.assert_allclose(flipped.current.sortby("y"), found.current)


def test_thick_layers_of_source_and_sensor():
    source, sensor = 0.8 * UM, 0.6 * UM
    mean = lambda k, t: -np.expm1(-k * t) / (k * t)  # noqa: E731
    layers = lambda k: mean(k, source) * np.sinh(k * sensor / 2) / (k * sensor / 2)  # noqa: E731
    field, truth, _ = ring(layers=layers)
    field = field.sel(component=["z"])
    found = inverted(field, thickness=source, sensor_thickness=sensor)
    assert error(found.current.values, truth) < 0.01
    assert error(inverted(field).current.values, truth) > 0.1


@pytest.mark.parametrize("factor", [-3.0, 1e-3])
def test_currents_scale_with_the_field(factor):
    noise = 50 * NOISE
    field = small_ring()
    one, other = (
        inverted(field, noise=noise),
        inverted((factor * field).assign_attrs(units="T"), noise=abs(factor) * noise),
    )
    expected = factor * one.current  # the search for the prior takes other steps
    np.testing.assert_allclose(other.current, expected, rtol=0, atol=1e-2 * float(np.abs(expected).max()))


def test_units_of_field_and_lengths():
    field, noise = small_ring(), 50 * NOISE
    other = (field * 1e6).assign_attrs(units="uT")
    other = other.assign_coords({d: (d, field[d].values * 1e6, {"units": "um"}) for d in ("y", "x")})
    expected = inverted(field, noise=noise).current
    np.testing.assert_allclose(
        # the search for the prior stops elsewhere when its input is rounded otherwise
        inverted(other, noise=noise).current,
        expected,
        rtol=0,
        atol=1e-2 * float(np.abs(expected).max()),
    )


def test_uniform_fields_are_no_current():
    field, noise = small_ring(), 50 * NOISE
    moved = (field + xr.DataArray([3e-6, -2e-6, 5e-6], dims="component")).assign_attrs(units="T")
    expected = inverted(field, noise=noise).current
    # twenty times the noise would be seen at once; the search for the prior takes other steps
    np.testing.assert_allclose(
        inverted(moved, noise=noise).current, expected, rtol=0, atol=1e-2 * float(np.abs(expected).max())
    )


def test_errors_cover_the_truth_and_are_not_too_large():
    pulls = []
    for seed in range(4):
        field, truth, _ = ring(noise=1e-6, seed=seed)
        found = inverted(field.sel(component=["z"]), noise=None, samples=8, seed=seed)
        assert found.noise == pytest.approx(1e-6, rel=0.15)
        pulls.append((found.current.values - truth) / np.sqrt(found.current_var.values))
    pulls = np.abs(np.array(pulls))
    # neighbouring pixels err together, and the prior is an average over a frame that the ring does not fill
    assert 0.5 < (pulls < 1).mean() < 0.95
    assert (pulls < 2).mean() > 0.85


def test_the_resolution_is_that_of_the_optimal_filter():
    field, _, _ = ring(noise=1e-6)
    found = inverted(field.sel(component=["z"]), noise=1e-6)
    prior = {name: found.attrs["prior_" + name] for name in ("amplitude", "wavenumber", "exponent", "slope")}
    k = np.linspace(0, 20 / UM, 4001)[1:]
    power = SourceSpectrum(**prior, noise=1e-6).power(k) * (mu_0 / 2 * k * np.exp(-k * HEIGHT)) ** 2
    response = lambda r: float((power / (power + 1e-12) * k * j0(k * r)).sum())  # noqa: E731
    half = brentq(lambda r: response(r) - response(0) / 2, 0, 2 * UM)
    # pixels of a quarter of a micrometre, half of it wide, are joined by straight lines
    assert found.resolution == pytest.approx(2 * half, rel=0.05)


@pytest.mark.parametrize(("shape", "margin"), [((9, 12), None), ((10, 11), 3 * PIXEL)])
def test_the_adjoint_is_the_adjoint(shape, margin):
    system = sheet(shape, margin)
    random = np.random.default_rng(0)
    source, maps = random.standard_normal(system.shape), random.standard_normal((2, *shape))
    assert (system.predict(source) * maps).sum() == pytest.approx((source * system.back(maps)).sum(), rel=1e-9)
    # a uniform stream function is no current
    np.testing.assert_allclose(
        system.predict(np.ones(system.shape)), 0, atol=1e-12 * np.abs(system.predict(source)).max()
    )


def sheet(shape, margin):
    """System of two axes: straight beyond the frame, or open where it has a margin."""
    seen = [(0, 0, 1), (0.6, 0, 0.8)]
    frame = {
        "transfer": lambda m: np.stack([field_per_stream_function(modes=m, axis=u, height=HEIGHT) for u in seen]),
        "shape": shape,
        "pixel": (PIXEL, 1.3 * PIXEL),
        "precision": np.ones((2, *shape)),
    }
    return straight_sheet(**frame) if margin is None else open_sheet(**frame, margin=margin)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("margin", [None, 5 * PIXEL])
def test_derivatives_of_what_runs_on_straight_or_closes_on_itself(order, margin):
    system = sheet((30, 40), margin)
    operators = derivatives(system, order=order)
    count = system.shape[0]
    rows = np.arange(count)[:, None] * np.ones(system.shape[1])
    wave = np.cos(np.pi * 2 * (rows + 0.5) / count)
    assert np.abs(operators.of(np.ones(system.shape))).max() < 1e-6
    k = 2 * np.pi / count / PIXEL
    assert (operators.of(wave) ** 2).sum() == pytest.approx(k ** (2 * order) * (wave**2).sum(), rel=0.02)
    ramp = np.abs(operators.of(rows)) * PIXEL**order
    assert ramp[:, 2:-2].max() == pytest.approx(1.0 if order == 1 else 0.0, abs=1e-9)
    # a ramp ends where it runs on straight, and steps back where it closes on itself
    assert ramp.max() == pytest.approx(1.0 if margin is None else count - (order == 1), rel=1e-9)


@pytest.mark.parametrize("margin", [None, 2 * PIXEL])
def test_a_smooth_prior_draws_what_it_expects(margin):
    system = sheet((20, 24), margin)
    power = 1 / (1.0 + system.wavenumbers * PIXEL)
    prior, random = SmoothPrior(power, system.filtered), np.random.default_rng(0)
    drawn = [prior.sample(random, system.shape) for _ in range(200)]
    assert np.mean([(d * prior.apply(d)).sum() for d in drawn]) == pytest.approx(np.prod(system.shape), rel=0.03)


@pytest.mark.parametrize("shape", [(16, 16), (15, 16), (16, 15), (15, 15)])
def test_the_nyquist_wave_has_no_direction(shape):
    modes = HalfSpectrum(shape=shape, pixel=(PIXEL, PIXEL))
    checks = (-1.0) ** np.add.outer(np.arange(shape[0]), np.arange(shape[1]))
    current = current_from_stream_function(stream=modes.spectrum(checks), modes=modes)
    for component, size in zip(current, shape, strict=True):
        if size % 2 == 0:
            np.testing.assert_allclose(component, 0, atol=1e-6 / PIXEL)
    np.testing.assert_allclose(modes.image(modes.spectrum(checks)), checks, atol=1e-12)


def test_missing_pixels_across_the_source_hardly_matter():
    field, truth, _ = ring()
    holed = field.sel(component=["z"]).copy()
    holed.values[:, 26:30, 12:42] = np.nan
    whole, found = (error(inverted(f).current.values, truth) for f in (field.sel(component=["z"]), holed))
    assert whole < 0.005
    assert found < 0.01


def test_patches_bend_least():
    y, x = np.mgrid[:30, :40].astype(float)
    plane = 2 + 0.3 * x - 0.1 * y + 0.01 * x * y
    holed = plane.copy()
    holed[10:15, 20:30] = holed[:3, :4] = holed[-1] = np.nan
    np.testing.assert_allclose(patched(holed), plane, atol=1e-10)


def test_a_strip_whose_edges_no_smooth_straight_source_explains_keeps_its_current():
    """All components in a small frame that it crosses, at a signal of 40 000 times the noise."""
    height, half, count, noise = 2 * UM, 3 * UM, 24, 2e-9
    along = (np.arange(count) - count / 2 + 0.5) * UM
    ends = [along + s * half for s in (1, -1)]
    by = -mu_0 * 1e-3 / (2 * half) / (2 * np.pi) * (np.arctan(ends[0] / height) - np.arctan(ends[1] / height))
    bz = mu_0 * 1e-3 / (2 * half) / (4 * np.pi) * np.log((ends[0] ** 2 + height**2) / (ends[1] ** 2 + height**2))
    field = np.stack([0 * by, by, bz])[..., None] * np.ones(count)
    field += noise * np.random.default_rng(0).standard_normal(field.shape)
    found = current_from_field(labelled(field, along, along), height=height, noise=noise, samples=0)
    assert found.attrs["margin"] > 0
    total = found.current.sel(component="x").sum("y").values * UM
    assert total == pytest.approx(np.full(count, 1e-3), rel=0.02)


@pytest.mark.parametrize("edges", ["smooth", "sharp"])
@pytest.mark.parametrize("height", [0.3 * UM, 1.0 * UM])
def test_loops_with_sharp_edges_come_back_better_than_by_tikhonov(height, edges):
    bz, truth, along = square_loop(height)
    found = current_from_field(
        labelled(bz, along, along), axis=(0, 0, 1), height=height, noise=NOISE, samples=0, edges=edges
    )
    assert error(found.current.values, truth) < 0.7 * error(tikhonov(bz, height, along[1] - along[0]), truth)


def square_loop(height, *, half=3.5 * UM, width=1.2 * UM, total=1e-3, count=96, pixel=0.15 * UM):
    """Bz above a square strip, by the Biot-Savart law of filaments, and its current averaged over pixels."""
    along = (np.arange(count) - (count - 1) / 2) * pixel
    nodes, weights = np.polynomial.legendre.leggauss(24)
    sides = half + nodes * width / 2
    bz = total / 2 * sum(w * square_filament(along, height, a) for w, a in zip(weights, sides, strict=True))
    edges, fine = (np.arange(count + 1) - count / 2) * pixel, (np.arange(8 * count) - 4 * count + 0.5) * pixel / 8
    distance = half - np.maximum(np.abs(edges[:, None]), np.abs(fine))
    stream = (total * np.clip(distance / width + 0.5, 0, 1)).reshape(count + 1, count, 8).mean(axis=2)
    jx = np.diff(stream, axis=0) / pixel
    return bz + NOISE * np.random.default_rng(0).standard_normal(bz.shape), np.stack([jx, -jx.T]), along


def square_filament(along, height, half):
    """Bz of 1 A anticlockwise around a square."""
    x, y = along, along[:, None]

    def side(s, away):
        """Of the side that runs to +s at a distance to its left."""
        ends = [(s + e) / np.sqrt((s + e) ** 2 + away**2 + height**2) for e in (half, -half)]
        return mu_0 / (4 * np.pi) * away / (away**2 + height**2) * (ends[0] - ends[1])

    return side(x, y + half) + side(x, half - y) + side(y, half - x) + side(y, x + half)


def tikhonov(bz, height, pixel):
    """Least ``|d - H psi|^2 + lambda |k psi|^2`` of the map padded with zeros, by generalised cross-validation."""
    modes = HalfSpectrum(shape=(2 * bz.shape[0], 2 * bz.shape[1]), pixel=(pixel, pixel))
    data = modes.spectrum(np.pad(bz, [(0, n) for n in bz.shape]))
    gain = mu_0 / 2 * modes.k * np.exp(-modes.k * height)
    penalty = np.where(modes.k > 0, modes.k, 1.0) ** 2

    def score(strength):
        left = strength * penalty / (gain**2 + strength * penalty)
        weight = modes.multiplicity
        return (weight * left**2 * np.abs(data) ** 2).sum() / (weight * left).sum() ** 2

    best = min(np.logspace(-24, 4, 200) * (gain**2 / penalty).max(), key=score)
    stream = gain * data / (gain**2 + best * penalty)
    return current_from_stream_function(stream=stream, modes=modes)[:, : bz.shape[0], : bz.shape[1]]


def test_refusals():
    field, _, _ = ring(shape=(16, 16))
    bz = field.sel(component="z", drop=True)
    with pytest.raises(InputError, match="axis"):
        inverted(bz)
    with pytest.raises(InputError, match="unit vector"):
        inverted(bz, axis=(0, 0, 2))
    with pytest.raises(InputError, match="smooth or sharp"):
        inverted(field, edges="crisp")
    with pytest.raises(InputError, match="samples"):
        inverted(field, samples=1)
    with pytest.raises(InputError, match="noise"):
        inverted(field, noise=0.0)
    with pytest.raises(InputError, match="margin"):
        inverted(field, margin=-1.0)
    with pytest.raises(InputError, match="height"):
        inverted(field, sensor_thickness=3 * HEIGHT)
    with pytest.raises(InputError, match="finite"):
        inverted(bz * np.nan, axis=(0, 0, 1))


@pytest.mark.parametrize("count", [24, 48])
@pytest.mark.parametrize("stated", [None, NOISE])
def test_noise_alone_is_refused(count, stated):
    y, x = axes((count, count))
    for seed in range(8):
        nothing = labelled(NOISE * np.random.default_rng(seed).standard_normal((count, count)), y, x)
        with pytest.raises(RunError, match="nothing"):
            inverted(nothing, axis=(0, 0, 1), noise=stated)


def test_a_source_little_above_the_noise_is_not():
    field, truth, _ = ring(noise=100e-6)  # of at most 630 uT
    found = inverted(field.sel(component=["z"]), noise=100e-6)
    assert error(found.current.values, truth) < 0.6
