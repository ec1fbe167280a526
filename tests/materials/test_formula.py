"""Formulae: reading, isotopes, masses; what is no formula is refused."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.materials.formula import (
    AVOGADRO,
    LITHIUM6,
    LITHIUM6_NATURAL,
    LITHIUM7,
    Formula,
    Nuclide,
    density_from_substitution,
    formula_from_text,
    formula_from_weights,
    number_densities_from_formula,
)

AMOUNTS = st.floats(0.01, 20).map(lambda x: round(x, 4))
NUCLIDES = st.sampled_from(
    [LITHIUM6, LITHIUM7, *map(Nuclide, ("Li", "Ni", "Co", "O", "P", "S", "Cl", "C", "In")), Nuclide("Ni", 58)]
)
FORMULAE = st.dictionaries(NUCLIDES, AMOUNTS, min_size=1, max_size=6).map(Formula)
FRACTIONS = st.floats(0, 1)


@pytest.mark.parametrize(
    ("text", "atoms"),
    [
        ("7Li5.5PS4.5Cl1.5", {("Li", 7): 5.5, ("P", None): 1, ("S", None): 4.5, ("Cl", None): 1.5}),
        ("⁷Li₅.₅PS₄.₅Cl₁.₅", {("Li", 7): 5.5, ("P", None): 1, ("S", None): 4.5, ("Cl", None): 1.5}),
        ("6Li", {("Li", 6): 1}),
        ("Co6Li", {("Co", None): 6, ("Li", None): 1}),
        ("Co 6Li", {("Co", None): 1, ("Li", 6): 1}),
        ("Co0.5^58Ni2", {("Co", None): 0.5, ("Ni", 58): 2}),
        ("CO", {("C", None): 1, ("O", None): 1}),
        (
            "Li6.25(GaAl)0.25La3Zr2O12",
            {("Li", None): 6.25, ("Ga", None): 0.25, ("Al", None): 0.25, ("La", None): 3, ("Zr", None): 2}
            | {("O", None): 12},
        ),
        ("((7LiH)2O)3", {("Li", 7): 6, ("H", None): 6, ("O", None): 3}),
        ("D2O", {("H", 2): 2, ("O", None): 1}),
        ("Li0Ni.5O2", {("Ni", None): 0.5, ("O", None): 2}),
        ("LiLi", {("Li", None): 2}),
    ],
)
def test_text_is_read_atom_by_atom(text: str, atoms: dict[tuple[str, int | None], float]) -> None:
    expected = {Nuclide(symbol, mass): amount for (symbol, mass), amount in atoms.items()}
    assert formula_from_text(text).atoms == pytest.approx(expected)


@given(FORMULAE)
def test_what_is_written_reads_back_the_same(formula: Formula) -> None:
    assert formula_from_text(str(formula)) == formula


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "at least one atom"),
        ("Li0", "at least one atom"),
        ("lithium", "Character 1"),
        ("LixNiO2", "Character 3"),
        ("Li(NiO2", "Close every parenthesis"),
        ("LiNi)O2", "parenthesis at character 5"),
        ("LiO2.5.5", "Character 7"),
        ("Xx2O3", "known elements"),
        ("2Li2O", "known elements and isotopes; instead received Li-2"),
        ("Ni-0.8O2", "Character 3"),
        ("Li1e5O", "Character 4"),
        ("Li9999999", "at most"),
        ("Li" * 101, "at most 200 characters"),
        ("LiO٢", "Character 4"),
    ],
)
def test_what_is_no_formula_is_refused_with_the_place(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=r"formula|amount") as refusal:
        formula_from_text(text)
    assert reason in str(refusal.value)


@given(st.text(max_size=30) | st.text("LiNOPS()123.^ ", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        formula = formula_from_text(text)
    except InputError:
        return
    assert formula.molar_mass > 0


def test_molar_masses_are_the_published_ones() -> None:
    # IUPAC standard atomic weights 2021 (H 1.008, O 15.999, In 114.818, Co 58.933) and AME2020 isotope masses.
    assert formula_from_text("H2O").molar_mass == pytest.approx(18.015e-3, rel=1e-5)
    assert formula_from_text("In").molar_mass == pytest.approx(114.818e-3, rel=1e-6)
    assert formula_from_text("7Li").molar_mass == pytest.approx(7.01600344e-3, rel=1e-8)
    assert formula_from_text("Li").molar_mass == pytest.approx(6.94e-3, rel=1e-4)


@given(FRACTIONS)
def test_enrichment_keeps_the_lithium_and_sets_its_share(fraction: float) -> None:
    formula = formula_from_text("6Li2LiNiO2").with_lithium6_fraction(fraction)
    assert formula.lithium == pytest.approx(3)
    assert formula.lithium6_fraction == pytest.approx(fraction)
    assert formula.atoms[Nuclide("Ni")] == 1


def test_natural_lithium_is_its_isotopes() -> None:
    natural = formula_from_text("LiCoO2")
    split = natural.with_lithium6_fraction(LITHIUM6_NATURAL)
    assert natural.lithium6_fraction == LITHIUM6_NATURAL
    assert split.molar_mass == pytest.approx(natural.molar_mass, rel=1e-12)


@given(FRACTIONS, st.floats(0.01, 2))
def test_delithiation_keeps_the_isotopes_and_the_host(fraction: float, amount: float) -> None:
    formula = formula_from_text("LiNi0.83Co0.11Mn0.06O2").with_lithium6_fraction(fraction).with_lithium(amount)
    assert formula.lithium == pytest.approx(amount)
    assert formula.lithium6_fraction == pytest.approx(fraction)
    assert formula.with_lithium(0).lithium == 0
    assert formula.with_lithium(0).with_lithium(1).lithium6_fraction == LITHIUM6_NATURAL


@given(FORMULAE, st.floats(1, 2e4))
def test_atoms_in_a_volume_weigh_what_the_volume_weighs(formula: Formula, density: float) -> None:
    atoms = number_densities_from_formula(formula=formula, density=density)
    weight = sum(number * nuclide.molar_mass for nuclide, number in atoms.items()) / AVOGADRO
    assert weight == pytest.approx(density, rel=1e-12)


@given(FRACTIONS, st.floats(0, 1))
def test_substitution_keeps_the_host_atoms_per_volume(fraction: float, lithium: float) -> None:
    formula = formula_from_text("LiCoO2")
    substituted = formula.with_lithium(lithium).with_lithium6_fraction(fraction)
    density = density_from_substitution(formula=formula, density=5050, substituted=substituted)
    before = number_densities_from_formula(formula=formula, density=5050)[Nuclide("Co")]
    after = number_densities_from_formula(formula=substituted, density=density)[Nuclide("Co")]
    assert after == pytest.approx(before, rel=1e-12)


def test_an_alloy_has_the_weights_it_was_made_from() -> None:
    alloy = formula_from_weights({"Fe": 71, "Cr": 18, "Ni": 11})
    assert sum(alloy.atoms.values()) == pytest.approx(1)
    iron = Nuclide("Fe")
    assert alloy.atoms[iron] * iron.molar_mass / alloy.molar_mass == pytest.approx(0.71)


def test_formulae_are_values() -> None:
    one, same = formula_from_text("Li2O"), formula_from_text("OLi2")
    assert one == same
    assert hash(one) == hash(same)
    assert pickle.loads(pickle.dumps(one)) == one


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_a_share_outside_zero_to_one_is_refused(bad: float) -> None:
    with pytest.raises(InputError, match="Li-6 fraction must be between 0 and 1"):
        formula_from_text("LiCoO2").with_lithium6_fraction(bad)


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_an_impossible_amount_is_refused(bad: float) -> None:
    with pytest.raises(InputError, match="amount of lithium must be zero or more"):
        formula_from_text("LiCoO2").with_lithium(bad)
    with pytest.raises(InputError, match="amount of Co must be"):
        Formula({Nuclide("Co"): bad})


@pytest.mark.parametrize("bad", [0.0, -1.0, 1e5, float("nan")])
def test_an_impossible_density_is_refused(bad: float) -> None:
    with pytest.raises(InputError, match=r"density must be .* Is it in kg/m\^3"):
        number_densities_from_formula(formula=formula_from_text("Li"), density=bad)
