"""Where a section's current is crowded: across cuts, at the contacts of particles and beside the dendrite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation, generate_binary_structure

from operando.cell.microstructure.structure import Microstructure
from operando.currents import FaceCurrents

Map = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Contacts:
    """Current density through the voxel faces between touching particles, and in the rest of these [mA/cm^2]."""

    mean: float
    high: float
    elsewhere: float
    high_elsewhere: float


def area_of_half(currents: FaceCurrents, place: float) -> float:
    """Least share of a cut at x [m] that half of the current crosses: 1/2 where it is spread evenly."""
    index = round((place - currents.grid.origin[2]) / currents.grid.spacing[2] + 0.5)
    through = -currents.x[:, :, index].ravel()  # to -x, while charging
    most = np.sort(through)[::-1].cumsum()
    return float((np.searchsorted(most, through.sum() / 2) + 1) / through.size)


def contacts_of_particles(structure: Microstructure, currents: FaceCurrents) -> Contacts:
    """Compare faces between two particles with faces within particles; `high` is above 99 % of them."""
    particle = structure.particle
    between, within = [], []
    for axis, inner in ((0, currents.z[1:-1]), (1, currents.y[:, 1:-1]), (2, currents.x[:, :, 1:-1])):
        here, there = (np.moveaxis(particle, axis, 0)[part] for part in (slice(None, -1), slice(1, None)))
        size = np.abs(np.moveaxis(inner, axis, 0)) / 10
        active = (here > 0) & (there > 0)
        between.append(size[active & (here != there)])
        within.append(size[active & (here == there)])
    at, rest = np.concatenate(between), np.concatenate(within)
    return Contacts(float(at.mean()), _high(at), float(rest.mean()), _high(rest))


def beside_dendrite(structure: Microstructure, foil: float) -> Mask:
    """Voxels of electrolyte that touch the dendrite, `foil` being as far as the lithium foil goes [m]."""
    metal = structure.mask("lithium")
    metal[:, :, structure.grid.coordinate("x") < foil + 5e-7] = False
    around = binary_dilation(metal, generate_binary_structure(3, 1))
    return np.asarray(around & structure.mask("electrolyte"))


def _high(values: Map) -> float:
    return float(np.percentile(values, 99))
