"""What ``operando materials`` shows."""

from __future__ import annotations

from pathlib import Path

from operando.errors import InputError
from operando.io.beside import written_beside
from operando.materials.density import materials
from operando.materials.formula import Formula, formula_from_text
from operando.materials.magnetic_lithiation import lithium_in_cobalt_oxide
from operando.materials.magnetic_sheet import MagneticSheet, magnetic_sheet_from_formula, text_from_magnetic_sheet
from operando.materials.magnetic_table import magnetic_material_from_name
from operando.materials.sheet import sheet_from_formula, text_from_sheet
from operando.units import quantity


def sheet_text(text: str, *, density: str | None, lithium6: str | None, energy: str) -> str:
    """Lay out the sheets of a formula, or of a material that is known by name: attenuation, and magnetism where listed.

    Raises
    ------
    InputError
        If it is neither a formula nor a known name, or is listed nowhere and its density is not given.
    """
    formula, magnetic = _looked_up(text)
    rho, source = _density(text, formula, magnetic, density)
    fraction = quantity(lithium6, unit="", name="--lithium6") if lithium6 else None
    sheet = sheet_from_formula(
        formula, rho, lithium6_fraction=fraction, xray_energy=quantity(energy, unit="eV", name="--energy")
    )
    magnetism = text_from_magnetic_sheet(magnetic) if magnetic else ""
    return text_from_sheet(sheet) + (f"  density from: {source}\n" if source else "") + magnetism


def write_susceptibility_figure(path: Path, text: str) -> None:
    """Draw a material's susceptibility among the others', and where it lies on the curve of LixCoO2, as a PNG.

    Raises
    ------
    InputError
        If its susceptibility is not listed, or the path is no PNG.
    FileError
        If the folder does not exist.
    """
    from operando.report.style import png_bytes
    from operando.report.susceptibility import susceptibility_figure

    magnetic = _looked_up(text)[1]
    if magnetic is None:
        must = "asked for a material whose susceptibility is listed, or for LixCoO2"
        raise InputError("--figure", must=must, received=text)
    if path.suffix.lower() != ".png":
        raise InputError("--figure", must="a path that ends in .png", received=str(path))
    drawn = png_bytes(susceptibility_figure(shown=magnetic.material))
    with written_beside(path) as beside:
        beside.write_bytes(drawn)


def _looked_up(text: str) -> tuple[Formula, MagneticSheet | None]:
    """Formula and magnetism of what a user names."""
    known = next((m for m in materials() if text.lower() in (m.name.lower(), str(m.formula).lower())), None)
    formula = known.formula if known else _formula(text)
    return formula, magnetic_sheet_from_formula(formula)


def _formula(text: str) -> Formula:
    """Read a formula, and only then a name: formulae tell Co from CO, and names do not."""
    try:
        return formula_from_text(text)
    except InputError as no_formula:
        try:
            return magnetic_material_from_name(text).formula
        except InputError as no_name:
            if "Did you mean" in no_name.remedy:
                must = "a chemical formula or the name of a listed material"
                raise InputError("material", must=must, received=text, remedy=no_name.remedy) from None
            raise no_formula from None


def _density(text: str, formula: Formula, magnetic: MagneticSheet | None, given: str | None) -> tuple[float, str]:
    """Density [kg/m^3], and where it comes from if it was looked up."""
    if given:
        return quantity(given, unit="kg/m^3", name="--density"), ""
    known = next((m for m in materials() if m.formula == formula), None)
    if known:
        return known.density, known.source
    if magnetic:
        curve = lithium_in_cobalt_oxide(formula) is not None
        return magnetic.material.density, "molar volume of LiCoO2" if curve else "table of magnetic materials"
    remedy = 'Add --density "1.87 g/cm^3", without pores.'
    raise InputError("--density", must=f"given for {text}", received="nothing", remedy=remedy)
