"""Materials by name: densities against lattice constants, sources, refusals."""

import pytest

from operando.errors import InputError
from operando.materials.density import material_from_name, materials
from operando.materials.formula import AVOGADRO


@pytest.mark.parametrize(
    ("name", "cell_volume", "units"),
    # Volume of the unit cell [cubic angstrom] and its formula units.
    [
        ("argyrodite", 9.825**3, 4),
        ("NCM83", 0.8660 * 2.871**2 * 14.20, 3),
        ("lithium-indium", 6.786**3, 8),
        ("LiCoO2", 0.8660 * 2.816**2 * 14.05, 3),
        ("LLZO", 12.97**3, 8),
        ("lithium", 3.51**3, 2),
        ("indium", 3.2523**2 * 4.9461, 2),
        ("copper", 3.6149**3, 4),
        ("aluminium", 4.0495**3, 4),
    ],
)
def test_densities_are_those_of_the_lattice(name: str, cell_volume: float, units: int) -> None:
    material = material_from_name(name)
    lattice = units * material.formula.molar_mass / AVOGADRO / (cell_volume * 1e-30)
    assert material.density == pytest.approx(lattice, rel=0.005)


def test_alloys_have_their_nominal_weights() -> None:
    alloy = material_from_name("EN AW-7075").formula
    weights = {n.symbol: amount * n.molar_mass / alloy.molar_mass for n, amount in alloy.atoms.items()}
    assert weights == pytest.approx({"Al": 0.9007, "Zn": 0.056, "Mg": 0.025, "Cu": 0.016, "Cr": 0.0023})


def test_every_material_has_a_source_and_its_own_name() -> None:
    assert all(len(material.source) > 20 for material in materials())
    assert len({material.name.lower() for material in materials()}) == len(materials())


def test_what_the_paper_does_not_state_is_marked() -> None:
    assert all(material_from_name(name).assumed for name in ("argyrodite", "NCM83", "stainless steel 1.4301"))
    assert not material_from_name("Indium").assumed


def test_an_unknown_material_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r'Did you mean "argyrodite"\?'):
        material_from_name("argyrodit")
    with pytest.raises(InputError, match=r"Known: argyrodite, NCM83"):
        material_from_name("xyz")
