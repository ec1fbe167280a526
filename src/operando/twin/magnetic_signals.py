"""What there is to see of a scene, as maps per unit of what drives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from operando.cell.microstructure.build import microstructure_from_scene
from operando.cell.microstructure.structure import Microstructure
from operando.cell.scene import Scene
from operando.errors import InputError
from operando.magnetism.axial_fields import axial_fields
from operando.magnetism.section import WITH_LITHIUM, susceptibility_of_section
from operando.magnetism.walls import mirrored_grid, mirrored_scalar
from operando.materials.magnetic_lithiation import volume_from_lithium
from operando.materials.magnetic_table import magnetic_material_from_name
from operando.twin.magnetic_options import Signal

Array = npt.NDArray[Any]

SignalName = Literal["cathode", "lithiation", "dendrite"]

_LEAN, _RISE = np.sqrt(2 / 3), np.sqrt(1 / 3)

AXES: dict[str, tuple[float, float, float]] = {
    "normal to the surface (111 tip)": (0.0, 0.0, 1.0),
    "54.7 deg towards x (100 tip)": (_LEAN, 0.0, _RISE),
    "54.7 deg towards y (100 tip)": (0.0, _LEAN, _RISE),
    "in the surface along x (110 tip)": (1.0, 0.0, 0.0),
    "in the surface along y (110 tip)": (0.0, 1.0, 0.0),
}
"""Axes of the tips that are cut, x from the negative to the positive electrode and y along the layers."""


def magnetic_signal(
    scene: Scene, *, signal: SignalName, stand_offs: Sequence[float], lithium: float, change: float
) -> Signal:
    """Map what an applied field magnetises: the cathode's particles, a change of their lithium, or a dendrite.

    What counts is the difference from the electrolyte in which bodies lie: a layer of electrolyte alone has no field.

    Parameters
    ----------
    signal:
        cathode, lithiation or dendrite.
    stand_offs:
        From the surface, ascending [m].
    lithium:
        x of LixCoO2 everywhere.
    change:
        Of x of one particle, to be told from all others; only particles that are cut by the surface count.

    Raises
    ------
    InputError
        If the scene has no such thing, or lithium leaves 0 to 1.
    """
    structure = microstructure_from_scene(scene)
    if signal == "dendrite":
        return _dendrite(scene, structure, stand_offs)
    if scene.positive.particles.material != WITH_LITHIUM:
        received = scene.positive.particles.material
        raise InputError(
            "active material", must=f"{WITH_LITHIUM}, whose susceptibility follows lithium", received=received
        )
    if signal == "cathode":
        return _cathode(scene, structure, stand_offs, lithium)
    return _lithiation(scene, structure, stand_offs, lithium, change)


def _cathode(scene: Scene, structure: Microstructure, stand_offs: Sequence[float], lithium: float) -> Signal:
    active = structure.mask("active")
    source = np.where(active, _contrast_of(scene, structure, lithium), 0.0)
    maps = _maps(structure, [source], stand_offs, mirrored=True)
    return _signal("stray field of the cathode", scene, structure, maps, stand_offs, active, _particle(scene))


def _lithiation(
    scene: Scene, structure: Microstructure, stand_offs: Sequence[float], lithium: float, change: float
) -> Signal:
    before, after = (float(volume_from_lithium(lithium=x)) for x in (lithium, lithium - change))
    surface = np.unique(structure.particle[-1])
    surface = surface[surface > 0]
    if surface.size == 0:
        raise InputError("scene", must="one with particles at the surface", received="none")
    sources = [np.where(structure.particle == number, after - before, 0.0) for number in surface]
    maps = _maps(structure, sources, stand_offs)
    notes = [f"{surface.size} of {structure.particles} particles are cut by the surface; planned for the middle one"]
    if abs(after - before) < 0.02 * before:
        notes.append(f"the susceptibility of LixCoO2 hardly tells x = {lithium:g} from {lithium - change:g}")
    name = f"change of x from {lithium:g} to {lithium - change:.3g} in one particle"
    mask = np.isin(structure.particle, surface)
    return _signal(name, scene, structure, maps, stand_offs, mask, _particle(scene), tuple(notes))


def _dendrite(scene: Scene, structure: Microstructure, stand_offs: Sequence[float]) -> Signal:
    dendrite = scene.separator.dendrite
    if dendrite is None:
        raise InputError("scene", must="one with a dendrite", received=scene.name)
    grown = structure.mask("lithium") & (structure.grid.coordinate("x") > scene.negative.thickness)
    source = np.where(grown, _contrast_of(scene, structure, 1.0), 0.0)
    maps = _maps(structure, [source], stand_offs)
    return _signal("stray field of the dendrite", scene, structure, maps, stand_offs, grown, dendrite.width)


def _contrast_of(scene: Scene, structure: Microstructure, lithium: float) -> Array:
    """Susceptibility less that of the electrolyte."""
    materials = {phase: conductor.material for phase, conductor in scene.conductors.items()}
    active = scene.positive.particles.material == WITH_LITHIUM
    x = structure.grid.array(np.full(structure.grid.shape, lithium), name="lithium", units="") if active else None
    chi = susceptibility_of_section(structure, materials=materials, lithium=x).values
    return np.asarray(chi - (magnetic_material_from_name(scene.electrolyte.material).volume or 0.0))


def _maps(
    structure: Microstructure, sources: list[Array], stand_offs: Sequence[float], *, mirrored: bool = False
) -> dict[str, Array]:
    """Maps ``(stand_off, source, y, x)`` of each axis per tesla along it; mirrored, the layer goes on and on."""
    grid, axes = structure.grid, np.array(list(AXES.values()))
    if mirrored:
        sources = [mirrored_scalar(grid.array(s, name="chi", units=""), grid=grid, copies=1).values for s in sources]
        grid = mirrored_grid(grid, copies=1)
    fields = axial_fields(sources, grid=grid, axes=axes, heights=stand_offs)
    if mirrored:
        rows = structure.grid.shape[1]
        fields = fields[..., rows : 2 * rows, :]
    return dict(zip(AXES, fields, strict=True))


def _signal(
    name: str,
    scene: Scene,
    structure: Microstructure,
    maps: dict[str, Array],
    stand_offs: Sequence[float],
    body: Array,
    detail: float,
    notes: tuple[str, ...] = (),
) -> Signal:
    top = int(np.flatnonzero(body.any(axis=(1, 2)))[-1])
    return Signal(
        name=f"{name}, {scene.name}",
        drive="applied field",
        maps=maps,
        axes=AXES,
        stand_offs=tuple(stand_offs),
        pixel=(structure.grid.spacing[1], structure.grid.spacing[2]),
        detail=detail,
        depth=(structure.grid.shape[0] - 1 - top) * structure.grid.spacing[0],
        notes=notes,
    )


def _particle(scene: Scene) -> float:
    return scene.positive.particles.diameter
