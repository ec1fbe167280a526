"""The materials of a Li | LLZO | LixCoO2 cell, from the tables."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from operando.cell.microstructure.structure import STRUCTURE_PHASES, Microstructure
from operando.cell.scene import Scene
from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.materials import ActiveMaterial, Electrolyte, Insulator, Law, Metal
from operando.materials.kinetics import exchange_current_density_from_lithiation
from operando.materials.open_circuit import open_circuit_potential_from_lithiation
from operando.materials.transport import (
    diffusivity_from_lithiation,
    electronic_conductivity_from_lithiation,
    ionic_conductivity_from_lithiation,
    transport_constant,
)


@cache
def lithium_cobalt_oxide() -> ActiveMaterial:
    """LixCoO2 against LLZO, with lithium that diffuses and migrates."""
    at_half = _value("LixCoO2|LLZO", "exchange_current_density")
    return ActiveMaterial(
        maximum_concentration=_value("LixCoO2", "maximum_concentration"),
        open_circuit_potential=_law(open_circuit_potential_from_lithiation),
        diffusivity=_law(diffusivity_from_lithiation),
        electronic_conductivity=_law(electronic_conductivity_from_lithiation),
        ionic_conductivity=_law(ionic_conductivity_from_lithiation),
        exchange_current=partial(_exchange_current, at_half),
    )


@cache
def garnet() -> Electrolyte:
    """LLZO, with the resistance of its grain boundaries."""
    return Electrolyte(
        conductivity=_value("LLZO", "ionic_conductivity"),
        grain_boundary_resistance=_value("LLZO", "grain_boundary_resistance"),
    )


@cache
def lithium_metal() -> Metal:
    """Lithium, plated and stripped on LLZO."""
    return Metal(
        conductivity=_value("Li", "electronic_conductivity"),
        exchange_current=_value("Li|LLZO", "exchange_current_density"),
    )


def electrolyte_from_scene(scene: Scene) -> Electrolyte:
    """Electrolyte with the conductivity and the grain boundaries that a scene says."""
    said = scene.electrolyte
    return Electrolyte(conductivity=said.conductivity, grain_boundary_resistance=said.grain_boundary_resistance)


def cell_from_microstructure(structure: Microstructure, *, electrolyte: Electrolyte | None = None) -> ResolvedCell:
    """Make a microstructure of lithium, electrolyte and LixCoO2, its negative electrode at the side -x.

    Parameters
    ----------
    electrolyte:
        LLZO from the tables by default; `electrolyte_from_scene` gives the scene's own.
    """
    phases = structure.grid.array(structure.phase, name="phase", units="").assign_attrs(phases=STRUCTURE_PHASES)
    return ResolvedCell(
        phases=phases,
        materials={
            "void": Insulator(),
            "electrolyte": electrolyte or garnet(),
            "active": lithium_cobalt_oxide(),
            "lithium": lithium_metal(),
        },
        grid=structure.grid,
        negative_side="-x",
        grains=structure.grain,
    )


def _value(material: str, quantity: str) -> float:
    return transport_constant(material=material, quantity=quantity).value


def _law(of_lithiation: Any) -> Law:
    return lambda x: of_lithiation(lithiation=x, material="LixCoO2")


def _exchange_current(at_half: float, x: Any) -> Any:
    return exchange_current_density_from_lithiation(lithiation=x, at_half=at_half)
