from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operando.cell.builtin import BUILTIN, BUILTIN_SCENES, load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.cell.microstructure.connectivity import connectivity_of
from operando.cell.scene import Scene
from operando.described import described
from operando.errors import InputError


def changed(scene, **changes):
    """Describe a scene anew with other values, given by the path of their keys."""
    values = scene.model_dump()
    for path, value in changes.items():
        *parts, key = path.split("__")
        inner = values
        for part in parts:
            inner = inner[part]
        inner[key] = value
    texts = _as_text(values, Scene)
    return described(texts, Scene, source="test")


UNITS = {
    "conductivity": "S/m",
    "grain_boundary_resistance": "ohm*m^2",
    "fraction": "",
    "spread": "",
} | dict.fromkeys(("width", "depth", "voxel", "thickness", "diameter", "position", "length", "fan", "grain_size"), "m")


def _as_text(value, model):
    if isinstance(value, dict):
        return {
            k: f"{v:.12g} {UNITS[k]}".strip() if k in UNITS and isinstance(v, float) else _as_text(v, model)
            for k, v in value.items()
            if v is not None
        }
    return value


@pytest.fixture(scope="module")
def small():
    """The three-dimensional scene at coarse voxels."""
    return changed(load_scene("llzo-section-3d"), section__voxel=300e-9, separator__dendrite__width=900e-9)


def test_scenes_come_with_the_package_and_are_no_cells():
    assert {"llzo-section", "llzo-section-3d"} <= set(BUILTIN_SCENES)
    assert not set(BUILTIN) & set(BUILTIN_SCENES)
    with pytest.raises(InputError, match="llzo-section"):
        load_scene("no-such-scene")


@pytest.mark.parametrize("name", BUILTIN_SCENES)
def test_builtin_scenes_can_work_as_cells(name):
    scene = load_scene(name)
    structure = microstructure_from_scene(scene)
    report = connectivity_of(structure)
    assert report.electrolyte_connected > 0.97
    assert report.active_connected > 0.96
    assert report.active_wetted > 0.9
    assert report.lithium_connected > 0.99
    assert not report.shorted
    wanted = scene.positive.particles.fraction * scene.positive.thickness / sum(scene.layers)
    assert report.fractions["active"] == pytest.approx(wanted, abs=2 / structure.phase.size)
    if scene.section.dimensions == 3:
        assert report.buried > 0
        assert report.cut > 0


def test_layers_follow_each_other_along_x_below_the_surface(small):
    structure = microstructure_from_scene(small)
    x, z = structure.grid.coordinate("x"), structure.grid.coordinate("z")
    first, second, _ = np.cumsum(small.layers)
    voxel = small.section.voxel
    assert structure.mask("lithium")[:, :, x < first - voxel].all()
    assert structure.mask("active")[:, :, x < second - voxel].sum() == 0
    assert z.max() == pytest.approx(-voxel / 2)
    dendrite = structure.mask("lithium") & (x > first + voxel)
    reach = x[dendrite.any(axis=(0, 1))].max() - first
    assert reach == pytest.approx(small.separator.dendrite.length, abs=small.electrolyte.grain_size)
    assert not dendrite[-1].all()


def test_dendrite_runs_between_grains(small):
    plain = microstructure_from_scene(small.model_copy(update={"separator": without_dendrite(small)}))
    metal = microstructure_from_scene(small).mask("lithium") & ~plain.mask("lithium")
    edge = np.zeros_like(metal)
    for axis in range(3):
        step = np.diff(plain.grain, axis=axis) != 0
        both = [np.pad(step, [(1 - s, s) if a == axis else (0, 0) for a in range(3)]) for s in (0, 1)]
        edge |= both[0] | both[1]
    assert metal.sum() > 100
    # a tube of 3 voxels along a triple line: most of its voxels touch a boundary, of all voxels fewer do
    assert edge[metal].mean() > 1.3 * edge[plain.mask("electrolyte")].mean()


