import numpy as np
import pytest
import xarray as xr

from operando.errors import InputError
from operando.frames import Grid
from operando.magnetism.demagnetisation import magnetisation_from_susceptibility
from operando.magnetism.fields import stray_field
from operando.magnetism.particle_likelihood import susceptibility_without_prior
from operando.magnetism.particle_verdict import ParticleVerdict, reason_for
from operando.magnetism.particles import Exposure, particle_susceptibility
from operando.units import Measured

VOXEL = 100e-9
GRID = Grid(shape=(20, 40, 40), spacing=(VOXEL,) * 3, origin=(-1.95e-6, VOXEL / 2, VOXEL / 2))
FIELD, STANDOFF = 0.1, 0.3e-6
NOISE = 0.1e-6
LOOSE = Measured(2e-4, 1.0)


def _exposure(**errors):
    known = {"applied_field": (Measured(0.0), Measured(0.0), Measured(FIELD)), "standoff": Measured(STANDOFF)}
    return Exposure(**(known | errors))


def _labels():
    """Two particles at the surface, one below them, and a pair side by side far below."""
    labels = np.zeros(GRID.shape, dtype=np.int32)
    labels[14:, 4:14, 4:14], labels[16:, 20:30, 22:36] = 7, 3
    labels[6:12, 16:26, 6:16] = 4
    labels[5:9, 28:32, 24:28], labels[5:9, 28:32, 28:32] = 12, 13
    return GRID.array(labels, name="labels", units="")


CHI = {3: 1.2e-4, 4: 3.1e-4, 7: 2.4e-4, 12: 0.9e-4, 13: 3.3e-4}


def _map(*, standoff=STANDOFF, applied=(0.0, 0.0, FIELD), noise=0.0, seed=0, filler=0.0, background=(0.0, 0.0)):
    """Vector field on every other column of voxels, with its covariance."""
    chi = np.zeros(14)
    for label, value in CHI.items():
        chi[label] = value - filler
    source = GRID.array(chi[_labels().values], name="chi", units="")
    field = stray_field(magnetisation_from_susceptibility(source, applied_field=applied), heights=standoff)
    seen = field.isel(y=slice(0, None, 2), x=slice(1, None, 2))
    rng = np.random.default_rng(seed)
    seen = seen + noise * rng.standard_normal(seen.shape) + background[0] + background[1] * seen.x / 4e-6
    seen = seen.assign_attrs(units="T")
    cov = max(noise, 1e-10) ** 2 * np.eye(3)[:, :, None, None] * np.ones(seen.shape[1:])
    covariance = xr.DataArray(cov, dims=("component", "component_2", "y", "x"), attrs={"units": "T^2"})
    return seen, covariance


def _seen_along_z(**made):
    field, covariance = _map(**made)
    return {"field": field.sel(component="z", drop=True), "covariance": covariance[2, 2], "axis": (0, 0, 1)}


def _found(*, exposure=None, **options):
    return particle_susceptibility(**({"labels": _labels(), "exposure": exposure or _exposure()} | options))


@pytest.mark.parametrize("seen", ["vector", "along an axis"])
def test_a_map_without_noise_gives_every_particle_whatever_the_background(seen):
    made = {"background": (3e-6, 2e-6), "applied": (0.02, -0.03, FIELD)}
    if seen == "vector":
        field, covariance = _map(**made)
        options = {"field": field, "covariance": covariance}
    else:
        options = _seen_along_z(**made)
    exposure = _exposure(applied_field=(Measured(0.02), Measured(-0.03), Measured(FIELD)))
    found = _found(exposure=exposure, expected=LOOSE, **options)
    assert list(found.particle) == sorted(CHI)
    truth = [CHI[int(p)] for p in found.particle]
    # the deep pair is told by 0.1 nT of stated noise and limited by the spline between columns
    np.testing.assert_allclose(found.susceptibility[:3], truth[:3], rtol=1e-3)
    np.testing.assert_allclose(found.susceptibility, truth, rtol=0.05)


def test_only_the_contrast_to_the_surroundings_makes_a_field():
    found = _found(expected=LOOSE, surroundings=Measured(-1.76e-5, 1e-6), **_seen_along_z(filler=-1.76e-5))
    assert float(found.susceptibility.sel(particle=7)) == pytest.approx(CHI[7], rel=1e-3)
    assert float(found.susceptibility_systematic.sel(term="surroundings", particle=7)) == 1e-6


