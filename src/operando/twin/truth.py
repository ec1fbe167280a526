"""What was true in a simulated session; no analysis reads it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from operando.cell.amounts import amounts_from_cell
from operando.frames import grid_of
from operando.io.beside import written_beside
from operando.units import FARADAY

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

    from operando.cell.model import Cell
    from operando.electrochemistry.state import Evolution
    from operando.twin.neutron import NeutronCamera
    from operando.twin.priors import Nuisances
    from operando.twin.xray import Pose, XrayCamera


def figures_at(*, cell: Cell, evolution: Evolution, time: float) -> dict[str, Any]:
    """Lithium of the cell's parts and its lithiation against height at one time [s], in SI units."""
    inventory = evolution.inventory(time)
    profile = evolution.lithiation_profile(time)
    known = np.isfinite(profile.values)
    charge = evolution.charge_passed(time)
    return {
        "time": time,
        "charge_passed": charge,
        **{
            part: {"lithium": held.total, "lithium6": held.lithium6, "lithium6_fraction": held.lithium6_fraction}
            for part, held in (
                ("cathode", inventory.cathode),
                ("separator", inventory.separator),
                ("anode", inventory.anode),
            )
        },
        "lithiation": {
            "mean": 1 - charge / (FARADAY * amounts_from_cell(cell=cell).active),
            "z": profile["z"].values[known].tolist(),
            "profile": profile.values[known].tolist(),
        },
    }


def isotope_fractions(cell: Cell) -> dict[str, float]:
    """Li-6 fractions as assembled: of the active material, and of all the cathode's lithium if it were mixed."""
    amounts = amounts_from_cell(cell=cell)
    natural = cell.cathode.active.composition.lithium6_fraction
    lithium6 = amounts.active * natural + amounts.cathode_electrolyte * cell.electrolyte.composition.lithium6_fraction
    return {"active": natural, "mixture": lithium6 / (amounts.active + amounts.cathode_electrolyte)}


def instrument_truth(*, nuisances: Nuisances, neutron: NeutronCamera, xray: XrayCamera, pose: Pose) -> dict[str, Any]:
    """Every drawn nuisance, and the geometry that follows from them.

    ``xray_to_neutron`` takes points of the first X-ray volume to the neutron's first, 4 x 4 over (x, y, z, 1) [m]. Both
    volumes are as the files' geometry gives them: x = y = 0 on the rotation axis, z = 0 in the first row of pixels.
    """
    to_middle, from_middle = np.eye(4), np.eye(4)
    to_middle[2, 3] = -xray.written.voxel * (xray.detector.shape[0] - 1) / 2
    from_middle[2, 3] = neutron.beam.pixel * (neutron.detector.shape[0] - 1) / 2 - neutron.height
    affine = from_middle @ pose.affine_to_neutron(xray.scale) @ to_middle
    return {
        "nuisances": asdict(nuisances),
        "neutron": {
            "centre": neutron.centre,
            "tilt": neutron.tilt,
            "world_z_of_first_row": -float(from_middle[2, 3]),
            "beam": asdict(neutron.beam),
        },
        "xray": {
            "centre": xray.centre,
            "true_beam": asdict(xray.beam),
            "written_beam": asdict(xray.written),
            "scale": xray.scale,
        },
        "xray_to_neutron": affine.tolist(),
    }


def write_truth(path: Path, truth: dict[str, Any]) -> None:
    """Write the truth as JSON."""
    with written_beside(path) as beside:
        beside.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


def write_state(path: Path, state: xr.Dataset) -> None:
    """Write a state's volumes and their grid, compressed arrays of NumPy (npz)."""
    grid = grid_of(state)
    volumes: dict[str, Any] = {str(name): volume.values for name, volume in state.data_vars.items()}
    with written_beside(path) as beside, beside.open("wb") as file:
        np.savez_compressed(file, spacing=np.array(grid.spacing), origin=np.array(grid.origin), **volumes)


def described_cell(cell: Cell) -> dict[str, Any]:
    """The cell as drawn, plain values in SI units."""
    return cell.model_dump(mode="json")
