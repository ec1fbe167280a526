"""What a resolved cell refuses, prunes and finds on its faces."""

import dataclasses

import numpy as np
import pytest
import xarray as xr

from operando.electrochemistry.protocol import rest
from operando.electrochemistry.resolved.builtin import (
    cell_from_microstructure,
    electrolyte_from_scene,
    garnet,
    lithium_cobalt_oxide,
    lithium_metal,
)
from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.faces import faces_of
from operando.electrochemistry.resolved.fluxes import Factors
from operando.electrochemistry.resolved.materials import ActiveMaterial, Electrolyte, Insulator, Metal
from operando.electrochemistry.resolved.run import run_protocol
from operando.errors import InputError
from operando.frames import Grid

NAMES = ("void", "host", "electrolyte", "lithium", "collector")


def cell_of(labels, **options):
    labels = np.asarray(labels, dtype=np.uint8)
    materials = {
        "void": Insulator(),
        "host": lithium_cobalt_oxide(),
        "electrolyte": garnet(),
        "lithium": lithium_metal(),
        "collector": Metal(conductivity=4e7),
    }
    return ResolvedCell(
        phases=xr.DataArray(labels, dims=("z", "y", "x"), attrs={"phases": NAMES}),
        materials=options.pop("materials", materials),
        grid=Grid(shape=labels.shape, spacing=(1e-7, 1e-7, 1e-7), origin=(0.0, 0.0, 0.0)),
        **options,
    )


ROW = [4, 1, 1, 2, 2, 3]


def test_what_no_plate_reaches_is_pruned_and_counted():
    labels = np.full((1, 9, 6), ROW, dtype=np.uint8)
    labels[0, 4] = [4, 1, 0, 2, 1, 3]  # a host voxel beyond the electrolyte has no electrons from the plate
    labels[0, 6] = [0, 2, 0, 2, 2, 3]  # a host's corner: electrolyte within host, without a way to the lithium
    labels[0, 5:8, 1] = [1, 2, 1]
    cell = cell_of(labels)
    assert cell.pruned == {"host": 1, "electrolyte": 1}


def test_faces_and_their_areas_of_a_plane():
    faces = faces_of(cell_of(np.full((1, 9, 6), ROW)))
    assert faces.reacting.area.sum() == pytest.approx(9e-14)
    assert faces.reacting.weight == pytest.approx(1)
    assert (faces.reacting.sign == 1).all()
    assert len(faces.plating.area) == 9
    assert len(faces.contacts.area) == 9


def test_sides_may_be_exchanged():
    forth = faces_of(cell_of(np.full((1, 9, 6), ROW)))
    back = faces_of(cell_of(np.full((1, 9, 6), ROW[::-1]), negative_side="-x"))
    assert len(back.plating.area) == len(forth.plating.area)
    assert (back.reacting.sign == -1).all()


@pytest.mark.parametrize("angle", [0.0, 0.3, 0.6, np.pi / 4])
def test_a_tilted_plane_has_its_true_area(angle):
    n = 80
    y, x = np.mgrid[:n, :n] - n / 2 + 0.5
    host = x * np.cos(angle) + y * np.sin(angle) < 0
    labels = np.where(host, 1, 2)[None]
    cell = cell_of(labels, plate=lithium_metal())
    faces = faces_of(cell).reacting
    across = n / max(np.cos(angle), np.sin(angle)) * 1e-14
    assert (faces.weight * faces.area).sum() == pytest.approx(across, rel=0.01)


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0])
def test_a_tilted_grain_boundary_conducts_with_its_true_area(slope):
    n = 80
    y, x = np.mgrid[:n, : n + 10] - n / 2 + 0.25
    x -= 5
    labels = np.full((1, n, n + 10), 2)
    labels[..., 0], labels[..., -1] = 1, 3
    grains = np.where(x < slope * y, 1, 2)[None]
    grains[:, -5:, 3:6] = 0  # what is no grain has no boundary
    bulk = faces_of(cell_of(labels, grains=grains)).bulk
    conducting = sum((b.area / b.resistance[b.resistance > 0]).sum() for b in bulk if np.ndim(b.resistance))
    true = n * np.hypot(1, slope) * 1e-14 / garnet().grain_boundary_resistance
    assert conducting == pytest.approx(true, rel=0.01)


def test_bad_cells_are_refused():
    with pytest.raises(InputError, match="none for collector"):
        cell_of(
            [[ROW]], materials={"host": lithium_cobalt_oxide(), "electrolyte": garnet(), "lithium": lithium_metal()}
        )
    with pytest.raises(InputError, match="labels"):
        cell_of([[[7, 1, 2]]])
    with pytest.raises(InputError, match="path for ions"):
        faces_of(cell_of([[[4, 1, 0, 2, 2, 3]]]))
    with pytest.raises(InputError, match="path for ions"):
        faces_of(cell_of([[[4, 1, 2, 2, 0, 3]]]))
    with pytest.raises(InputError, match="apart"):
        faces_of(cell_of([[[4, 4, 4, 4, 4, 3]]]))
    with pytest.raises(InputError, match="negative_side"):
        cell_of([[ROW]], negative_side="x")


