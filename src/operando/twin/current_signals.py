"""What there is to see of a scene's current, and of an electronic short, as maps per current density."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from operando.cell.microstructure.build import microstructure_from_scene
from operando.cell.microstructure.structure import STRUCTURE_LABEL, Microstructure
from operando.cell.scene import Scene
from operando.electrochemistry.conduction import Conduction
from operando.electrochemistry.section_current import section_current
from operando.errors import InputError
from operando.magnetism.fields_labelled import along_axis
from operando.magnetism.section import oersted_field_of_section
from operando.materials.magnetic_table import magnetic_material_from_name
from operando.twin.magnetic_options import Signal
from operando.twin.magnetic_signals import AXES, magnetic_signal
from operando.units import FARADAY

Array = npt.NDArray[Any]

CurrentSignal = Literal["current", "short"]


def current_signal(scene: Scene, *, signal: CurrentSignal, stand_offs: Sequence[float], lithium: float) -> Signal:
    """Map the Oersted field of the current that crosses a scene, or what a short of the dendrite changes of it.

    Currents are those of conduction in the phases' given conductivities, and in proportion to the mean density.

    Parameters
    ----------
    signal:
        The current as it is, or how it changes when a straight filament joins the dendrite's tip to the positive
        electrode and the same current takes the metal.
    stand_offs:
        From the surface, ascending [m].
    lithium:
        x of LixCoO2, for what is magnetised besides.

    Raises
    ------
    InputError
        If the scene has no dendrite that could make a short, or nothing conducts.
    """
    structure = microstructure_from_scene(scene)
    bridged = shorted_structure(scene, structure) if signal == "short" else None
    conducted = _conduction(scene, structure)
    maps = _maps(conducted, stand_offs)
    name, notes = "field of the current", ["currents by conduction alone: no reactions, one conductivity to a phase"]
    if bridged is not None:
        shorted = _conduction(scene, bridged)
        maps = {axis: each - maps[axis] for axis, each in _maps(shorted, stand_offs).items()}
        ratio = _voltage(conducted) / _voltage(shorted)
        name = "change of the current's field by an electronic short"
        notes.append(f"planned for the same current; at the same voltage the short would carry {ratio:.2g} times it")
    dendrite = scene.separator.dendrite
    magnetised = magnetic_signal(scene, signal="cathode", stand_offs=stand_offs[:1], lithium=lithium, change=0.0)
    return replace(
        magnetised,
        name=f"{name}, {scene.name}",
        drive="current",
        maps=maps,
        stand_offs=tuple(stand_offs),
        detail=dendrite.width if dendrite else scene.positive.particles.diameter,
        depth=0.0,
        background=max(float(np.ptp(each)) for each in magnetised.maps.values()) / 2,
        charge=_charge(scene, structure),
        notes=tuple(notes),
    )


def shorted_structure(scene: Scene, structure: Microstructure) -> Microstructure:
    """Join the dendrite's foremost tip to the positive electrode by a straight filament as wide as a branch."""
    dendrite, grid = scene.separator.dendrite, structure.grid
    if dendrite is None:
        raise InputError("scene", must="one with a dendrite, which a short grows from", received=scene.name)
    lithium = structure.mask("lithium")
    tip = np.array(max(np.argwhere(lithium), key=lambda at: at[2]))
    ahead = np.flatnonzero(structure.mask("active")[tip[0], tip[1], tip[2] :])
    if ahead.size == 0:
        raise InputError("scene", must="one with a particle ahead of the dendrite's tip", received=scene.name)
    z, y = np.meshgrid(grid.coordinate("z"), grid.coordinate("y"), indexing="ij")
    across = np.hypot(z - z[tip[0], tip[1]], y - y[tip[0], tip[1]]) <= dendrite.width / 2
    filament = np.zeros(grid.shape, dtype=bool)
    filament[across, tip[2] : tip[2] + ahead[0] + 1] = True
    filament &= structure.mask("electrolyte") | structure.mask("void")
    phase = np.where(filament, STRUCTURE_LABEL["lithium"], structure.phase).astype(structure.phase.dtype)
    return replace(structure, phase=phase, grain=np.where(filament, 0, structure.grain))


def _conduction(scene: Scene, structure: Microstructure) -> Conduction:
    """Currents of a mean density of one ampere per square metre."""
    return section_current(
        structure,
        conductivity={phase: conductor.conductivity for phase, conductor in scene.conductors.items()},
        current_density=1.0,
        grain_boundary_resistance=scene.electrolyte.grain_boundary_resistance,
    )


def _maps(conducted: Conduction, stand_offs: Sequence[float]) -> dict[str, Array]:
    """Maps ``(stand_off, 1, y, x)`` along each axis."""
    field = oersted_field_of_section(conducted.currents, stand_off=list(stand_offs), copies=1)
    return {name: along_axis(field, axis).transpose("z", "y", "x").values[:, None] for name, axis in AXES.items()}


def _voltage(conducted: Conduction) -> float:
    return float(conducted.potential.max() - conducted.potential.min())


def _charge(scene: Scene, structure: Microstructure) -> float:
    """Charge per area of the section that changes x of all particles by one [C/m^2]."""
    material = magnetic_material_from_name(scene.positive.particles.material)
    concentration = material.density / material.formula.molar_mass
    grid = structure.grid
    thickness = structure.mask("active").sum() / (grid.shape[0] * grid.shape[1]) * grid.spacing[2]
    return float(FARADAY * concentration * thickness)
