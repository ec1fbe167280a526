"""Densities of the materials that the cells are built from."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache

from operando.errors import InputError
from operando.materials.formula import Formula, formula_from_text, formula_from_weights
from operando.materials.tables import rows_from_table


@dataclass(frozen=True)
class Material:
    """A material without pores.

    Attributes
    ----------
    density:
        [kg/m^3].
    assumed:
        Whether the density or the composition is our assumption and not a stated value.
    source:
        Where they come from.
    """

    name: str
    formula: Formula
    density: float
    assumed: bool
    source: str


@cache
def materials() -> tuple[Material, ...]:
    """All materials that are known by name."""
    return tuple(
        Material(
            name=row["name"],
            formula=_formula(row),
            density=float(row["density_kg_m3"]),
            assumed=row["assumed"] == "yes",
            source=row["source"],
        )
        for row in rows_from_table("densities")
    )


def material_from_name(name: str) -> Material:
    """Look a material up, whatever the case of its letters.

    Raises
    ------
    InputError
        If none is called so; names the nearest.
    """
    known = {material.name.lower(): material for material in materials()}
    if name.lower() not in known:
        near = difflib.get_close_matches(name.lower(), known, n=1)
        names = ", ".join(material.name for material in known.values())
        remedy = f'Did you mean "{known[near[0]].name}"?' if near else f"Known: {names}."
        raise InputError("material", must="known by name", received=name, remedy=remedy)
    return known[name.lower()]


def _formula(row: dict[str, str]) -> Formula:
    if row["formula"]:
        return formula_from_text(row["formula"])
    words = row["weights_percent"].split()
    return formula_from_weights(dict(zip(words[::2], map(float, words[1::2]), strict=True)))
