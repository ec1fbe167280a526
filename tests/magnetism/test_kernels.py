from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from scipy.constants import mu_0

from operando.magnetism.kernels import current_kernel, lead_kernel, magnetic_kernel

# The closed forms evaluated with 60 digits (mpmath), from inside the cuboid to 1e5 of its edges away.
TRUTH = np.genfromtxt(Path(__file__).parent / "prism_truth.csv", delimiter=",", skip_header=1)


def magnetic(x, y, z, edges):
    return magnetic_kernel(x=[x], y=[y], z=z, edges=edges)[:, 0, 0]


def current(x, y, z, edges):
    return current_kernel(x=[x], y=[y], z=z, edges=edges)[:, 0, 0]


@pytest.mark.parametrize("row", TRUTH, ids=lambda row: f"{row[:3]} at {np.linalg.norm(row[3:6]):.3g}")
@pytest.mark.parametrize("scale", [1.0, 1e-7])
def test_prisms_equal_sixty_digit_values_at_any_distance(row, scale):
    edges, (x, y, z) = tuple(scale * row[:3]), scale * row[3:6]
    error = magnetic(x, y, z, edges) - row[6:12]
    assert np.abs(error).max() < 1e-9 * np.abs(row[6:12]).max()
    error = current(x, y, z, edges) - scale * row[12:15]
    assert np.abs(error).max() < 1e-9 * scale * np.abs(row[12:15]).max()


def test_magnetic_prism_is_the_field_of_its_surface_charges():
    a, b, c = 1.0, 0.6, 0.3
    x, y, z = 0.7, -0.2, 0.5

    def field(component):
        # charges M.n = +-1 on the faces normal to z make H; the other columns follow by symmetry of the tensor
        def pull(v, u, side):
            d = np.array([x - u, y - v, z - side * c / 2])
            return side * d[component] / (4 * np.pi * np.linalg.norm(d) ** 3)

        return sum(integrate.dblquad(pull, -a / 2, a / 2, -b / 2, b / 2, args=(s,))[0] for s in (-1, 1))

    kernel = magnetic(x, y, z, (a, b, c))
    assert kernel[[4, 5, 2]] == pytest.approx([field(i) for i in range(3)], rel=1e-8)


def test_current_prism_is_the_field_of_its_filaments():
    a, b, c = 1.0, 0.6, 0.3
    x, y, z = 0.7, -0.2, 0.5
    nodes, weights = np.polynomial.legendre.leggauss(40)
    u, v, w = np.meshgrid(x - a / 2 * nodes, y - b / 2 * nodes, z - c / 2 * nodes, indexing="ij")
    weight = np.einsum("i,j,k->ijk", weights, weights, weights) * a * b * c / 8
    r3 = (u * u + v * v + w * w) ** 1.5
    truth = [(weight * d / r3).sum() / (4 * np.pi) for d in (u, v, w)]
    assert current(x, y, z, (a, b, c)) == pytest.approx(truth, rel=1e-10)


@given(
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.tuples(*[st.floats(0.05, 2)] * 3),
)
def test_inside_adds_what_outside_lacks(place, edges):
    """The trace of H over M is -1 inside and 0 outside, so that of B is 2 and 0."""
    inside = all(abs(p) < 0.999 * e / 2 for p, e in zip(place, edges, strict=True))
    outside = any(abs(p) > 1.001 * e / 2 for p, e in zip(place, edges, strict=True))
    if inside or outside:
        assert magnetic(*place, edges)[:3].sum() == pytest.approx(2.0 if inside else 0.0, abs=1e-12)


def test_a_cube_demagnetises_itself_by_a_third_at_its_centre():
    assert magnetic(0.0, 0.0, 0.0, (2.0, 2.0, 2.0)) == pytest.approx([2 / 3] * 3 + [0] * 3)


def test_the_face_of_a_cube_is_seen_from_outside():
    just = 1 + 1e-9
    assert magnetic(0.1, 0.2, 0.5, (1, 1, 1)) == pytest.approx(magnetic(0.1, 0.2, 0.5 * just, (1, 1, 1)), abs=1e-8)
    assert magnetic(0.1, 0.2, -0.5, (1, 1, 1)) == pytest.approx(magnetic(0.1, 0.2, -0.5 * just, (1, 1, 1)), abs=1e-8)


def test_signs_on_the_octants():
    k = magnetic_kernel(x=[-2.0, 2.0], y=[-1.0, 1.0], z=1.5, edges=(1, 1, 1))
    assert (np.sign(k[3]) == [[1, -1], [-1, 1]]).all()
    assert (np.sign(k[4]) == [[-1, 1], [-1, 1]]).all()
    assert (np.sign(k[5]) == [[-1, -1], [1, 1]]).all()
    g = current_kernel(x=[-2.0, 2.0], y=[-1.0, 1.0], z=-1.5, edges=(1, 1, 1))
    assert (np.sign(g[0]) == [[-1, 1], [-1, 1]]).all()
    assert (g[2] < 0).all()


@pytest.mark.parametrize("along", [-700.0, -20.0, -1.0, 0.0, 0.3, 5.0, 400.0])
@pytest.mark.parametrize(("across", "z"), [(0.2, 0.3), (-1.5, 0.7), (3.0, -6.0)])
def test_a_lead_less_the_same_lead_further_on_is_a_cuboid(along, across, z):
    edges, length = (0.5, 0.2), 3.0
    first = lead_kernel(along=[along], across=[across], z=z, edges=edges)[:, 0, 0]
    later = lead_kernel(along=[along - length], across=[across], z=z, edges=edges)[:, 0, 0]
    cuboid = current(along - length / 2, across, z, (length, *edges))[1:]
    # far ahead both leads are whole wires, whose difference keeps fewer digits
    assert first - later == pytest.approx(cuboid, rel=1e-9, abs=1e-11 * np.abs(first).max())


def test_two_leads_back_to_back_are_an_infinite_wire():
    x = np.array([-3.0, 0.0, 40.0])
    ahead = lead_kernel(along=x, across=[0.0], z=2.0, edges=(1e-3, 1e-3))[1, 0]
    behind = lead_kernel(along=-x, across=[0.0], z=2.0, edges=(1e-3, 1e-3))[1, 0]
    assert ahead + behind == pytest.approx(np.full(3, 1e-6 / (2 * np.pi * 2.0)), rel=1e-6)


@pytest.mark.parametrize("distance", [0.6, 2.0, 9.0])
def test_magpylib_agrees(distance):
    magpylib = pytest.importorskip("magpylib", reason="peer not installed: pip install magpylib")
    rng = np.random.default_rng(3)
    for _ in range(20):
        edges = rng.uniform(0.2, 1.0, 3)
        place = rng.normal(size=3)
        place *= distance / np.linalg.norm(place) * edges.max()
        magnetisation = rng.normal(size=3)
        cuboid = magpylib.magnet.Cuboid(magnetization=magnetisation, dimension=edges)
        xx, yy, zz, xy, xz, yz = magnetic(*place, tuple(edges))
        field = mu_0 * np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ magnetisation
        assert field == pytest.approx(cuboid.getB(place), rel=1e-9, abs=1e-9 * np.linalg.norm(field))
