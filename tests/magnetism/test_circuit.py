import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.currents import FaceCurrents
from operando.errors import InputError
from operando.frames import Grid
from operando.magnetism.circuit import divergence_of_currents, face_currents_from_cells, require_closed

GRID = Grid(shape=(3, 4, 5), spacing=(1e-7, 2e-7, 3e-7), origin=(0.0, 0.0, 0.0))


def curl_of_edges(seed):
    """Face currents that are the discrete curl of a random potential on edges along z: closed to rounding."""
    (nz, ny, nx), (_, dy, dx) = GRID.shape, GRID.spacing
    potential = np.zeros((nz, ny + 1, nx + 1))
    potential[:, 1:-1, 1:-1] = np.random.default_rng(seed).normal(size=(nz, ny - 1, nx - 1))
    x, y = np.diff(potential, axis=1) / dy, -np.diff(potential, axis=2) / dx
    return FaceCurrents(x=x, y=y, z=np.zeros((nz + 1, ny, nx)), grid=GRID)


def straight(axis):
    (nz, ny, nx), parts = GRID.shape, {}
    for name, shape in (("x", (nz, ny, nx + 1)), ("y", (nz, ny + 1, nx)), ("z", (nz + 1, ny, nx))):
        parts[name] = np.full(shape, 2.0 if name == axis else 0.0)
    return FaceCurrents(**parts, grid=GRID)


@given(st.integers(0, 2**31))
def test_a_curl_closes(seed):
    currents = curl_of_edges(seed)
    assert np.abs(divergence_of_currents(currents).values).max() < 1e-8 * np.abs(currents.x).max() / 1e-7
    require_closed(currents, by_leads=False)


@given(st.integers(0, 2**31))
def test_means_over_cells_of_a_closed_current_carry_no_net_current(seed):
    density = curl_of_edges(seed).density()
    assert density.sum(["z", "y", "x"]).values == pytest.approx(np.zeros(3), abs=1e-9 * float(abs(density).sum()))


def test_divergence_counts_what_leaves():
    currents = straight("x")
    currents.x[1, 2, 3] += 0.6
    div = divergence_of_currents(currents).values
    assert div[1, 2, 2] == pytest.approx(0.6 / 3e-7)
    assert div[1, 2, 3] == pytest.approx(-0.6 / 3e-7)
    with pytest.raises(InputError, match=r"free of divergence .* at voxel \(z=1, y=2, x=2\)"):
        require_closed(currents, by_leads=True)


def test_what_leaves_is_counted_side_by_side():
    leaving = straight("x").leaving()
    current = 2.0 * 3 * 4 * 1e-7 * 2e-7
    assert leaving == pytest.approx({"-x": -current, "+x": current, "-y": 0, "+y": 0, "-z": 0, "+z": 0})


@pytest.mark.parametrize("axis", ["x", "y"])
def test_an_open_current_is_refused_and_leads_close_it(axis):
    with pytest.raises(InputError, match=rf"-{axis} .*closed_by_leads=True"):
        require_closed(straight(axis), by_leads=False)
    require_closed(straight(axis), by_leads=True)


@pytest.mark.parametrize("by_leads", [False, True])
def test_nothing_leads_through_the_sensor(by_leads):
    with pytest.raises(InputError, match="through the sensor"):
        require_closed(straight("z"), by_leads=by_leads)


def test_the_tolerance_is_relative():
    currents = straight("x")
    currents.x[1, 2, 3] += 2.0 * 1e-4
    with pytest.raises(InputError):
        require_closed(currents, by_leads=True, tolerance=0.9e-4)
    require_closed(currents, by_leads=True, tolerance=1.1e-4)


def test_no_current_is_closed():
    zero = straight("x")
    zero.x[:] = 0
    require_closed(zero, by_leads=False)


def test_cells_of_a_straight_current_come_back():
    density = straight("x").density().values
    faces = face_currents_from_cells(density, grid=GRID)
    assert (faces.x == 2.0).all()
    assert not faces.y.any()
    assert (faces.density().values == density).all()


def test_a_stream_function_sampled_at_centres_passes_as_faces():
    stream = np.zeros((6, 7))
    stream[2:-2, 2:-2] = np.random.default_rng(0).normal(size=(2, 3))
    density = np.zeros((3, *GRID.shape))
    density[0] = (stream[2:, 1:-1] - stream[:-2, 1:-1]) / 4e-7
    density[1] = -(stream[1:-1, 2:] - stream[1:-1, :-2]) / 6e-7
    require_closed(face_currents_from_cells(density, grid=GRID), by_leads=False)


def test_bad_face_currents_are_refused():
    good = straight("x")
    with pytest.raises(InputError, match="face currents along y must be of shape"):
        FaceCurrents(x=good.x, y=good.x, z=good.z, grid=GRID)
    with pytest.raises(InputError, match="finite"):
        FaceCurrents(x=good.x * np.nan, y=good.y, z=good.z, grid=GRID)
