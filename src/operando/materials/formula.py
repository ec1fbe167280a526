"""Chemical formulae whose atoms may be isotopes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from operando.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AVOGADRO = 6.02214076e23
"""Avogadro's number [1/mol], exact (SI 2019)."""

LITHIUM6_NATURAL = 0.0759
"""Atom fraction of Li-6 in natural lithium; the value behind Li-nat in Table 2 of doi:10.1016/j.xcrp.2026.103136."""

MAX_LENGTH = 200
"""Longest text read as a formula."""

MAX_AMOUNT = 1e6
"""Largest number of one nuclide in a formula unit."""


@dataclass(frozen=True)
class Nuclide:
    """An element with its natural isotopes (`mass_number` None), or one isotope of it."""

    symbol: str
    mass_number: int | None = None

    @property
    def molar_mass(self) -> float:
        """Mass of one mole [kg/mol]; that of natural lithium holds for `LITHIUM6_NATURAL`."""
        return _molar_mass(self)

    def __str__(self) -> str:
        return self.symbol if self.mass_number is None else f"{self.symbol}-{self.mass_number}"


LITHIUM, LITHIUM6, LITHIUM7 = Nuclide("Li"), Nuclide("Li", 6), Nuclide("Li", 7)


@dataclass(frozen=True)
class Formula:
    """What one formula unit is made of.

    Attributes
    ----------
    atoms:
        Atoms per formula unit of each nuclide, all above zero.
    """

    atoms: Mapping[Nuclide, float]

    def __post_init__(self) -> None:
        if not self.atoms:
            raise InputError("formula", must="made of at least one atom", received="no atoms")
        for nuclide, amount in self.atoms.items():
            if not 0 < amount <= MAX_AMOUNT:
                raise InputError(
                    f"amount of {nuclide}", must=f"above zero and at most {MAX_AMOUNT:g}", received=repr(amount)
                )
            _molar_mass(nuclide)

    def __hash__(self) -> int:
        return hash(frozenset(self.atoms.items()))

    def __str__(self) -> str:
        marks = (f"^{n.mass_number}{n.symbol}" if n.mass_number else n.symbol for n in self.atoms)
        amounts = ("" if amount == 1 else f"{amount:.10g}" for amount in self.atoms.values())
        return "".join(mark + amount for mark, amount in zip(marks, amounts, strict=True)).removeprefix("^")

    @property
    def molar_mass(self) -> float:
        """Mass of one mole of formula units [kg/mol], by the masses of the isotopes that are named."""
        return sum(amount * nuclide.molar_mass for nuclide, amount in self.atoms.items())

    @property
    def lithium(self) -> float:
        """Lithium atoms per formula unit, of all isotopes."""
        return sum(amount for nuclide, amount in self.atoms.items() if nuclide.symbol == "Li")

    @property
    def lithium6_fraction(self) -> float:
        """Atom fraction of Li-6 in the lithium; nan where there is no lithium."""
        if not self.lithium:
            return math.nan
        lithium6 = self.atoms.get(LITHIUM6, 0.0) + LITHIUM6_NATURAL * self.atoms.get(LITHIUM, 0.0)
        return lithium6 / self.lithium

    def with_lithium6_fraction(self, fraction: float) -> Formula:
        """Return this formula with its lithium split into Li-6 and Li-7.

        "99 % enriched in Li-7" is ``with_lithium6_fraction(0.01)``: atoms, not weight.
        """
        if not 0 <= fraction <= 1:
            raise InputError("Li-6 fraction", must="between 0 and 1", received=repr(fraction))
        return self._with_lithium_atoms({LITHIUM6: fraction * self.lithium, LITHIUM7: (1 - fraction) * self.lithium})

    def with_lithium(self, amount: float) -> Formula:
        """Return this formula with `amount` lithium atoms per formula unit of the same isotopes, else natural ones."""
        if not (math.isfinite(amount) and amount >= 0):
            raise InputError("amount of lithium", must="zero or more", received=repr(amount))
        if not self.lithium:
            return self._with_lithium_atoms({LITHIUM: amount})
        scale = amount / self.lithium
        return self._with_lithium_atoms({n: scale * a for n, a in self.atoms.items() if n.symbol == "Li"})

    def _with_lithium_atoms(self, lithium: Mapping[Nuclide, float]) -> Formula:
        host = {nuclide: amount for nuclide, amount in self.atoms.items() if nuclide.symbol != "Li"}
        return Formula({nuclide: amount for nuclide, amount in lithium.items() if amount} | host)


_SCRIPTS = str.maketrans(
    {**{"⁰¹²³⁴⁵⁶⁷⁸⁹"[i]: f"{i}" for i in range(10)}, **{"₀₁₂₃₄₅₆₇₈₉"[i]: f"{i}" for i in range(10)}}
)
_SUPERSCRIPT = re.compile(r"(?=[⁰¹²³⁴⁵⁶⁷⁸⁹])(?<![⁰¹²³⁴⁵⁶⁷⁸⁹])")
_AMOUNT = r"\d+(?:\.\d+)?|\.\d+"
_TOKEN = re.compile(
    rf"(?P<open>\()|\)(?P<times>{_AMOUNT})?|\s+|\^?(?P<mass>\d{{1,3}})?(?P<symbol>[A-Z][a-z]?)(?P<amount>{_AMOUNT})?",
    re.ASCII,
)
_HYDROGEN = {"D": Nuclide("H", 2), "T": Nuclide("H", 3)}