def test_bad_materials_are_refused():
    with pytest.raises(InputError, match="conductivity"):
        Electrolyte(conductivity=-1.0)
    with pytest.raises(InputError, match="grain boundary"):
        Electrolyte(conductivity=1.0, grain_boundary_resistance=-1.0)
    with pytest.raises(InputError, match="exchange current"):
        Metal(conductivity=1.0, exchange_current=-2.0)
    with pytest.raises(InputError, match="diffusivity"):
        ActiveMaterial(5e4, lambda x: 4 - x, lambda x: x - 0.5, lambda x: 1 + x, lambda x: 1 + x)


def test_bad_starts_are_refused():
    cell = cell_of(np.full((1, 1, 6), ROW))
    with pytest.raises(InputError, match="lithiation"):
        run_protocol(cell, protocol=[], lithiation=1.2)
    with pytest.raises(InputError, match="protocol"):
        run_protocol(cell, protocol=[], lithiation=0.7)


def test_active_material_that_joins_the_plates_is_refused():
    labels = np.full((1, 4, 6), ROW)
    labels[0, 1] = [4, 1, 1, 1, 1, 3]  # a host that touches the lithium
    with pytest.raises(InputError, match="shorted"):
        faces_of(cell_of(labels))
    labels[0, 1] = [4, 1, 1, 0, 1, 3]  # parted from the plate: no short
    assert cell_of(labels).pruned == {"host": 1}


def test_necks_of_what_takes_part_are_counted():
    labels = np.full((1, 9, 8), 2)
    labels[..., :2], labels[..., -1] = 1, 3
    labels[0, :, 4], labels[0, 4, 4] = 0, 2  # one voxel wide
    assert cell_of(labels).necks["electrolyte"] > 0
    labels[0, 3:6, 4] = 2
    assert cell_of(labels).necks == {}


@pytest.mark.parametrize("dims", [("x", "y", "z"), ("a", "b", "c")])
def test_volumes_with_other_dimensions_are_refused(dims):
    cell = cell_of(np.full((6, 6, 6), ROW))
    with pytest.raises(InputError, match="dimensions"):
        dataclasses.replace(cell, phases=xr.DataArray(cell.phases.values, dims=dims, attrs=cell.phases.attrs))


def test_what_is_no_labelled_volume_is_refused():
    cell = cell_of(np.full((1, 6, 6), ROW))
    with pytest.raises(InputError, match="DataArray"):
        dataclasses.replace(cell, phases=cell.phases.values)
    with pytest.raises(InputError, match="integers"):
        dataclasses.replace(cell, phases=cell.phases.astype(float))


@pytest.mark.parametrize(
    ("law", "said"),
    [(1e-13, "function"), (lambda x: x * np.nan, "finite"), (lambda x: np.interp(x, [0, 1], [4.5, 3.5]), "jax.numpy")],
)
def test_laws_that_cannot_be_solved_with_are_refused(law, said):
    with pytest.raises(InputError, match=said):
        dataclasses.replace(lithium_cobalt_oxide(), open_circuit_potential=law)


@pytest.mark.parametrize("factor", [-1.0, 0.0, np.nan, np.inf, np.ones((2, 3))])
def test_factors_that_no_material_has_are_refused(factor):
    cell = cell_of(np.full((1, 1, 6), ROW))
    with pytest.raises(InputError, match="ionic_conductivity"):
        run_protocol(cell, protocol=[rest(1.0)], lithiation=0.7, factors=Factors(ionic_conductivity=factor))


@pytest.mark.parametrize("wrong", [{"lithiation": np.full((2, 3), 0.7)}, {"lithiation": "full"}, {"tolerance": -1.0}])
def test_starts_that_cannot_be_are_refused(wrong):
    cell = cell_of(np.full((1, 1, 6), ROW))
    with pytest.raises(InputError, match=next(iter(wrong))):
        run_protocol(cell, **{"protocol": [rest(1.0)], "lithiation": 0.7, **wrong})
    with pytest.raises(InputError, match="protocol"):
        run_protocol(cell, protocol=rest(1.0), lithiation=0.7)


def test_a_scene_may_say_its_own_electrolyte():
    from operando.cell.builtin import load_scene
    from operando.cell.microstructure.build import microstructure_from_scene

    scene = load_scene("llzo-section").at_voxel(3e-7)
    said = electrolyte_from_scene(scene)
    assert said.conductivity == scene.electrolyte.conductivity
    assert said.grain_boundary_resistance == scene.electrolyte.grain_boundary_resistance
    other = Electrolyte(conductivity=0.123, grain_boundary_resistance=7e-4)
    faces = faces_of(cell_from_microstructure(microstructure_from_scene(scene), electrolyte=other))
    assert np.unique(faces.ionic_conductivity[faces.electrolyte]) == pytest.approx([0.123])
    assert min(b.resistance[b.resistance > 0].min() for b in faces.bulk[1:]) >= 7e-4
