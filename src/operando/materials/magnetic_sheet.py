"""How a material answers a magnetic field, laid out for people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.constants import mu_0

from operando.materials.formula import Formula
from operando.materials.magnetic import cgs_from_si
from operando.materials.magnetic_lithiation import (
    FLAT,
    cobalt_oxide_from_formula,
    lithium_in_cobalt_oxide,
    molar_from_lithium,
    unambiguous_lithium,
    volume_from_lithium,
)
from operando.materials.magnetic_table import (
    MagneticMaterial,
    magnetic_compounds,
    magnetic_elements,
    magnetic_material_from_name,
)

APPLIED_FIELD = 0.1
"""Field of the magnetisation that a sheet shows [T], as in the published simulations."""

LITHIATION = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


@dataclass(frozen=True)
class MagneticSheet:
    """What is known of a material's magnetism at about 300 K.

    Attributes
    ----------
    magnetisation:
        Of dense material in 100 mT, own field ignored [A/m]; None for a ferromagnet.
    lithiation:
        For LixCoO2: rows of x, molar [m^3/mol] and volume susceptibility; else empty.
    """

    material: MagneticMaterial
    magnetisation: float | None
    lithiation: tuple[tuple[float, float, float], ...]


def magnetic_sheet_from_name(name: str) -> MagneticSheet:
    """Gather what is known of a listed material; refusals as in `magnetic_material_from_name`."""
    return _sheet(magnetic_material_from_name(name))


def magnetic_sheet_from_formula(formula: Formula) -> MagneticSheet | None:
    """Gather what is known of the material with a formula; None where none is listed, nor a curve against lithium."""
    listed = (*magnetic_compounds(), *magnetic_elements())
    material = next((m for m in listed if m.formula == formula), None)
    x = lithium_in_cobalt_oxide(formula)
    if material is None and x is not None:
        material = cobalt_oxide_from_formula(formula, lithium=x)
    return None if material is None else _sheet(material)


def _sheet(material: MagneticMaterial) -> MagneticSheet:
    volume = material.volume
    x = np.array(LITHIATION)
    rows = zip(LITHIATION, molar_from_lithium(lithium=x), volume_from_lithium(lithium=x), strict=True)
    of_curve = lithium_in_cobalt_oxide(material.formula) is not None
    return MagneticSheet(
        material=material,
        magnetisation=None if volume is None else volume * APPLIED_FIELD / mu_0,
        lithiation=tuple((a, float(b), float(c)) for a, b, c in rows) if of_curve else (),
    )


def text_from_magnetic_sheet(sheet: MagneticSheet) -> str:
    """Lay a sheet out as lines of text."""
    material, volume = sheet.material, sheet.material.volume
    lines = [f"  magnetism at 300 K: {material.order}"]
    if material.molar is not None and volume is not None and sheet.magnetisation is not None:
        lines += [
            f"  susceptibility  {volume:.3g} by volume, {material.molar:.3g} m^3/mol "
            f"({cgs_from_si(molar=material.molar) * 1e6:.4g}e-6 emu/mol){', inferred' if material.inferred else ''}",
            f"  in {APPLIED_FIELD * 1000:g} mT       {sheet.magnetisation:.3g} A/m",
        ]
    if sheet.lithiation:
        lines += ["", f"  {'x':>5}{'m^3/mol':>12}{'by volume':>12}"]
        lines += [f"  {x:5.2f}{molar:12.3g}{by_volume:12.3g}" for x, molar, by_volume in sheet.lithiation]
        lines += [
            f"  tells x from {unambiguous_lithium()[0]:.2f} to 1; two values of x below that; nothing below {FLAT[1]:g}"
        ]
    lines += [f"  source: {material.source}"]
    if material.note:
        lines += [f"  note: {material.note}"]
    return "\n".join(lines) + "\n"
