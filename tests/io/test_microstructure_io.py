from __future__ import annotations

import numpy as np
import pytest
import tifffile

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.errors import FileError, InputError
from operando.io.microstructure import read_microstructure
from operando.io.ome_zarr import write_ome_zarr
from operando.io.volume import write_tiff_volume

PHASES = {0: "void", 1: "electrolyte", 2: "active", 3: "lithium"}


@pytest.fixture(scope="module")
def structure():
    scene = load_scene("llzo-section")
    coarse = scene.section.model_copy(update={"voxel": 250e-9})
    return microstructure_from_scene(scene.model_copy(update={"section": coarse}))


def deep(structure, name):
    """The section repeated to three slices of cubic voxels, so that its coordinates tell every size."""
    from operando.cell.microstructure.structure import section_grid

    values = np.repeat(getattr(structure, name), 3, axis=0)
    step = structure.grid.spacing[2]
    return section_grid(shape=values.shape, spacing=(step, step, step)).array(values, name=name, units="")


@pytest.mark.parametrize("kind", ["tif", "zarr"])
def test_a_structure_comes_back_from_files(tmp_path, structure, kind):
    paths = {}
    for name in ("phase", "particle", "grain"):
        paths[name] = tmp_path / f"{name}.{kind}"
        volume = deep(structure, name).astype(np.uint16)
        write_ome_zarr(paths[name], volume) if kind == "zarr" else write_tiff_volume(paths[name], volume)
    back = read_microstructure(paths["phase"], phases=PHASES, particles=paths["particle"], grains=paths["grain"])
    assert (back.phase[1] == structure.phase[0]).all()
    assert (back.particle[2] == structure.particle[0]).all()
    assert (back.grain[0] == structure.grain[0]).all()
    assert back.grid.spacing == pytest.approx((250e-9,) * 3)
    assert back.grid.coordinate("z")[-1] == pytest.approx(-125e-9)


def test_axes_of_the_file_are_turned(tmp_path):
    path = tmp_path / "stack.tif"
    values = np.random.default_rng(0).integers(0, 4, (3, 4, 5)).astype(np.uint8)  # slices from the surface down, x, y
    tifffile.imwrite(path, values, photometric="minisblack")
    structure = read_microstructure(path, phases=PHASES, axes=("-z", "x", "y"), voxel=(3e-7, 2e-7, 1e-7))
    assert structure.grid.shape == (3, 5, 4)
    assert structure.grid.spacing == pytest.approx((3e-7, 1e-7, 2e-7))
    assert structure.phase[-1, 2, 1] == values[0, 1, 2]  # the top slice


def test_refusals_name_the_file(tmp_path):
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.full((3, 4, 5), 9, dtype=np.uint8), photometric="minisblack")
    with pytest.raises(FileError, match=r"stack\.tif.*none for \[9\]"):
        read_microstructure(path, phases=PHASES, voxel=(1e-7, 1e-7, 1e-7))
    with pytest.raises(FileError, match="no voxel size"):
        read_microstructure(path, phases=PHASES)
    with pytest.raises(InputError, match="z, y and x"):
        read_microstructure(path, phases=PHASES, axes=("z", "z", "x"), voxel=(1e-7, 1e-7, 1e-7))
