"""The section that the examples after Fig. 4 of Pollok et al. 2025 share: lithium prescribed as after a fast charge."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xarray as xr

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.cell.microstructure.structure import Microstructure
from operando.cell.scene import Scene
from operando.electrochemistry.section_lithium import lithium_from_gradient, lithium_on_voxels

SCENE, VOXEL = "llzo-section-3d", 100e-9
LITHIUM = (0.53, 0.73)
"""x of LixCoO2 beside the separator and at the far end, after 4 minutes at 5C."""
APPLIED_FIELD, STAND_OFF = 0.1, 50e-9
CURRENT_DENSITY = 235.0
"""25C: 23.5 mA/cm^2 [A/m^2]."""
CHARGING = -1.0
"""While charging, current flows from the positive to the negative electrode, to -x."""
RIM = 0.5e-6
"""Where the drawing ends: pixels nearer than this are left out of numbers [m]."""


@dataclass(frozen=True)
class PaperSection:
    """Scene, voxels and lithium."""

    scene: Scene
    structure: Microstructure
    lithium: xr.DataArray

    @property
    def materials(self) -> dict[str, str]:
        """Material of each phase."""
        return {phase: conductor.material for phase, conductor in self.scene.conductors.items()}

    def over(self, layer: str) -> npt.NDArray[np.bool_]:
        """Columns of a map over the separator or the positive electrode, its rims left out."""
        first, second, third = np.cumsum(self.scene.layers)
        x = self.structure.grid.coordinate("x")
        start, end = {"separator": (first, second), "positive": (second, third)}[layer]
        return np.asarray((x > start + RIM) & (x < end - RIM))


def paper_section(voxel: float = VOXEL) -> PaperSection:
    """Build the section on voxels of an edge [m]."""
    scene = load_scene(SCENE).at_voxel(voxel)
    structure = microstructure_from_scene(scene)
    lithium = lithium_from_gradient(structure, near_separator=LITHIUM[0], far_end=LITHIUM[1])
    return PaperSection(scene, structure, lithium_on_voxels(structure, lithium=lithium))


def parser(description: str | None, voxel: float = VOXEL) -> argparse.ArgumentParser:
    """What every example takes from the command line."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument("--out", type=Path, default=Path(), help="folder for the figure")
    found.add_argument("--voxel", type=float, default=voxel / 1e-9, help="edge of a voxel in nm")
    return found


def arguments(description: str | None) -> tuple[Path, float]:
    """Folder to write into, and voxel [m], from the command line."""
    given = parser(description).parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    return given.out, given.voxel * 1e-9


def print_comparison(rows: list[tuple[str, str]]) -> None:
    """Set the paper's statements beside our numbers."""
    width = max(len(paper) for paper, _ in rows)
    print(f"{'paper':{width}}  here")
    for paper, ours in rows:
        print(f"{paper:{width}}  {ours}")
