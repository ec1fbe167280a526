"""Magnetic susceptibilities of elements and battery materials at room temperature."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache

from operando.errors import InputError
from operando.materials.formula import Formula, formula_from_text
from operando.materials.magnetic import molar_volume_from_density, si_from_cgs, volume_from_molar
from operando.materials.tables import rows_from_table


@dataclass(frozen=True)
class MagneticMaterial:
    """A dense material and its susceptibility at about 300 K.

    Attributes
    ----------
    molar:
        Per mole of formula units [m^3/mol]; None for a ferromagnet, which has none.
    density:
        [kg/m^3].
    order:
        paramagnet, diamagnet, antiferromagnet or ferromagnet.
    inferred:
        Whether the value is our reading and not as its source prints it, or was not compared with a copy of its source.
    source, note:
        Where it comes from, and what to beware of.
    """

    name: str
    formula: Formula
    molar: float | None
    density: float
    order: str
    inferred: bool
    source: str
    note: str

    @property
    def volume(self) -> float | None:
        """Volume susceptibility, dimensionless."""
        if self.molar is None:
            return None
        molar_volume = molar_volume_from_density(formula=self.formula, density=self.density)
        return volume_from_molar(molar=self.molar, molar_volume=molar_volume)


@cache
def magnetic_elements() -> tuple[MagneticMaterial, ...]:
    """Elements that cells are made of, as in Fig. 3c of Pollok et al. 2025."""
    return tuple(
        _material(row, si_from_cgs(molar=float(row["emu_1e-6_mol"]) * 1e-6) if row["emu_1e-6_mol"] else None)
        for row in rows_from_table("magnetic_elements")
    )


@cache
def magnetic_compounds() -> tuple[MagneticMaterial, ...]:
    """Electrode and electrolyte materials, as in Table 1 of Pollok et al. 2025."""
    return tuple(_material(row, float(row["m3_mol"])) for row in rows_from_table("magnetic_compounds"))


def magnetic_material_from_name(name: str) -> MagneticMaterial:
    """Look a material up by name, with or without what it has in brackets, or by formula, in letters of any case.

    Raises
    ------
    InputError
        If none is called so; names the nearest.
    """
    listed = (*magnetic_compounds(), *magnetic_elements())
    known = {str(m.formula).lower(): m for m in listed} | {m.name.lower().split(" (")[0]: m for m in listed}
    known |= {m.name.lower(): m for m in listed}
    if name.lower() not in known:
        near = difflib.get_close_matches(name.lower(), known, n=1)
        remedy = (
            f'Did you mean "{known[near[0]].name}"?' if near else "Estimate it with the laws of materials.magnetic."
        )
        raise InputError("material", must="listed with its magnetic susceptibility", received=name, remedy=remedy)
    return known[name.lower()]


def _material(row: dict[str, str], molar: float | None) -> MagneticMaterial:
    return MagneticMaterial(
        name=row["name"],
        formula=formula_from_text(row["formula"]),
        molar=molar,
        density=float(row["density_kg_m3"]),
        order=row["order"],
        inferred=row["inferred"] == "yes",
        source=row["source"],
        note=row["note"],
    )