def test_errors_by_noise_are_the_scatter_of_repeated_maps():
    found = [_found(expected=LOOSE, **_seen_along_z(noise=NOISE, seed=s)) for s in range(24)]
    scatter = np.std([f.susceptibility for f in found], axis=0, ddof=1)
    stated = np.sqrt(found[0].susceptibility_var.values)
    # the standard deviation of 24 maps is itself known to 15 %
    np.testing.assert_allclose(scatter / stated, 1.0, atol=0.45)
    assert np.mean([f.chi_squared / f.freedom for f in found]) == pytest.approx(1.0, abs=0.05)


def test_verdicts_tell_surface_depth_and_a_merged_pair():
    found = _found(**_seen_along_z(noise=0.4 * NOISE))
    verdict = {int(p): ParticleVerdict(int(v)) for p, v in zip(found.particle, found.verdict, strict=True)}
    assert verdict[7] == verdict[3] == verdict[4] == ParticleVerdict.DETERMINED
    assert verdict[12] == verdict[13] == ParticleVerdict.MERGED
    assert int(found.partner.sel(particle=12)) == 13
    assert float(found.correlation.sel(particle=12)) < -0.5
    assert "Merged with particle 13" in reason_for(found, 12)
    assert "bits" in reason_for(found, 7)
    noisy = _found(**_seen_along_z(noise=3 * NOISE))
    assert ParticleVerdict(int(noisy.verdict.sel(particle=12))) is ParticleVerdict.TOO_DEEP
    assert "1.1 um below the surface" in reason_for(noisy, 12)
    faint = _found(**_seen_along_z(noise=3000 * NOISE))
    assert ParticleVerdict(int(faint.verdict.sel(particle=7))) is ParticleVerdict.TOO_FAINT
    assert "Too faint" in reason_for(faint, 7)
    # what the map does not tell is left at what was expected
    assert abs(float(noisy.susceptibility.sel(particle=12)) - 2.2e-4) < 0.3e-4
    # the mean of the merged pair is told though its members are not
    pair = found.susceptibility_cov.sel(particle=[12, 13], particle_2=[12, 13]).values
    assert np.sqrt(pair.sum()) / 2 < 0.5 * 0.9e-4 < np.sqrt(pair[0, 0])


def test_the_map_itself_tells_the_standoff():
    exposure = _exposure(standoff=Measured(STANDOFF, 30e-9))
    found = _found(exposure=exposure, expected=LOOSE, **_seen_along_z(standoff=STANDOFF + 24e-9, noise=0.3 * NOISE))
    moved = found.nuisance.sel(nuisance_name="stand-off")
    assert float(moved) == pytest.approx(0.8, abs=0.1)
    truth = np.array([CHI[7], CHI[3]])
    np.testing.assert_allclose(found.susceptibility.sel(particle=[7, 3]), truth, rtol=0.03)
    ignorant = _found(expected=LOOSE, **_seen_along_z(standoff=STANDOFF + 24e-9, noise=0.3 * NOISE))
    assert (np.abs(ignorant.susceptibility.sel(particle=[7, 3]) - truth) > 0.04 * truth).all()
    assert float(ignorant.chi_squared) > 1.1 * ignorant.freedom


def test_the_strength_of_the_applied_field_is_a_common_error_of_all():
    exposure = _exposure(applied_field=(Measured(0.0), Measured(0.0), Measured(FIELD, 0.02 * FIELD)))
    found = _found(exposure=exposure, expected=LOOSE, **_seen_along_z(noise=NOISE))
    shift = found.susceptibility_systematic.sel(term="applied field z", particle=[3, 4, 7])
    np.testing.assert_allclose(shift, -0.02 * found.susceptibility.sel(particle=[3, 4, 7]), rtol=0.02)


def _balls(grid, extra):
    """Two balls that the surface cuts, larger by `extra` [m]."""
    z, y, x = np.meshgrid(*(grid.coordinate(axis) for axis in "zyx"), indexing="ij")
    labels = np.zeros(grid.shape, dtype=np.int32)
    for label, (cy, cx, radius) in {3: (1.1e-6, 1.2e-6, 0.8e-6), 7: (2.8e-6, 2.7e-6, 0.95e-6)}.items():
        labels[z**2 + (y - cy) ** 2 + (x - cx) ** 2 < (radius + extra) ** 2] = label
    return labels


