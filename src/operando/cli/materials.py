"""What ``operando materials`` shows."""

from __future__ import annotations

from operando.errors import InputError
from operando.materials.density import materials
from operando.materials.formula import formula_from_text
from operando.materials.magnetic_sheet import magnetic_sheet_from_formula, text_from_magnetic_sheet
from operando.materials.sheet import sheet_from_formula, text_from_sheet
from operando.units import quantity


def sheet_text(text: str, *, density: str | None, lithium6: str | None, energy: str) -> str:
    """Lay out the sheets of a formula, or of a material that is known by name: attenuation, and magnetism where listed.

    Raises
    ------
    InputError
        If the formula cannot be read, or it is listed nowhere and its density is not given.
    """
    known = next((m for m in materials() if text.lower() in (m.name.lower(), str(m.formula).lower())), None)
    formula = known.formula if known else formula_from_text(text)
    magnetic = magnetic_sheet_from_formula(formula)
    magnetism = text_from_magnetic_sheet(magnetic) if magnetic else ""
    if density is None and known is None:
        if magnetic is None:
            raise InputError(
                "--density",
                must=f"given for {text}",
                received="nothing",
                remedy='Add --density "1.87 g/cm^3", without pores.',
            )
        return f"{text}: give --density, without pores, to see attenuation\n{magnetism}"
    rho = quantity(density, unit="kg/m^3", name="--density") if density else known.density if known else 0.0
    fraction = quantity(lithium6, unit="", name="--lithium6") if lithium6 else None
    sheet = sheet_from_formula(
        formula, rho, lithium6_fraction=fraction, xray_energy=quantity(energy, unit="eV", name="--energy")
    )
    source = f"  density from: {known.source}\n" if known and density is None else ""
    return text_from_sheet(sheet) + source + magnetism
