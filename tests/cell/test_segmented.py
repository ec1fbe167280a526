from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from operando.cell.microstructure.segmented import microstructure_from_labels
from operando.cell.microstructure.structure import section_grid
from operando.errors import InputError

PHASES = {0: "void", 10: "electrolyte", 200: "active", 250: "lithium"}


def volume(values, step=1e-7):
    values = np.asarray(values)
    return section_grid(shape=values.shape, spacing=(step, step, step)).array(values, name="labels", units="")


def test_labels_become_phases_and_touching_voxels_one_particle():
    labels = volume([[[250, 10, 200, 200, 10, 200, 0], [250, 10, 200, 10, 10, 200, 0]]])
    structure = microstructure_from_labels(labels, phases=PHASES)
    assert structure.phase.tolist() == [[[3, 1, 2, 2, 1, 2, 0], [3, 1, 2, 1, 1, 2, 0]]]
    assert structure.particles == 2
    assert structure.grains == 1
    assert structure.grid == section_grid(shape=(1, 2, 7), spacing=(1e-7, 1e-7, 1e-7))


def test_given_particles_and_grains_are_kept_apart():
    labels = volume([[[10, 10, 200, 200]] * 2])
    particles, grains = volume([[[0, 0, 7, 9]] * 2]), volume([[[3, 0, 5, 5]] * 2])
    structure = microstructure_from_labels(labels, phases=PHASES, particles=particles, grains=grains)
    assert structure.particle[0, 0].tolist() == [0, 0, 1, 2]
    assert structure.grain[0, 0].tolist() == [2, 1, 0, 0]


@pytest.mark.parametrize(
    ("labels", "phases", "says"),
    [
        ([[[10, 11]] * 2], PHASES, r"a phase for every label.*none for \[11\]"),
        ([[[10, 10]] * 2], {10: "elektrolyte"}, "phase of label 10 must be one of void"),
        ([[[10.0, 10.5]] * 2], PHASES, "must be whole numbers"),
    ],
)
def test_what_the_table_does_not_explain_is_refused(labels, phases, says):
    with pytest.raises(InputError, match=says):
        microstructure_from_labels(volume(labels), phases=phases)


def test_volumes_of_different_shape_are_refused():
    labels = volume([[[10, 200]] * 2])
    with pytest.raises(InputError, match="particles must be of the labels' shape"):
        microstructure_from_labels(labels, phases=PHASES, particles=volume([[[1, 1, 1]] * 2]))


def test_whole_floats_are_labels():
    labels = volume(np.array([[[10.0, 200.0]] * 2], dtype=np.float32))
    assert isinstance(labels, xr.DataArray)
    assert microstructure_from_labels(labels, phases=PHASES).particles == 1
