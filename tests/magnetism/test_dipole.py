import numpy as np
import pytest
from scipy.constants import mu_0

from operando.errors import InputError
from operando.magnetism.dipole import field_from_dipole


def test_on_the_axis_twice_as_strong_and_opposite_to_beside_it():
    axis, beside = field_from_dipole(moment=np.array([0, 0, 2.0]), displacement=np.array([[0, 0, 3.0], [3.0, 0, 0]]))
    assert axis == pytest.approx([0, 0, mu_0 * 2.0 / (2 * np.pi * 27)])
    assert beside == pytest.approx(-axis / 2)


def test_no_flux_through_a_sphere_around_it():
    nodes, weights = np.polynomial.legendre.leggauss(20)
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    cos, phi = np.meshgrid(nodes, turn, indexing="ij")
    sin = np.sqrt(1 - cos**2)
    out = np.stack([sin * np.cos(phi), sin * np.sin(phi), cos], axis=-1)
    field = field_from_dipole(moment=np.array([1.0, -0.5, 0.3]), displacement=out)
    flux = (weights[:, None] * (field * out).sum(-1)).sum()
    assert flux == pytest.approx(0, abs=1e-12 * np.abs(field).max())


def test_the_dipole_itself_is_refused():
    with pytest.raises(InputError, match="away from the dipole"):
        field_from_dipole(moment=np.ones(3), displacement=np.zeros(3))
