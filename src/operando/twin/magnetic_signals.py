"""What there is to see of a scene, as maps per unit of what drives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from operando.cell.microstructure.build import microstructure_from_scene
from operando.cell.microstructure.structure import Microstructure
from operando.cell.scene import Scene
from operando.errors import InputError
from operando.frames import Grid
from operando.magnetism.axial_fields import axial_fields
from operando.magnetism.section import WITH_LITHIUM
from operando.magnetism.walls import mirrored_grid, mirrored_scalar
from operando.materials.magnetic_lithiation import unambiguous_lithium, volume_from_lithium
from operando.materials.magnetic_table import magnetic_material_from_name
from operando.twin.magnetic_options import Signal

Array = npt.NDArray[Any]

KNOWN_LITHIUM = 0.15
"""Standard deviation of x of a particle of which nothing is known but that it lies between 0.5 and 1."""

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
    contrast = float(volume_from_lithium(lithium=lithium)) - _of_electrolyte(scene)
    wide = mirrored_scalar(
        structure.grid.array(active.astype(int), name="active", units=""), grid=structure.grid, copies=1
    )
    maps = _maps(wide.values, [contrast], mirrored_grid(structure.grid, copies=1), stand_offs)
    rows = slice(structure.grid.shape[1], 2 * structure.grid.shape[1])
    own = {axis: each[:, :, rows] for axis, each in maps.items()}
    return _signal("stray field of the cathode", scene, structure, own, stand_offs, active, _particle(scene))


def _lithiation(
    scene: Scene, structure: Microstructure, stand_offs: Sequence[float], lithium: float, change: float
) -> Signal:
    if 0 <= lithium <= 1 and not 0 <= lithium - change <= 1:
        raise InputError("change", must=f"such that x = {lithium:g} becomes one between 0 and 1", received=change)
    before, after = (float(volume_from_lithium(lithium=x)) for x in (lithium, lithium - change))
    surface = np.unique(structure.particle[-1])
    surface = surface[surface > 0]
    if surface.size == 0:
        raise InputError("scene", must="one with particles at the surface", received="none")
    buried = np.setdiff1d(np.arange(1, structure.particles + 1), surface)
    order = np.zeros(structure.particles + 1, dtype=int)
    order[np.concatenate([surface, buried])] = np.arange(1, structure.particles + 1)
    changes = np.full(structure.particles, after - before)
    maps = _maps(order[structure.particle], changes, structure.grid, stand_offs)
    notes = [f"{surface.size} of {structure.particles} particles are cut by the surface; planned for the middle one"]
    if lithium - change < unambiguous_lithium()[0]:
        notes.append(f"below x = {unambiguous_lithium()[0]:.2f} two x share a susceptibility: seen is not told")
    if abs(after - before) < 0.02 * before:
        notes.append(f"the susceptibility of LixCoO2 hardly tells x = {lithium:g} from {lithium - change:g}")
    name = f"change of x from {lithium:g} to {lithium - change:.3g} in one particle"
    cut = np.isin(structure.particle, surface)
    made = _signal(name, scene, structure, maps, stand_offs, cut, _particle(scene))
    spread = KNOWN_LITHIUM / abs(change) if change else np.inf
    return replace(made, asked=int(surface.size), spread=spread, notes=tuple(notes))


def _dendrite(scene: Scene, structure: Microstructure, stand_offs: Sequence[float]) -> Signal:
    dendrite = scene.separator.dendrite
    if dendrite is None:
        raise InputError("scene", must="one with a dendrite", received=scene.name)
    grown = structure.mask("lithium") & (structure.grid.coordinate("x") > scene.negative.thickness)
    contrast = (magnetic_material_from_name(scene.negative.material).volume or 0.0) - _of_electrolyte(scene)
    maps = _maps(grown.astype(int), [contrast], structure.grid, stand_offs)
    return _signal("stray field of the dendrite", scene, structure, maps, stand_offs, grown, dendrite.width)


def _of_electrolyte(scene: Scene) -> float:
    """Susceptibility of the electrolyte, from which other bodies differ."""
    return magnetic_material_from_name(scene.electrolyte.material).volume or 0.0


def _maps(
    labels: Array, susceptibility: Sequence[float] | Array, grid: Grid, stand_offs: Sequence[float]
) -> dict[str, Array]:
    """Maps ``(stand_off, body, y, x)`` of each axis per tesla along it."""
    axes = np.array(list(AXES.values()))
    fields = axial_fields(labels, susceptibility=susceptibility, grid=grid, axes=axes, heights=stand_offs)
    return dict(zip(AXES, fields, strict=True))


def _signal(
    name: str,
    scene: Scene,
    structure: Microstructure,
    maps: dict[str, Array],
    stand_offs: Sequence[float],
    body: Array,
    detail: float,
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
    )


def _particle(scene: Scene) -> float:
    return scene.positive.particles.diameter
