"""Fields of voxels against closed forms, laws of superposition and the Fourier transfer functions."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.constants import mu_0

from operando.currents import FaceCurrents
from operando.errors import InputError, UnitError
from operando.frames import Grid, vectors_on_grid
from operando.magnetism.dipole import field_from_dipole
from operando.magnetism.fields import current_field, oersted_field, stray_field
from operando.magnetism.fields_labelled import along_axis


def grid(nz, ny, nx, *, step=1e-7, thickness=1e-7, z=0.0):
    """A grid centred on x = y = 0 whose uppermost face is at `z`."""
    origin = (z - (nz - 0.5) * thickness, -(ny - 1) / 2 * step, -(nx - 1) / 2 * step)
    return Grid(shape=(nz, ny, nx), spacing=(thickness, step, step), origin=origin)


def magnetisation(values, where):
    return vectors_on_grid(np.asarray(values, float), where, name="magnetisation", units="A/m")


def current(values, where):
    return vectors_on_grid(np.asarray(values, float), where, name="current_density", units="A/m^2")


def uniform(where, **components):
    values = np.zeros((3, *where.shape))
    for name, value in components.items():
        values["xyz".index(name)] = value
    return values


# ------------------------------------------------------------------------------------------------ currents

HEIGHTS = np.array([2e-7, 1e-6, 5e-6])


@pytest.mark.parametrize("axis", ["x", "y"])
def test_infinite_strip_made_of_a_short_one_and_its_leads(axis):
    where = grid(1, 40, 40, thickness=1e-10, z=5e-11)
    width, sheet = 4e-6, 1e8 * 1e-10
    field = oersted_field(
        current(uniform(where, **{axis: 1e8}), where), heights=HEIGHTS, closed_by_leads=True, grid=where, margin=10
    )
    s, z = (field.y.values if axis == "x" else field.x.values)[None, :], HEIGHTS[:, None]
    lateral = mu_0 * sheet / (2 * np.pi) * (np.arctan((s + width / 2) / z) - np.arctan((s - width / 2) / z))
    normal = -mu_0 * sheet / (4 * np.pi) * np.log(((s + width / 2) ** 2 + z**2) / ((s - width / 2) ** 2 + z**2))
    # the reference form is for a current along +y: B = (lateral, 0, normal) against x; turned by 90 degrees for +x
    if axis == "y":
        bx, by, bz = (field.sel(component=c).transpose("z", "x", "y").values for c in "xyz")
        assert bx == pytest.approx(np.broadcast_to(lateral[..., None], bx.shape), rel=1e-6)
        assert bz == pytest.approx(np.broadcast_to(normal[..., None], bz.shape), rel=1e-6, abs=1e-6 * lateral.max())
        assert np.abs(by).max() == 0
    else:
        bx, by, bz = (field.sel(component=c).values for c in "xyz")
        assert by == pytest.approx(np.broadcast_to(-lateral[..., None], by.shape), rel=1e-6)
        assert bz == pytest.approx(np.broadcast_to(-normal[..., None], bz.shape), rel=1e-6, abs=1e-6 * lateral.max())
        assert np.abs(bx).max() == 0


def test_a_current_to_the_right_turns_by_the_right_hand():
    """Seen from above: +x current, By < 0 above it and > 0 below; Bz > 0 on its left (+y), < 0 on its right."""
    where = grid(1, 9, 9)
    values = np.zeros((3, *where.shape))
    values[0, 0, 4] = 1e9
    field = oersted_field(current(values, where), heights=[3e-7, -4e-7], closed_by_leads=True, grid=where, margin=3)
    above, below = field.isel(z=0), field.isel(z=1)
    middle = {"y": 0.0, "method": "nearest"}
    assert (above.sel(component="y").sel(**middle) < 0).all()
    assert (below.sel(component="y").sel(**middle) > 0).all()
    assert (above.sel(component="z").where(above.y > 1e-9, drop=True) > 0).all()
    assert (above.sel(component="z").where(above.y < -1e-9, drop=True) < 0).all()


def test_infinite_wire():
    where = grid(1, 3, 3, step=1e-9, thickness=1e-9, z=5e-10)
    values = np.zeros((3, *where.shape))
    values[0, 0, 1] = 1e12
    wire = 1e12 * 1e-18
    field = oersted_field(current(values, where), heights=HEIGHTS, closed_by_leads=True, grid=where)
    by = field.sel(component="y").isel(x=1, y=1)
    assert by.values == pytest.approx(-mu_0 * wire / (2 * np.pi * HEIGHTS), rel=1e-6)


def test_circular_loop_on_its_axis():
    """A ring of stream function psi = 1 inside r < R is a loop of current 1; voxels make it square by about a pixel."""
    where = grid(1, 201, 201, step=1e-7, thickness=1e-8, z=5e-9)
    radius, amps = 7.03e-6, 1e-6
    field = stray_field(
        magnetisation(uniform(where, z=1.0) * (amps / 1e-8) * disc(where, radius), where), heights=4e-6, grid=where
    )
    area = disc(where, radius).sum() * 1e-14
    r2 = area / np.pi
    bz = float(field.sel(component="z").sel(y=0, x=0, method="nearest"))
    assert bz == pytest.approx(mu_0 * amps * r2 / (2 * (r2 + 4e-6**2) ** 1.5), rel=2e-4)


def disc(where, radius):
    y, x = np.meshgrid(where.coordinate("y"), where.coordinate("x"), indexing="ij")
    return (x**2 + y**2 < radius**2).astype(float)


def test_a_magnetised_film_is_its_edge_current():
    """Mz of a block and the sheet of current around its sides (Ampere) are the same field."""
    where = grid(1, 30, 30, step=1e-7, thickness=2e-7)
    block = np.zeros(where.shape)
    block[:, 8:20, 10:25] = 3.0
    fine = grid(1, 300, 300, step=1e-8, thickness=2e-7)
    filled = np.kron(block, np.ones((1, 10, 10)))
    stream = np.pad(filled, ((0, 0), (1, 1), (1, 1)))
    rims = np.zeros((3, *fine.shape))
    rims[0] = (stream[:, 2:, 1:-1] - stream[:, :-2, 1:-1]) / 2e-8
    rims[1] = -(stream[:, 1:-1, 2:] - stream[:, 1:-1, :-2]) / 2e-8
    magnet = stray_field(magnetisation([0 * block, 0 * block, block], where), heights=6e-7, grid=where)
    loop = oersted_field(current(rims, fine), heights=6e-7, grid=fine)
    sampled = loop.interp(y=magnet.y, x=magnet.x, method="cubic")
    assert float(abs(sampled - magnet).max()) < 2e-3 * float(abs(magnet).max())


@pytest.mark.parametrize(
    ("thickness", "nanotesla", "digit"), [(1e-6, 0.15, 0.01), (10e-6, 1.48, 0.01), (50e-6, 7.4, 0.1)]
)
def test_slab_at_25_c(thickness, nanotesla, digit):
    """mu0 J t / 2 over a wide slab at 23.5 mA/cm^2."""
    where = Grid(shape=(1, 400, 2), spacing=(thickness, 1e-4, 1e-4), origin=(-thickness / 2, -0.01995, 0.0))
    field = oersted_field(current(uniform(where, x=235.0), where), heights=50e-9, closed_by_leads=True, grid=where)
    by = -float(field.sel(component="y").isel(y=200, x=0))
    assert by == pytest.approx(mu_0 * 235.0 * thickness / 2, rel=5e-3)
    assert 1e9 * by == pytest.approx(nanotesla, abs=digit / 2)


def test_amperes_law_around_a_buried_bar():
    """The circulation of B around a bar is mu0 times its current."""
    where = grid(4, 4000, 2, step=1e-7)
    values = uniform(where)
    values[0, 1:3, 1990:2010] = 1e9
    field = oersted_field(current(values, where), heights=[2e-7, -6e-7], closed_by_leads=True, margin=0)
    by = field.sel(component="y").isel(x=0)
    around = float((by.isel(z=1) - by.isel(z=0)).sum()) * 1e-7
    carried = 1e9 * 2 * 20 * 1e-14
    # the two horizontal lines, 0.4 mm long and 0.8 um apart, leave out the ends: 2 h / (pi L) of the whole
    assert around == pytest.approx(mu_0 * carried, rel=2e-3)


# ------------------------------------------------------------------------------------------- magnetisation


def test_edge_of_a_film():
    """Bx = mu0 M t z / (2 pi (x^2 + z^2)) over the edge of a thin perpendicular film that fills x < 0."""
    where = Grid(shape=(1, 401, 400), spacing=(1e-9, 1e-5, 1e-7), origin=(0.0, -2e-3, -399.5e-7))
    values = uniform(where, z=1e5)
    field = stray_field(magnetisation(values, where), heights=1e-6, grid=where, margin=20).isel(y=220)
    near = field.sel(component="x", x=slice(-1e-6, 1e-6))
    x, z = near.x.values, 1e-6
    expected = mu_0 * 1e5 * 1e-9 * z / (2 * np.pi * (x**2 + z**2))
    other_edge = mu_0 * 1e5 * 1e-9 * z / (2 * np.pi * ((x + 4e-5) ** 2 + z**2))
    assert near.values == pytest.approx(expected - other_edge, rel=2e-4)


def test_sphere_on_its_axis():
    """Outside a uniform sphere the field is that of a dipole; voxels converge to it."""
    where = grid(40, 40, 40, step=5e-8, thickness=5e-8)
    z, y, x = np.meshgrid(*(where.coordinate(a) for a in "zyx"), indexing="ij")
    centre = -1e-6
    inside = (x**2 + y**2 + (z - centre) ** 2 < 0.9e-6**2).astype(float)
    field = stray_field(magnetisation(uniform(where, x=80.0, z=200.0) * inside, where), heights=1.2e-6, margin=10)
    moment = np.array([80.0, 0.0, 200.0]) * inside.sum() * where.voxel_volume
    yy, xx = np.meshgrid(field.y, field.x, indexing="ij")
    place = np.stack([xx, yy, np.full_like(xx, 1.2e-6 - centre)], axis=-1)
    dipole = np.moveaxis(field_from_dipole(moment=moment, displacement=place), -1, 0)
    assert np.abs(field.values - dipole).max() < 1e-4 * np.abs(dipole).max()


def test_point_dipole_is_the_far_limit():
    where = grid(2, 2, 2)
    values = uniform(where, x=1.0, y=-2.0, z=3.0)
    height = 1e-3
    field = stray_field(magnetisation(values, where), heights=height).isel(y=0, x=0)
    place = np.array([field.x, field.y, height - where.coordinate("z").mean()])
    dipole = field_from_dipole(moment=np.array([1.0, -2.0, 3.0]) * 8e-21, displacement=place)
    assert field.values == pytest.approx(dipole, rel=1e-7)


@pytest.mark.parametrize(("chi", "microtesla"), [(2e-5, 0.98), (1e-4, 4.9), (2e-4, 9.8)])
def test_a_cube_of_two_micrometres_at_100_millitesla(chi, microtesla):
    where = grid(1, 200, 200, step=1e-8, thickness=2e-6)
    source = magnetisation(uniform(where, z=chi * 0.1 / mu_0), where)
    field = stray_field(source, heights=50e-9, margin=10, grid=where)
    # the largest component lies in the plane, across the upper edges
    assert 1e6 * float(abs(field).max()) == pytest.approx(microtesla, rel=0.01)
    assert 1e6 * float(abs(field.sel(component="z")).max()) == pytest.approx(microtesla * 0.848, rel=0.01)


def test_within_a_wide_film_b_across_it_vanishes_and_along_it_is_whole():
    where = grid(3, 101, 101, step=1e-6, thickness=1e-8)
    centre = float(where.coordinate("z")[1])
    across = stray_field(magnetisation(uniform(where, z=1e3), where), heights=centre).isel(y=50, x=50)
    along = stray_field(magnetisation(uniform(where, x=1e3), where), heights=centre).isel(y=50, x=50)
    assert float(across.sel(component="z")) == pytest.approx(0.0, abs=1e-3 * mu_0 * 1e3)
    assert float(along.sel(component="x")) == pytest.approx(mu_0 * 1e3, rel=1e-3)


def test_bz_is_continuous_through_faces():
    where = grid(2, 6, 6)
    values = np.random.default_rng(5).normal(size=(3, *where.shape))
    for face in where.coordinate("z") + 5e-8:
        field = stray_field(magnetisation(values, where), heights=[face - 1e-13, face, face + 1e-13])
        bz = field.sel(component="z").values
        # a step of 1e-6 of a voxel
        assert bz[1] == pytest.approx(bz[0], abs=1e-5 * np.abs(bz).max())
        assert bz[1] == pytest.approx(bz[2], abs=1e-5 * np.abs(bz).max())


# ------------------------------------------------------------------------------------------------ Fourier


def smooth_stream(where):
    y, x = np.meshgrid(where.coordinate("y"), where.coordinate("x"), indexing="ij")
    return 1e-3 * (np.exp(-((x - 4e-7) ** 2 + y**2) / (2 * 4e-7**2)) - 0.6 * np.exp(-(x**2 + (y + 6e-7) ** 2) / 3e-13))


def sheet_field(stream, *, step, height):
    """B above a sheet of stream function psi (= Mz t) by the transfer functions of Fourier space."""
    ny, nx = stream.shape
    kx, ky = 2 * np.pi * np.fft.rfftfreq(nx, step)[None], 2 * np.pi * np.fft.fftfreq(ny, step)[:, None]
    k = np.hypot(kx, ky)
    half = mu_0 / 2 * np.exp(-k * height) * np.fft.rfft2(stream)
    return np.stack([np.fft.irfft2(t * half, s=stream.shape) for t in (-1j * kx, -1j * ky, k)])


def test_sheet_of_current_and_of_magnetisation_follow_the_transfer_functions():
    """Signs and sizes: J = (dpsi/dy, -dpsi/dx) makes Bz = mu0/2 k exp(-kz) psi, as does Mz t = psi."""
    # wide frame: the transfer functions are periodic, the prisms are not
    where = grid(1, 256, 256, step=5e-8, thickness=1e-9, z=5e-10)
    stream, height = smooth_stream(where), 4e-7
    truth = sheet_field(np.pad(stream, 384), step=5e-8, height=height)[:, 384:-384, 384:-384]
    padded = np.pad(stream, 1)
    values = np.zeros((3, *where.shape))
    values[0, 0] = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 1e-7 / 1e-9
    values[1, 0] = -(padded[1:-1, 2:] - padded[1:-1, :-2]) / 1e-7 / 1e-9
    by_current = current_field(current(values, where), heights=height, grid=where).values
    moments = np.stack([0 * stream, 0 * stream, stream / 1e-9])[:, None]
    by_moments = stray_field(magnetisation(moments, where), heights=height, grid=where).values
    scale = np.abs(truth).max()
    assert np.abs(by_moments - truth).max() < 2e-3 * scale
    assert np.abs(by_current - truth).max() < 6e-3 * scale
    for component in range(3):
        assert np.vdot(by_current[component], truth[component]) > 0.99 * np.linalg.norm(truth[component]) ** 2


def test_upward_continuation_equals_the_field_computed_higher_up():
    where = grid(3, 64, 64)
    values = np.zeros((3, *where.shape))
    values[:, :, 28:36, 28:36] = np.random.default_rng(2).normal(size=(3, 3, 8, 8))
    low, middle, high = stray_field(magnetisation(values, where), heights=[4e-7, 8e-7, 12e-7], margin=120).transpose(
        "z", ...
    )

    def continued(field, by):
        ny, nx = field.shape[1:]
        k = 2 * np.pi * np.hypot(np.fft.fftfreq(ny, 1e-7)[:, None], np.fft.rfftfreq(nx, 1e-7)[None])
        return np.fft.irfft2(np.exp(-k * by) * np.fft.rfft2(field), s=(ny, nx))

    once = continued(low.values, 8e-7)
    assert continued(continued(low.values, 4e-7), 4e-7) == pytest.approx(once, abs=1e-12 * np.abs(once).max())
    inner = (slice(None), slice(100, -100), slice(100, -100))
    for truth, up in ((middle, continued(low.values, 4e-7)), (high, once)):
        # the map ends 12 um from the source, which continuation feels
        assert np.abs(up - truth.values)[inner].max() < 5e-4 * np.abs(truth.values).max()


def test_above_its_source_b_has_neither_divergence_nor_curl():
    where = grid(4, 12, 12)
    rng = np.random.default_rng(11)
    step = 1e-9
    for field_of, source in ((stray_field, magnetisation), (oersted_field, None)):
        heights = 1.5e-6 + step * np.arange(-2, 3)
        if source is None:
            potential = np.zeros((4, 13, 13))
            potential[:, 1:-1, 1:-1] = rng.normal(size=(4, 11, 11))
            faces = FaceCurrents(
                x=np.diff(potential, axis=1), y=-np.diff(potential, axis=2), z=np.zeros((5, 12, 12)), grid=where
            )
            sources = faces
        else:
            sources = source(rng.normal(size=(3, *where.shape)), where)
        field = field_of(sources, heights=heights, margin=30)
        ddz = (field.isel(z=3) - field.isel(z=1)) / (2 * step)
        ddy, ddx = (field.isel(z=2).differentiate(axis) for axis in "yx")
        x, y, z = ({"component": c} for c in "xyz")
        inner = {"y": slice(1, -1), "x": slice(1, -1)}
        divergence = (ddx.sel(x) + ddy.sel(y) + ddz.sel(z)).isel(inner)
        curl = [ddy.sel(z) - ddz.sel(y), ddz.sel(x) - ddx.sel(z), ddx.sel(y) - ddy.sel(x)]
        scale = float(abs(ddz).max())
        # central differences over pixels of 100 nm, 1500 nm above the source
        assert float(abs(divergence).max()) < 0.02 * scale
        assert max(float(abs(c.isel(inner)).max()) for c in curl) < 0.02 * scale


# --------------------------------------------------------------------------------------- frames and algebra

SMALL = grid(2, 3, 4)
fields_of_small = st.builds(
    lambda seed: np.random.default_rng(seed).normal(size=(3, *SMALL.shape)), st.integers(0, 2**31)
)


@given(fields_of_small, fields_of_small, st.floats(-3, 3))
def test_fields_are_linear(first, second, factor):
    for field_of, source in ((stray_field, magnetisation), (current_field, current)):
        whole = field_of(source(first + factor * second, SMALL), heights=3e-7, margin=1)
        parts = field_of(source(first, SMALL), heights=3e-7, margin=1) + factor * field_of(
            source(second, SMALL), heights=3e-7, margin=1
        )
        assert whole.values == pytest.approx(parts.values, abs=1e-12 * np.abs(whole.values).max())


@given(fields_of_small)
def test_layers_heights_and_margins_add_up(values):
    whole = stray_field(magnetisation(values, SMALL), heights=[2e-7, 5e-7], margin=3)
    assert (whole.z == [2e-7, 5e-7]).all()
    alone = stray_field(magnetisation(values, SMALL), heights=5e-7)
    xr.testing.assert_allclose(
        whole.isel(z=1).sel(y=alone.y, x=alone.x, method="nearest"), alone, rtol=1e-9, atol=1e-18
    )
    top, bottom = values.copy(), values.copy()
    top[:, 0], bottom[:, 1] = 0, 0
    parts = [stray_field(magnetisation(v, SMALL), heights=5e-7) for v in (top, bottom)]
    assert (parts[0] + parts[1]).values == pytest.approx(alone.values, abs=1e-20)


def test_a_source_moved_by_a_voxel_moves_its_field():
    values = np.random.default_rng(0).normal(size=(3, *SMALL.shape))
    moved = Grid(shape=SMALL.shape, spacing=SMALL.spacing, origin=(0.0, 7e-6, -3e-6))
    here = stray_field(magnetisation(values, SMALL), heights=3e-7)
    there = stray_field(magnetisation(values, moved), heights=3e-7 - SMALL.origin[0])
    assert there.values == pytest.approx(here.values, rel=1e-9, abs=1e-20)
    assert there.y.values == pytest.approx(moved.coordinate("y"))


def test_no_periodic_image_reaches_the_frame():
    """A single voxel in one corner, seen in the other corner of the frame."""
    where = grid(1, 31, 31)
    values = np.zeros((3, *where.shape))
    values[2, 0, 0, 0] = 1e6
    field = stray_field(magnetisation(values, where), heights=1e-6, grid=where, margin=4)
    place = np.array([field.x[-1] - where.origin[2], field.y[-1] - where.origin[1], 1e-6 + 5e-8])
    dipole = field_from_dipole(moment=np.array([0, 0, 1e6 * 1e-21]), displacement=place)
    assert field.isel(y=-1, x=-1).values == pytest.approx(dipole, rel=1e-3)


def test_an_empty_source_makes_no_field():
    assert not stray_field(magnetisation(np.zeros((3, *SMALL.shape)), SMALL), heights=1e-6).any()


def test_the_four_axes_of_a_crystal_share_the_field():
    """The sum over the four axes of a diamond of Bnv^2 is 4/3 |B|^2."""
    values = np.random.default_rng(0).normal(size=(3, *SMALL.shape))
    field = stray_field(magnetisation(values, SMALL), heights=3e-7)
    axes = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
    total = sum(along_axis(field, axis) ** 2 for axis in axes)
    assert total.values == pytest.approx((4 / 3 * (field**2).sum("component")).values)
    assert along_axis(field, (0, 0, 1)).attrs["units"] == "T"


def test_units_are_converted_and_refused():
    values = np.ones((3, *SMALL.shape))
    per_metre = stray_field(magnetisation(values, SMALL), heights=1e-6)
    kilo = stray_field(magnetisation(values / 1000, SMALL).assign_attrs(units="kA/m"), heights=1e-6)
    assert kilo.values == pytest.approx(per_metre.values)
    with pytest.raises(UnitError, match="magnetisation"):
        stray_field(current(values, SMALL), heights=1e-6)
    with pytest.raises(UnitError, match="currents"):
        oersted_field(magnetisation(values, SMALL), heights=1e-6)


def test_any_order_of_axes_and_components_is_read():
    values = np.random.default_rng(0).normal(size=(3, *SMALL.shape))
    source = magnetisation(values, SMALL)
    turned = source.transpose("x", "component", "z", "y").isel(component=[2, 0, 1])
    xr.testing.assert_identical(stray_field(turned, heights=1e-6), stray_field(source, heights=1e-6))


def test_bad_input_is_refused():
    values = np.ones((3, *SMALL.shape))
    source = magnetisation(values, SMALL)
    with pytest.raises(InputError, match="dims component, z, y, x"):
        stray_field(source.isel(component=0), heights=1e-6)
    with pytest.raises(InputError, match="labelled x, y, z"):
        stray_field(source.assign_coords(component=["x", "y", "w"]), heights=1e-6)
    with pytest.raises(InputError, match="finite everywhere"):
        stray_field(magnetisation(values * np.nan, SMALL), heights=1e-6)
    with pytest.raises(InputError, match="heights must be"):
        stray_field(source, heights=float("nan"))
    with pytest.raises(InputError, match="margin must be"):
        stray_field(source, heights=1e-6, margin=-1)
    with pytest.raises(InputError, match="one voxel thick"):
        stray_field(source.isel(z=[0]), heights=1e-6)
    with pytest.raises(InputError, match="of shape"):
        stray_field(source, heights=1e-6, grid=grid(1, 3, 4))
    with pytest.raises(InputError, match="unit vector"):
        along_axis(source, (1, 1, 1))
    with pytest.raises(InputError, match="dim component"):
        along_axis(source.isel(component=0), (0, 0, 1))


def test_an_open_current_has_no_oersted_field():
    with pytest.raises(InputError, match="closed within the grid"):
        oersted_field(current(uniform(SMALL, x=1.0), SMALL), heights=1e-6)
    piece = uniform(SMALL)
    piece[0, 1, 1, 1] = 1.0
    with pytest.raises(InputError, match="free of divergence"):
        oersted_field(current(piece, SMALL), heights=1e-6, closed_by_leads=True)
