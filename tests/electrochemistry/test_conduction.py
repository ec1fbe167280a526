import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.electrochemistry.conduction import Electrode, solve_conduction
from operando.electrochemistry.finite_volume import (
    conductances_from_conductivity,
    on_side,
)
from operando.electrochemistry.grain_boundaries import resistances_between_grains
from operando.electrochemistry.multigrid import Status, solve
from operando.errors import InputError, UnitError
from operando.frames import Grid
from operando.magnetism.circuit import divergence_of_currents, require_closed

ENDS = {"in": Electrode(1.0, side="-x"), "out": Electrode(0.0, side="+x")}


def grid_of_shape(*shape, spacing=(1e-6, 2e-6, 3e-6)):
    return Grid(shape=shape, spacing=spacing, origin=(0.0, 0.0, 0.0))


def conductivity_on(grid, values):
    return grid.array(np.broadcast_to(values, grid.shape).copy(), name="conductivity", units="S/m")


@pytest.mark.parametrize("shape", [(6, 5, 12), (1, 7, 12), (1, 1, 12), (9, 1, 4)])
def test_layers_in_series_and_in_parallel_are_exact(shape):
    grid = grid_of_shape(*shape)
    layers = np.random.default_rng(0).uniform(1e-3, 10, grid.shape[2])
    area, (dz, dy, dx) = grid.shape[0] * grid.shape[1] * 2e-12, grid.spacing
    series = solve_conduction(conductivity_on(grid, layers), electrodes=ENDS, grid=grid)
    assert series.current["in"] == pytest.approx(area / (dx / layers).sum(), rel=1e-9)
    rows = np.random.default_rng(1).uniform(1e-3, 10, (grid.shape[1], 1))
    parallel = solve_conduction(conductivity_on(grid, rows), electrodes=ENDS, grid=grid)
    expected = grid.shape[0] * dz * dy * rows.sum() / (grid.shape[2] * dx)
    assert parallel.current["in"] == pytest.approx(expected, rel=1e-9)


def test_currents_close_leads_included():
    grid = grid_of_shape(8, 9, 16)
    values = 10 ** np.random.default_rng(2).uniform(-4, 0, grid.shape)
    metal = np.zeros(grid.shape, dtype=bool)
    metal[2:5, 3:6, :7] = True
    electrodes = {"metal": Electrode(1.0, side="-x", voxels=metal), "out": Electrode(0.0, side="+x")}
    found = solve_conduction(conductivity_on(grid, values), electrodes=electrodes)
    require_closed(found.currents, by_leads=True, tolerance=1e-8)
    net = np.abs(divergence_of_currents(found.currents).values).sum() * grid.voxel_volume
    assert net < 1e-8 * found.total_current
    assert -found.currents.leaving()["-x"] == pytest.approx(found.total_current, rel=1e-8)


def test_contact_resistance_adds_to_layers():
    grid = grid_of_shape(2, 3, 4)
    grains = np.broadcast_to([1, 1, 2, 2], grid.shape)
    boundary = resistances_between_grains(grains=grains, resistance=2e-5, spacing=grid.spacing)
    ends = {**ENDS, "out": Electrode(0.0, side="+x", contact_resistance=3e-5)}
    found = solve_conduction(conductivity_on(grid, 0.5), electrodes=ends, contact_resistance=boundary)
    assert found.current["in"] == pytest.approx(12e-12 / (12e-6 / 0.5 + 5e-5), rel=1e-9)


@pytest.mark.parametrize("inside", [0.0, 10.0, 1e4])
def test_a_simple_cubic_array_of_spheres_conducts_as_maxwell_said(inside):
    n, radius = 48, 0.3
    at = (np.arange(n) + 0.5) / n / 2
    z, y, x = np.meshgrid(at, at, at, indexing="ij")
    ball = z**2 + y**2 + x**2 < radius**2
    fraction = ball.mean() * 1.0
    grid = grid_of_shape(n, n, n, spacing=(1e-7,) * 3)
    found = solve_conduction(conductivity_on(grid, np.where(ball, inside, 1.0)), electrodes=ENDS)
    contrast = (inside - 1) / (inside + 2)
    maxwell = (1 + 2 * contrast * fraction) / (1 - contrast * fraction)
    assert found.current["in"] / (n * 1e-7) == pytest.approx(maxwell, rel=0.01)