def test_labels_too_small_by_a_threshold_are_found_out():
    fine = Grid(shape=(60, 120, 120), spacing=(VOXEL / 3,) * 3, origin=(-2e-6 + VOXEL / 6, VOXEL / 6, VOXEL / 6))
    chi = np.array([0, 0, 0, CHI[3], 0, 0, 0, CHI[7]])
    source = fine.array(chi[_balls(fine, 33e-9)], name="chi", units="")
    field = stray_field(magnetisation_from_susceptibility(source, applied_field=(0, 0, FIELD)), heights=STANDOFF)
    seen = field.sel(component="z", drop=True).isel(y=slice(1, None, 6), x=slice(1, None, 6))
    seen = (seen + 0.3 * NOISE * np.random.default_rng(0).standard_normal(seen.shape)).assign_attrs(units="T")
    options = {
        "field": seen,
        "covariance": xr.full_like(seen, (0.3 * NOISE) ** 2).assign_attrs(units="T^2"),
        "axis": (0, 0, 1),
        "expected": LOOSE,
        "labels": GRID.array(_balls(GRID, 0.0), name="labels", units=""),
    }
    # voxels err by 0.3 of their size from place to place
    told = _found(exposure=_exposure(threshold=40e-9, outline=0.3 * VOXEL, outline_length=2 * VOXEL), **options)
    # 33 of 40 nm, to a twelfth of a voxel
    assert float(told.nuisance[0]) == pytest.approx(33 / 40, abs=0.2)
    assert float(told.nuisance_sd[0]) < 0.1
    truth = np.array([CHI[3], CHI[7]])
    np.testing.assert_allclose(told.susceptibility, truth, rtol=0.02)
    blind = _found(**options)
    assert (blind.susceptibility > 1.03 * truth).all()
    assert blind.chi_squared > 5 * blind.freedom


def test_a_known_label_keeps_its_susceptibility():
    known = {3: Measured(CHI[3], 1e-7)}
    found = _found(known=known, **_seen_along_z(noise=NOISE))
    assert float(found.susceptibility.sel(particle=3)) == pytest.approx(CHI[3], abs=3e-7)


def test_pixels_that_are_missing_are_left_out():
    seen = _seen_along_z(noise=NOISE)
    field = seen["field"].copy()
    field[3:6, 4:9] = np.nan
    whole, holed = _found(**seen), _found(**(seen | {"field": field}))
    change = np.abs(holed.susceptibility - whole.susceptibility) / np.sqrt(np.diag(holed.susceptibility_cov))
    assert (change < 1.5).all()
    assert holed.freedom == whole.freedom - 15


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"axis": (0, 0, 2)}, "field"),
        ({"axis": None}, "field"),
        ({"expected": Measured(2e-4)}, "expected susceptibility"),
        ({"covariance": xr.DataArray(np.zeros((20, 20)), dims=("y", "x"), attrs={"units": "T^2"})}, "covariance"),
        ({"covariance": xr.DataArray(np.ones((3, 20)), dims=("y", "x"), attrs={"units": "T^2"})}, "covariance"),
        ({"covariance": xr.DataArray(np.ones(20), dims="y", attrs={"units": "T^2"})}, "covariance"),
    ],
)
def test_what_does_not_belong_together_is_refused(change, name):
    with pytest.raises(InputError, match=name):
        _found(**(_seen_along_z(noise=NOISE) | change))


@pytest.mark.parametrize(
    ("errors", "name"),
    [
        ({"applied_field": (Measured(0.0),) * 3}, "applied field"),
        ({"standoff": Measured(1e-7, 5e-8)}, "stand-off"),
        ({"outline": -1e-9}, "outline"),
    ],
)
def test_an_exposure_that_cannot_be_is_refused(errors, name):
    with pytest.raises(InputError, match=name):
        _exposure(**errors)


def test_taking_the_prior_out_again_leaves_what_the_map_says_whatever_was_expected():
    seen = _seen_along_z(noise=NOISE)
    one, other = (
        susceptibility_without_prior(_found(expected=Measured(value, 0.9e-4), **seen)) for value in (1.5e-4, 3e-4)
    )
    told = {"particle": [3, 4, 7]}
    # what was expected of the deep pair still leans on its neighbours by a per cent
    np.testing.assert_allclose(one.susceptibility.sel(told), other.susceptibility.sel(told), rtol=0.02)
    loose = _found(expected=LOOSE, **seen)
    sd = np.sqrt(one.susceptibility_var + (one.susceptibility_systematic**2).sum("term"))
    # and narrows the errors of those it is correlated with
    np.testing.assert_allclose(sd.sel(told), np.sqrt(np.diag(loose.susceptibility_cov))[:3], rtol=0.2)
    # a pair of which each hides the other keeps the prior of the other: errors grow, and not without bound
    posterior = np.sqrt(np.diag(_found(**seen).susceptibility_cov))[3:]
    assert (sd.sel(particle=[12, 13]) > 1.2 * posterior).all()


def test_a_smooth_prior_cannot_be_taken_out():
    with pytest.raises(InputError, match="independent"):
        susceptibility_without_prior(_found(smooth=True, **_seen_along_z(noise=NOISE)))
