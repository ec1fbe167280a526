"""Neutron cross sections as data with a source: the published table, `periodictable`, and a user's own values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from operando.errors import InputError
from operando.materials.formula import LITHIUM, LITHIUM6, LITHIUM6_NATURAL, LITHIUM7, Nuclide
from operando.materials.tables import rows_from_table

BARN = 1e-28
"""One barn [m^2]."""

PAPER_ENERGY = 11e-3
"""Energy at which the published table holds and where the flux of NeXT peaks [eV]."""

THERMAL_ENERGY = 25.2989e-3
"""Energy of neutrons of 2200 m/s, at which absorption is tabulated [eV]."""


@dataclass(frozen=True)
class CrossSection:
    """Cross sections of one nuclide at its table's energy.

    Attributes
    ----------
    absorption, scattering:
        [m^2] per atom; absorption goes as the inverse speed, scattering is constant.
    source:
        Where the numbers come from.
    """

    absorption: float
    scattering: float
    source: str


@dataclass(frozen=True)
class CrossSections:
    """A table of cross sections, valid for cold and thermal neutrons well below the first resonance.

    Attributes
    ----------
    energy:
        Energy [eV] at which the entries hold, and which is meant where none is stated.
    entries:
        Cross section of each nuclide that the table lists.
    """

    name: str
    energy: float
    entries: Mapping[Nuclide, CrossSection]

    def absorption(self, nuclide: Nuclide, energy: float | None = None) -> float:
        """Absorption [m^2] at `energy` [eV], ``sigma_a sqrt(E_table / E)``."""
        return self.entry(nuclide).absorption * math.sqrt(self.energy / self._checked(energy))

    def scattering(self, nuclide: Nuclide, energy: float | None = None) -> float:
        """Scattering out of the beam [m^2], the same at every energy."""
        self._checked(energy)
        return self.entry(nuclide).scattering

    def total(self, nuclide: Nuclide, energy: float | None = None) -> float:
        """Absorption and scattering together [m^2] at `energy` [eV]."""
        return self.absorption(nuclide, energy) + self.scattering(nuclide, energy)

    def entry(self, nuclide: Nuclide) -> CrossSection:
        """Look a nuclide up.

        Raises
        ------
        InputError
            If the table does not list it.
        """
        if nuclide not in self.entries:
            raise InputError(
                "nuclide",
                must=f"listed in the cross-section table {self.name}",
                received=str(nuclide),
                remedy=f"Choose another of the tables {', '.join(TABLE_NAMES)}, or add your own value.",
            )
        return self.entries[nuclide]

    def covers(self, nuclides: Mapping[Nuclide, float]) -> bool:
        """Whether every one of `nuclides` is listed."""
        return all(nuclide in self.entries for nuclide in nuclides)

    def with_cross_section(self, nuclide: Nuclide, *, total: float, absorption: float, source: str) -> CrossSections:
        """Return this table with one's own value for a nuclide, both [m^2] at the table's energy.

        A new value for Li-6 or Li-7 also changes natural lithium.
        """
        if not 0 <= absorption <= total < math.inf:
            raise InputError(
                f"cross section of {nuclide}",
                must="such that 0 <= absorption <= total",
                received=f"absorption {absorption!r}, total {total!r} m^2",
            )
        own = CrossSection(absorption, total - absorption, source)
        entries = {**self.entries, nuclide: own}
        if nuclide in (LITHIUM6, LITHIUM7):
            entries[LITHIUM] = _natural_lithium(entries)
        return replace(self, name=f"{self.name} with own {nuclide}", entries=entries)

    def _checked(self, energy: float | None) -> float:
        if energy is None:
            return self.energy
        if not 0 < energy < math.inf:
            raise InputError("neutron energy", must="above zero", received=f"{energy!r} eV")
        return energy


def lithium_cross_sections(table: CrossSections, energy: float | None = None) -> tuple[float, float]:
    """Total cross sections of Li-6 and Li-7 [m^2]."""
    return table.total(LITHIUM6, energy), table.total(LITHIUM7, energy)


def table_from_name(name: str) -> CrossSections:
    """The table called ``"vestin2026"`` or ``"periodictable"``.

    Raises
    ------
    InputError
        If there is no table of that name.
    """
    if name == "vestin2026":
        return PAPER_TABLE
    if name == "periodictable":
        return periodictable_table()
    raise InputError("cross-section table", must=f"one of {', '.join(TABLE_NAMES)}", received=name)


TABLE_NAMES = ("vestin2026", "periodictable")
"""Tables that `table_from_name` knows."""


@cache
def periodictable_table() -> CrossSections:
    """Bound-atom scattering and 1/v absorption of `periodictable`, brought to 11 meV.

    Source: Rauch and Waschkowski, in Dianoux and Lander (eds.), ILL Neutron Data Booklet (2003), as kept up in
    `periodictable`. Nuclides whose absorption does not go as 1/v (Cd, Sm, Eu, Gd) are left out. Natural lithium is
    the mixture with `LITHIUM6_NATURAL`, as in the published table; the booklet's own value lies 1.2 % lower.
    """
    import periodictable

    source = f"periodictable {periodictable.__version__} (ILL Neutron Data Booklet 2003)"
    entries = {}
    for element in periodictable.elements:
        for atom in (element, *element):
            if not atom.neutron.has_sld() or atom.neutron.is_energy_dependent or element.symbol == "n":
                continue
            absorption = _absorption_from_thermal(atom.neutron.absorption * BARN, PAPER_ENERGY)
            nuclide = Nuclide(element.symbol, None if atom is element else atom.isotope)
            entries[nuclide] = CrossSection(absorption, atom.neutron.total * BARN, source)
    entries[LITHIUM] = _natural_lithium(entries)
    return CrossSections(name="periodictable", energy=PAPER_ENERGY, entries=entries)


def _paper_table() -> CrossSections:
    """Table 2 of doi:10.1016/j.xcrp.2026.103136, with each natural element from the isotopes that it lists.

    The table gives totals alone. Absorption is the thermal value at 11 meV, at most the total; scattering is the rest.
    """
    entries: dict[Nuclide, CrossSection] = {}
    abundances: dict[str, dict[Nuclide, float]] = {}
    rows = rows_from_table("vestin2026")
    energy = float(rows[0]["energy_eV"])
    for row in rows:
        nuclide = Nuclide(row["symbol"], int(row["mass_number"]) if row["mass_number"] else None)
        total = float(row["total_barn"]) * BARN
        absorption = min(_absorption_from_thermal(float(row["absorption_2200_barn"]) * BARN, energy), total)
        entries[nuclide] = CrossSection(absorption, total - absorption, row["source"])
        abundances.setdefault(nuclide.symbol, {})[nuclide] = float(row["abundance_percent"])
    natural = {Nuclide(symbol): _mixed(entries, listed) for symbol, listed in abundances.items()}
    return CrossSections(name="vestin2026", energy=energy, entries=natural | entries)


def _mixed(entries: Mapping[Nuclide, CrossSection], abundances: Mapping[Nuclide, float]) -> CrossSection:
    total = sum(abundances.values())
    fractions = {nuclide: abundance / total for nuclide, abundance in abundances.items()}
    return CrossSection(
        absorption=sum(fraction * entries[nuclide].absorption for nuclide, fraction in fractions.items()),
        scattering=sum(fraction * entries[nuclide].scattering for nuclide, fraction in fractions.items()),
        source=f"from {', '.join(map(str, fractions))}: {entries[next(iter(fractions))].source}",
    )


def _natural_lithium(entries: Mapping[Nuclide, CrossSection]) -> CrossSection:
    return _mixed(entries, {LITHIUM6: LITHIUM6_NATURAL, LITHIUM7: 1 - LITHIUM6_NATURAL})


def _absorption_from_thermal(absorption: float, energy: float) -> float:
    return absorption * math.sqrt(THERMAL_ENERGY / energy)


PAPER_TABLE = _paper_table()
"""Cross sections of Vestin et al. at 11 meV."""