def formula_from_text(text: str) -> Formula:
    """Read a formula, for example ``"7Li5.5PS4.5Cl1.5"`` or ``"Li6.25(GaAl)0.25La3Zr2O12"``.

    A number before an element is its mass number: at the start, after a space or a parenthesis, or after ``^``
    anywhere (``"Ni0.8^7Li"``). Elements without one have their natural isotopes.

    Raises
    ------
    InputError
        If the text is too long, no formula, or names an element or isotope that does not exist.
    """
    if len(text) > MAX_LENGTH:
        raise InputError("formula", must=f"at most {MAX_LENGTH} characters long", received=text)
    plain = _SUPERSCRIPT.sub("^", text).translate(_SCRIPTS).strip()
    groups: list[dict[Nuclide, float]] = [{}]
    for token in _tokens(plain):
        if token["open"]:
            groups.append({})
        elif token[0].startswith(")"):
            if len(groups) == 1:
                raise _no_formula(text, f"The parenthesis at character {token.start() + 1} was never opened.")
            _add(groups[-2], groups.pop(), times=float(token["times"] or 1))
        elif token["symbol"]:
            _add(groups[-1], {_nuclide(token): 1.0}, times=float(token["amount"] or 1))
    if len(groups) > 1:
        raise _no_formula(text, "Close every parenthesis.")
    return Formula({nuclide: amount for nuclide, amount in groups[0].items() if amount})


def formula_from_weights(weights: Mapping[str, float]) -> Formula:
    """Atoms of an alloy of which the weights of the elements are known; one formula unit is one atom.

    The weights need not sum to one.
    """
    moles = {Nuclide(symbol): weight / Nuclide(symbol).molar_mass for symbol, weight in weights.items()}
    total = sum(moles.values())
    return Formula({nuclide: amount / total for nuclide, amount in moles.items() if amount})


def number_densities_from_formula(*, formula: Formula, density: float) -> dict[Nuclide, float]:
    """Atoms per volume of each nuclide [1/m^3], ``N_i = n_i rho N_A / M``.

    Equation 3 of doi:10.1016/j.xcrp.2026.103136.

    Parameters
    ----------
    density:
        Mass density [kg/m^3] of this very formula, isotopes included.
    """
    units = checked_density(density) * AVOGADRO / formula.molar_mass
    return {nuclide: amount * units for nuclide, amount in formula.atoms.items()}


def density_from_substitution(*, formula: Formula, density: float, substituted: Formula) -> float:
    """Density [kg/m^3] after lithium left or isotopes were exchanged, at unchanged volume of the formula unit.

    ``rho' = rho M' / M``.
    """
    return checked_density(density) * substituted.molar_mass / formula.molar_mass


def checked_density(density: float) -> float:
    """Return `density` [kg/m^3] if matter can have it."""
    if not 0 < density < 30e3:
        raise InputError(
            "density", must="above zero and below 30000 kg/m^3", received=repr(density), remedy="Is it in kg/m^3?"
        )
    return density


@cache
def _molar_mass(nuclide: Nuclide) -> float:
    """Mass of one mole [kg/mol]; refuses an element or isotope that does not exist."""
    import periodictable

    if nuclide == LITHIUM:
        return LITHIUM6_NATURAL * LITHIUM6.molar_mass + (1 - LITHIUM6_NATURAL) * LITHIUM7.molar_mass
    try:
        element = periodictable.elements.symbol(nuclide.symbol)
        known = element if nuclide.mass_number is None else element[nuclide.mass_number]
    except (ValueError, KeyError):
        raise InputError("formula", must="made of known elements and isotopes", received=str(nuclide)) from None
    return float(known.mass) * 1e-3


def _tokens(text: str) -> Iterator[re.Match[str]]:
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise _no_formula(text, f'Character {position + 1}, "{text[position]}", fits nowhere.')
        yield token
        position = token.end()


def _nuclide(token: re.Match[str]) -> Nuclide:
    if token["mass"]:
        return Nuclide(token["symbol"], int(token["mass"]))
    return _HYDROGEN.get(token["symbol"], Nuclide(token["symbol"]))


def _add(atoms: dict[Nuclide, float], more: Mapping[Nuclide, float], *, times: float) -> None:
    for nuclide, amount in more.items():
        atoms[nuclide] = atoms.get(nuclide, 0.0) + times * amount


def _no_formula(text: str, remedy: str) -> InputError:
    return InputError("formula", must='a chemical formula such as "7Li5.5PS4.5Cl1.5"', received=text, remedy=remedy)
