import numpy as np
import pytest
from scipy.constants import mu_0

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.cell.scene import Scene
from operando.errors import InputError
from operando.twin.current_signals import current_signal, shorted_structure
from operando.twin.magnetic_options import Signal
from operando.twin.magnetic_signals import AXES

STAND_OFFS = (50e-9, 1e-6)
NORMAL, _, _, ALONG_X, ALONG_Y = AXES


@pytest.fixture(scope="module")
def scene() -> Scene:
    return load_scene("llzo-section").at_voxel(200e-9)


@pytest.fixture(scope="module")
def current(scene: Scene) -> Signal:
    return current_signal(scene, signal="current", stand_offs=STAND_OFFS, lithium=0.8)


def test_the_field_of_the_current_is_that_of_a_slab_with_structure_on_it(scene: Scene, current: Signal) -> None:
    assert current.drive == "current"
    # By of a slab that carries one ampere per square metre is at most mu0 J T / 2, and less over one of finite width;
    # the sign is that of a current to +x
    mean = current.maps[ALONG_Y][0].mean()
    assert -1.0 < mean / (mu_0 * scene.section.depth / 2) < -0.3
    # 1 to 5 nT at 23.5 mA/cm^2 (Pollok et al. 2025)
    departure = 235 * np.abs(current.maps[ALONG_Y][0] - mean)
    assert 1e-9 < np.percentile(departure, 99) < 5e-9
    # a sensor along the current hardly sees it
    assert np.abs(current.maps[ALONG_X]).max() < np.abs(current.maps[ALONG_Y]).max()


def test_it_fades_with_the_stand_off(current: Signal) -> None:
    near, far = current.maps[NORMAL][:, 0]
    assert np.ptp(far) < np.ptp(near)


def test_a_cell_is_charged_by_its_capacity(current: Signal) -> None:
    # an hour at 0.94 mA/cm^2 empties 12 um at 56 %, says the scene
    assert current.charge == pytest.approx(9.4 * 3600, rel=0.03)


def test_a_short_joins_the_dendrite_to_a_particle_and_takes_the_current(scene: Scene, current: Signal) -> None:
    structure = microstructure_from_scene(scene)
    shorted = shorted_structure(scene, structure)
    added = shorted.mask("lithium") & ~structure.mask("lithium")
    assert added.any()
    assert (structure.phase[added] == 1).all()
    assert (shorted.mask("active") == structure.mask("active")).all()
    signal = current_signal(scene, signal="short", stand_offs=STAND_OFFS, lithium=0.8)
    # at the same current the filament takes most of it: the field changes by as much as there was
    ratio = np.ptp(signal.maps[ALONG_Y][0]) / np.ptp(current.maps[ALONG_Y][0])
    assert 0.5 < ratio < 5
    assert any("at the same voltage" in note for note in signal.notes)


def test_without_a_dendrite_there_is_no_short(scene: Scene) -> None:
    bare = scene.model_copy(update={"separator": scene.separator.model_copy(update={"dendrite": None})})
    with pytest.raises(InputError, match="dendrite"):
        current_signal(bare, signal="short", stand_offs=STAND_OFFS, lithium=0.8)
