"""What hangs together in a microstructure, and how much of each phase there is against what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects, label

from operando.cell.microstructure.structure import STRUCTURE_PHASES, Microstructure

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Connectivity:
    """How a structure conducts, by contacts over whole voxel faces.

    Attributes
    ----------
    fractions:
        Volume of each phase over that of the grid.
    electrolyte_connected:
        Share of the electrolyte that ions reach from the lithium.
    active_connected:
        Share of the active material that electrons reach from the side +x, lithium excluded.
    active_wetted:
        Share of the particles that touch electrolyte which ions reach.
    lithium_connected:
        Share of the lithium that hangs together with the side -x; the rest is inactive.
    shorted:
        Whether lithium touches active material or the side +x.
    particles, grains:
        How many.
    cut, buried:
        How many particles the imaged surface cuts, and how many lie below it.
    """

    fractions: dict[str, float]
    electrolyte_connected: float
    active_connected: float
    active_wetted: float
    lithium_connected: float
    shorted: bool
    particles: int
    grains: int
    cut: int
    buried: int


def connectivity_of(structure: Microstructure) -> Connectivity:
    """Report what hangs together."""
    electrolyte, active, lithium = (structure.mask(phase) for phase in ("electrolyte", "active", "lithium"))
    metal = joined_to(lithium, _side(lithium, 0))
    ions = joined_to(electrolyte, touched_by(metal) & electrolyte)
    electrons = joined_to(active, _side(active, -1))
    cut = np.unique(structure.particle[-1])
    wetted = np.unique(structure.particle[touched_by(ions) & active])
    there = structure.particles
    return Connectivity(
        fractions={name: float(structure.mask(name).mean()) for name in STRUCTURE_PHASES},
        electrolyte_connected=_share(ions, electrolyte),
        active_connected=_share(electrons, active),
        active_wetted=wetted.size / there if there else 1.0,
        lithium_connected=_share(metal, lithium),
        shorted=bool((touched_by(lithium) & active).any() or lithium[:, :, -1].any()),
        particles=there,
        grains=structure.grains,
        cut=int((cut > 0).sum()),
        buried=there - int((cut > 0).sum()),
    )


def joined_to(mask: Array, start: Array) -> Array:
    """Keep the parts of a mask that hang together, face to face, with any voxel of `start`."""
    parts, _ = label(mask)
    kept = np.unique(parts[mask & start])
    return np.asarray(np.isin(parts, kept[kept > 0]))


def touched_by(mask: Array) -> Array:
    """Tell which voxels share a face with a mask; those of the mask itself only if a neighbour is in it."""
    touched = np.zeros_like(mask)
    for axis in range(3):
        ahead, behind = [slice(None)] * 3, [slice(None)] * 3
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        touched[tuple(ahead)] |= mask[tuple(behind)]
        touched[tuple(behind)] |= mask[tuple(ahead)]
    return touched


def particle_volumes(structure: Microstructure) -> Array:
    """Volume of each particle, in the order of their numbers [m^3]."""
    counts = np.bincount(structure.particle.ravel(), minlength=structure.particles + 1)[1:]
    return np.asarray(counts * structure.grid.voxel_volume)


def particle_tops(structure: Microstructure) -> Array:
    """Depth of each particle's highest voxel face below the imaged surface, 0 where it is cut [m]."""
    upper = structure.grid.shape[0]
    boxes = find_objects(structure.particle)
    return np.array([(upper - box[0].stop) * structure.grid.spacing[0] for box in boxes if box is not None])


def _side(mask: Array, index: int) -> Array:
    side = np.zeros_like(mask)
    side[:, :, index] = mask[:, :, index]
    return side


def _share(part: Array, whole: Array) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else 1.0