def test_features_draw_apart(small):
    with_dendrite = microstructure_from_scene(small)
    plain = microstructure_from_scene(small.model_copy(update={"separator": without_dendrite(small)}))
    assert (plain.particle == with_dendrite.particle).all()
    assert (microstructure_from_scene(small).grain == with_dendrite.grain).all()
    other = microstructure_from_scene(small.model_copy(update={"seed": small.seed + 1}))
    assert (other.particle != plain.particle).any()


def test_finer_voxels_show_the_same_particles():
    scene = load_scene("llzo-section")
    coarse, fine = (microstructure_from_scene(scene.at_voxel(v)) for v in (200e-9, 100e-9))
    assert coarse.particles == fine.particles
    every_other = fine.particle[:, ::2, ::2]
    assert (every_other == coarse.particle).mean() > 0.95


def test_voids_take_their_share(small):
    voids = {"fraction": "5 %", "diameter": "1 um", "spread": "20 %"}
    structure = microstructure_from_scene(changed(small, separator__voids=voids, positive__voids=voids))
    x = structure.grid.coordinate("x")
    first, second, _ = np.cumsum(small.layers)
    separator = np.broadcast_to((x > first) & (x < second), structure.grid.shape)
    void = structure.mask("void")
    assert void[separator].mean() == pytest.approx(0.05, abs=0.003)  # the dendrite grows through some
    assert not void[:, :, x < first].any()
    assert void[:, :, x > second].any()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"section__voxel": 5e-6}, "voxel"),
        ({"section__voxel": 5e-9}, "voxels suffice"),
        ({"separator__dendrite__length": 20e-6}, "shorter than the separator"),
        ({"separator__dendrite__position": 30e-6}, "within the section"),
        ({"positive__particles__fraction": 1.2}, "fraction"),
        ({"positive__particles__shape": {"kind": "cube"}}, "kind"),
    ],
)
def test_what_cannot_be_is_refused(changes, says):
    with pytest.raises(InputError, match=says):
        changed(load_scene("llzo-section-3d"), **changes)


def test_features_below_two_voxels_are_refused():
    with pytest.raises(InputError, match="at least two voxels"):
        microstructure_from_scene(load_scene("llzo-section").at_voxel(400e-9))


SHAPES = st.one_of(
    st.just({"kind": "sphere"}),
    st.builds(
        lambda aspect, exponent: {"kind": "superellipsoid", "aspect": aspect, "exponent": exponent},
        st.floats(0.5, 2.0),
        st.floats(1.5, 10.0),
    ),
    st.builds(lambda faces: {"kind": "polyhedron", "faces": faces}, st.integers(6, 20)),
)


@settings(max_examples=10)
@given(
    seed=st.integers(0, 10_000),
    fraction=st.floats(0.2, 0.8),
    diameter=st.floats(1.5e-6, 4e-6),
    spread=st.floats(0.0, 0.4),
    shape=SHAPES,
    length=st.floats(3e-6, 14e-6),
    tips=st.integers(1, 6),
)
def test_any_scene_keeps_its_promises(seed, fraction, diameter, spread, shape, length, tips):
    scene = changed(
        load_scene("llzo-section"),
        seed=seed,
        section__voxel=250e-9,
        positive__particles__fraction=fraction,
        positive__particles__diameter=diameter,
        positive__particles__spread=spread,
        positive__particles__shape=shape,
        separator__dendrite__length=length,
        separator__dendrite__tips=tips,
    )
    structure = microstructure_from_scene(scene)
    report = connectivity_of(structure)
    wanted = fraction * scene.positive.thickness / sum(scene.layers)
    assert report.fractions["active"] == pytest.approx(wanted, abs=1.5 / structure.phase.size)
    assert report.lithium_connected == 1.0
    assert not report.shorted
    assert report.cut == report.particles


def without_dendrite(scene):
    return scene.separator.model_copy(update={"dendrite": None})