def manufactured(n, jump):
    """Error of the potential in sin(pi y) cosh(pi x), whose flux crosses a jump of conductivity at x = 1/2."""
    h = 1.0 / n
    at = (np.arange(n) + 0.5) * h
    grid = Grid(shape=(1, n, n), spacing=(h, h, h), origin=(h / 2, h / 2, h / 2))
    conductivity = np.where(at < 0.5, 1.0, jump)[None, None, :] * np.ones((1, n, 1))
    # cos(pi y) is insulated at y = 0 and 1; in x each half is a sum of exponentials that meet in potential and flux
    p, m = np.exp(np.pi / 2), np.exp(-np.pi / 2)
    matrix = [[1, 1, 0, 0], [0, 0, p * p, m * m], [p, m, -p, -m], [p, -m, -jump * p, jump * m]]
    a, b, c, d = np.linalg.solve(matrix, [1, 0, 0, 0])
    in_x = np.where(
        at < 0.5, a * np.exp(np.pi * at) + b * np.exp(-np.pi * at), c * np.exp(np.pi * at) + d * np.exp(-np.pi * at)
    )
    exact = np.cos(np.pi * at)[None, :, None] * in_x
    conductances = conductances_from_conductivity(conductivity=conductivity, spacing=grid.spacing)
    source = np.zeros(grid.shape)
    on_side(conductances, "-x")[...] = 2 * h
    on_side(conductances, "+x")[...] = 2 * h * jump
    source[:, :, 0] = 2 * h * np.cos(np.pi * at)
    found = solve(conductances=conductances, diagonal=np.zeros(grid.shape), b=source, tolerance=1e-11)
    return np.sqrt(((found.value - exact) ** 2).mean())


@pytest.mark.parametrize(("jump", "least"), [(1.0, 1.9), (100.0, 1.0)])
def test_errors_fall_with_the_square_of_the_voxel(jump, least):
    errors = [manufactured(n, jump) for n in (16, 32, 64)]
    assert (np.log2(np.divide(errors[:-1], errors[1:])) > least).all()


@pytest.mark.parametrize(("contrast", "shares"), [(10, (0.892, 0.936)), (100, (0.429, 0.498))])
def test_current_through_corners_is_the_limit_of_voxels(contrast, shares):
    """A checkerboard's conductivity is sqrt(s1 s2). All of it runs through corners, where voxels miss a known share."""
    for voxels, share in zip((8, 16), shares, strict=True):
        at = np.arange(8 * voxels) // voxels
        grid = grid_of_shape(1, len(at), len(at), spacing=(1e-6,) * 3)
        board = np.where((at[:, None] + at) % 2, 1.0, 1 / contrast)
        found = solve_conduction(conductivity_on(grid, board), electrodes=ENDS, grid=grid)
        assert found.current["in"] / 1e-6 * contrast**0.5 == pytest.approx(share, abs=0.002)


@given(st.integers(0, 2**31))
@settings(max_examples=5)
def test_terminals_are_reciprocal(seed):
    grid, rng = grid_of_shape(5, 6, 8), np.random.default_rng(seed)
    sigma, metal = conductivity_on(grid, 10 ** rng.uniform(-2, 1, grid.shape)), np.zeros(grid.shape, dtype=bool)
    metal[2, 3, 3:5] = True

    def currents(a, b, c):
        ends = {"a": Electrode(a, side="-x"), "b": Electrode(b, side="+x"), "c": Electrode(c, voxels=metal)}
        return solve_conduction(sigma, electrodes=ends).current

    first, second = currents(1.0, 0.0, 0.0), currents(0.0, 0.0, 1.0)
    assert first["c"] == pytest.approx(second["a"], rel=1e-6)
    both = currents(2.0, 0.0, -3.0)
    assert both["b"] == pytest.approx(2 * first["b"] - 3 * second["b"], rel=1e-6)


@given(st.floats(1e-9, 1e9), st.floats(1e-9, 1e-2))
@settings(max_examples=8)
def test_current_scales_with_units(conductivity, length):
    values = np.random.default_rng(0).uniform(0.1, 1, (3, 4, 6))
    one, other = grid_of_shape(3, 4, 6, spacing=(1.0,) * 3), grid_of_shape(3, 4, 6, spacing=(length,) * 3)
    unit = solve_conduction(conductivity_on(one, values), electrodes=ENDS).current["in"]
    scaled = solve_conduction(conductivity_on(other, conductivity * values), electrodes=ENDS).current["in"]
    assert scaled == pytest.approx(unit * conductivity * length, rel=1e-8)
    centimetres = conductivity_on(one, values / 100).assign_attrs(units="S/cm")
    assert solve_conduction(centimetres, electrodes=ENDS).current["in"] == pytest.approx(unit, rel=1e-8)


