"""What one material is made of and how it attenuates both beams, laid out for people."""

from __future__ import annotations

from dataclasses import dataclass

from operando.materials import neutron, xray
from operando.materials.cross_sections import PAPER_ENERGY, PAPER_TABLE, CrossSections, periodictable_table
from operando.materials.formula import Formula, Nuclide, number_densities_from_formula

XRAY_ENERGY = 60e3
"""Photon energy of a sheet [eV], about the mean of a filtered tube at 100 kV."""


@dataclass(frozen=True)
class Share:
    """What one nuclide contributes.

    Attributes
    ----------
    amount:
        Atoms per formula unit.
    atom_fraction, weight_fraction:
        Of the whole.
    neutron_attenuation, xray_attenuation:
        Its part of the material's [1/m].
    """

    nuclide: Nuclide
    amount: float
    atom_fraction: float
    weight_fraction: float
    neutron_attenuation: float
    xray_attenuation: float


@dataclass(frozen=True)
class MaterialSheet:
    """A material without pores, and its attenuation.

    Attributes
    ----------
    density, molar_mass:
        [kg/m^3], [kg/mol].
    neutron_attenuation, neutron_absorption, xray_attenuation:
        [1/m]; absorption is the part of neutron attenuation that goes as the inverse speed.
    neutron_energy, xray_energy:
        At which they hold [eV].
    neutron_table:
        Name of the cross-section table.
    other_neutron_attenuation:
        By the other table, None where that does not list every nuclide: how far sources differ [1/m].
    lithium6_slope:
        Change of attenuation as one Li-7 per formula unit becomes Li-6 [1/m].
    """

    formula: Formula
    density: float
    molar_mass: float
    shares: tuple[Share, ...]
    neutron_attenuation: float
    neutron_absorption: float
    neutron_energy: float
    neutron_table: str
    other_neutron_table: str
    other_neutron_attenuation: float | None
    lithium6_slope: float
    xray_attenuation: float
    xray_energy: float


def sheet_from_formula(
    formula: Formula,
    density: float,
    *,
    lithium6_fraction: float | None = None,
    table: CrossSections | None = None,
    neutron_energy: float = PAPER_ENERGY,
    xray_energy: float = XRAY_ENERGY,
) -> MaterialSheet:
    """Gather what is known of a material.

    Parameters
    ----------
    density:
        Without pores [kg/m^3].
    lithium6_fraction:
        Atom fraction of Li-6 in the lithium; None leaves the formula's own.
    table:
        Of neutron cross sections; None takes the published one where it lists every nuclide, else `periodictable`.
    neutron_energy, xray_energy:
        [eV].
    """
    if lithium6_fraction is not None:
        formula = formula.with_lithium6_fraction(lithium6_fraction)
    chosen = table or (PAPER_TABLE if PAPER_TABLE.covers(formula.atoms) else periodictable_table())
    other = PAPER_TABLE if chosen.name == periodictable_table().name else periodictable_table()
    atoms = number_densities_from_formula(formula=formula, density=density)
    shares = tuple(
        Share(
            nuclide=nuclide,
            amount=formula.atoms[nuclide],
            atom_fraction=number / sum(atoms.values()),
            weight_fraction=formula.atoms[nuclide] * nuclide.molar_mass / formula.molar_mass,
            neutron_attenuation=number * chosen.total(nuclide, neutron_energy),
            xray_attenuation=number * float(xray.cross_section_from_energy(nuclide=nuclide, energy=xray_energy)),
        )
        for nuclide, number in atoms.items()
    )
    return MaterialSheet(
        formula=formula,
        density=density,
        molar_mass=formula.molar_mass,
        shares=shares,
        neutron_attenuation=sum(share.neutron_attenuation for share in shares),
        neutron_absorption=sum(number * chosen.absorption(n, neutron_energy) for n, number in atoms.items()),
        neutron_energy=neutron_energy,
        neutron_table=chosen.name,
        other_neutron_table=other.name,
        other_neutron_attenuation=neutron.attenuation_from_number_densities(
            number_densities=atoms, table=other, energy=neutron_energy
        )
        if other.covers(formula.atoms)
        else None,
        lithium6_slope=neutron.attenuation_slope_from_lithium6(
            formula=formula, density=density, table=chosen, energy=neutron_energy
        ),
        xray_attenuation=sum(share.xray_attenuation for share in shares),
        xray_energy=xray_energy,
    )


def text_from_sheet(sheet: MaterialSheet) -> str:
    """Lay a sheet out as lines of text, attenuation in 1/cm."""
    lines = [
        f"{sheet.formula}, dense",
        f"  density     {sheet.density / 1000:.4g} g/cm^3",
        f"  molar mass  {sheet.molar_mass * 1000:.5g} g/mol",
        "",
        f"  {'':8}{'atoms':>9}{'atom %':>9}{'weight %':>10}{'neutron 1/cm':>14}{'%':>7}{'X-ray 1/cm':>13}{'%':>7}",
        *(_line(share, sheet) for share in sheet.shares),
        f"  {'all':8}{sum(s.amount for s in sheet.shares):9.4g}{'100.0':>9}{'100.0':>10}"
        f"{sheet.neutron_attenuation / 100:14.4g}{'100.0':>7}{sheet.xray_attenuation / 100:13.4g}{'100.0':>7}",
        "",
        f"  neutrons of {sheet.neutron_energy * 1000:g} meV, cross sections: {sheet.neutron_table}; "
        f"{sheet.neutron_absorption / sheet.neutron_attenuation:.1%} is absorption",
    ]
    if sheet.other_neutron_attenuation is not None:
        lines.append(f"  by the table {sheet.other_neutron_table}: {sheet.other_neutron_attenuation / 100:.4g} 1/cm")
    if sheet.formula.lithium:
        added = 0.01 * sheet.formula.lithium * sheet.lithium6_slope
        lines.append(
            f"  lithium is {sheet.formula.lithium6_fraction:.2%} Li-6; one percent more adds {added / 100:.4g} 1/cm"
        )
    lines.append(f"  X-rays of {sheet.xray_energy / 1000:g} keV: Elam tables")
    return "\n".join(lines) + "\n"


def _line(share: Share, sheet: MaterialSheet) -> str:
    neutron_percent = 100 * share.neutron_attenuation / sheet.neutron_attenuation
    xray_percent = 100 * share.xray_attenuation / sheet.xray_attenuation
    return (
        f"  {share.nuclide!s:8}{share.amount:9.4g}{100 * share.atom_fraction:9.1f}{100 * share.weight_fraction:10.1f}"
        f"{share.neutron_attenuation / 100:14.4g}{neutron_percent:7.1f}"
        f"{share.xray_attenuation / 100:13.4g}{xray_percent:7.1f}"
    )