def test_multiples_are_solutions():
    grid = grid_of_shape(3, 3, 5)
    once = solve_conduction(conductivity_on(grid, 1.0), electrodes=ENDS)
    thrice = once.times(3 / once.total_current)
    assert thrice.total_current == pytest.approx(3)
    assert thrice.currents.leaving()["+x"] == pytest.approx(3)
    assert thrice.potential.attrs["units"] == "V"


def test_pockets_are_left_out_and_counted():
    grid = grid_of_shape(6, 6, 9)
    values = np.ones(grid.shape)
    values[1:5, 1:5, 2:7] = 0
    values[2:4, 2:4, 3:6] = 1
    found = solve_conduction(conductivity_on(grid, values), electrodes=ENDS)
    assert found.pruned == 12
    assert np.isnan(found.potential.values[1:5, 1:5, 2:7]).all()
    assert found.closure < 1e-9
    assert found.status is Status.CONVERGED


def test_metal_shields_what_it_encloses_and_carries_its_current_to_its_lead():
    grid = grid_of_shape(4, 6, 10, spacing=(1e-6,) * 3)
    metal = np.zeros(grid.shape, dtype=bool)
    metal[:, 2:4, :6] = True
    ends = {"metal": Electrode(1.0, side="-x", voxels=metal), "out": Electrode(0.0, side="+x")}
    found = solve_conduction(conductivity_on(grid, 1.0), electrodes=ends)
    assert (found.potential.values[metal] == 1).all()
    through = found.currents.x[:, 2:4, :7].sum(axis=(0, 1))
    assert (np.diff(through[1:6]) < 0).all(), "current leaves along the needle"
    assert through[0] * 1e-12 == pytest.approx(found.current["metal"], rel=1e-8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.__setitem__((0, 0, 0), -1.0), "must be not negative"),
        (lambda v: v.__setitem__((0, 0, 0), np.nan), "must be finite"),
        (lambda v: v.__setitem__((slice(None), slice(None), 3), 0.0), "a conducting path between two electrodes"),
    ],
)
def test_conductivities_that_cannot_be_solved_are_refused(change, message):
    grid = grid_of_shape(3, 4, 6)
    values = np.ones(grid.shape)
    change(values)
    with pytest.raises(InputError, match=message):
        solve_conduction(conductivity_on(grid, values), electrodes=ENDS)


def metal_at(x):
    voxels = np.zeros((3, 4, 6), dtype=bool)
    voxels[:, :, x] = True
    return voxels


@pytest.mark.parametrize(
    "electrodes",
    [
        {"a": Electrode(1.0, side="-x"), "b": Electrode(0.0, side="-x")},
        {"a": Electrode(1.0, side="-x"), "b": Electrode(0.0, side="+y")},
        {"a": Electrode(1.0, side="-x"), "b": Electrode(0.0, voxels=metal_at(0))},
        {"a": Electrode(1.0, voxels=metal_at(2)), "b": Electrode(0.0, voxels=metal_at(3))},
    ],
)
def test_electrodes_that_touch_are_refused(electrodes):
    grid = grid_of_shape(3, 4, 6)
    with pytest.raises(InputError, match="must be apart"):
        solve_conduction(conductivity_on(grid, 1.0), electrodes=electrodes)


def test_other_refusals():
    grid = grid_of_shape(3, 4, 6)
    sigma = conductivity_on(grid, 1.0)
    with pytest.raises(InputError, match="electrodes must be two at least"):
        solve_conduction(sigma, electrodes={"a": ENDS["in"]})
    with pytest.raises(InputError, match="all connected with side -x"):
        solve_conduction(sigma, electrodes={"a": Electrode(1.0, side="-x", voxels=metal_at(2)), "b": ENDS["out"]})
    with pytest.raises(InputError, match="pass grid"):
        solve_conduction(sigma.isel(z=[0]), electrodes=ENDS)
    with pytest.raises(UnitError):
        solve_conduction(sigma.assign_attrs(units="V"), electrodes=ENDS)
    with pytest.raises(InputError, match="on a side or made of voxels"):
        Electrode(1.0)
    with pytest.raises(InputError, match="one of"):
        Electrode(1.0, side="left")
    with pytest.raises(InputError, match="contact resistance"):
        Electrode(1.0, side="-x", contact_resistance=-1.0)
