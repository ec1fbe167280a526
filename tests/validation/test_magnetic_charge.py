"""From simulated photons to state of charge: a scanning tip above a cut cathode, and the lithium of its particles.

Every seed draws another section, other lithium and, from the errors the analyst is told, another stand-off, applied
field, threshold, outline, electrolyte and susceptibility curve. Labels lie on voxels half as large again as the
simulation's, and displaced from them.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import xarray as xr

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.electrochemistry.section_lithium import lithium_from_gradient
from operando.lithium.susceptibility import lithium_cobalt_oxide_curve, lithium_from_susceptibility
from operando.magnetism.fit_lines import fit_lines
from operando.magnetism.lines import lines_from_field
from operando.magnetism.nv import NV
from operando.magnetism.particle_likelihood import susceptibility_without_prior
from operando.magnetism.particles import Exposure, particle_susceptibility
from operando.magnetism.vector_fit import fit_vector
from operando.materials.magnetic_table import magnetic_material_from_name
from operando.twin.microscope import NVMicroscope
from operando.twin.section_scan import simulate_section_scan
from operando.units import Measured

FIELD = 0.05
VOXEL, LABEL_VOXEL = 100e-9, 150e-9
ELECTROLYTE = Measured(magnetic_material_from_name("LLZO").volume, 0.3e-5)
FOIL = Measured(magnetic_material_from_name("lithium").volume, 0.05e-5)
EXPOSURE = Exposure(
    applied_field=(Measured(0.0, 5e-4), Measured(0.0, 5e-4), Measured(FIELD, 1e-4)),
    standoff=Measured(0.3e-6, 0.03e-6),
    threshold=20e-9,
    outline=30e-9,
    outline_length=0.5e-6,
)
TIP = NVMicroscope(
    cut="111", axes=(0,), bias=(0.0, 0.0, FIELD), width=1e6, contrast=0.2, nitrogen="15N", photon_rate=5e5
)


@dataclass(frozen=True)
class Charged:
    """Truth and estimate of every particle of one section."""

    truth: xr.Dataset
    particles: xr.Dataset
    lithium: xr.Dataset

    @property
    def surface(self):
        return self.particles.depth.values < 1e-9

    @property
    def error(self):
        return (self.lithium.lithium - self.truth.lithium).values

    @property
    def sd(self):
        return np.sqrt(self.lithium.lithium_var + (self.lithium.lithium_systematic**2).sum("term")).values

    @property
    def held(self):
        x = self.truth.lithium
        return ((self.lithium.lower <= x) & (x <= self.lithium.upper)).any("branch").values


def section(seed, *, width, thickness):
    scene = load_scene("llzo-section-3d")
    return microstructure_from_scene(
        scene.model_copy(
            update={
                "seed": 100 + seed,
                "section": scene.section.model_copy(update={"voxel": VOXEL, "width": width, "depth": 5e-6}),
                "separator": scene.separator.model_copy(update={"thickness": 3e-6, "dendrite": None}),
                "positive": scene.positive.model_copy(update={"thickness": thickness}),
            }
        )
    )


def charged(seed, *, width=12e-6, thickness=11e-6):
    structure, drawn = section(seed, width=width, thickness=thickness), np.random.default_rng(seed)
    gradient = lithium_from_gradient(structure, near_separator=0.68, far_end=0.98)
    lines = lines_from_field(field=np.array(TIP.bias), frames=TIP.frames, splitting=NV.splitting).ravel()
    scan = simulate_section_scan(
        structure,
        lithium=np.clip(gradient + 0.04 * drawn.standard_normal(gradient.size), 0.5, 1.0),
        exposure=EXPOSURE,
        curve=lithium_cobalt_oxide_curve(),
        surroundings=ELECTROLYTE,
        microscope=TIP,
        frequency=np.concatenate([line + np.arange(-5e6, 5.01e6, 0.2e6) for line in lines]),
        dwell=0.05,
        stride=3,
        label_voxel=LABEL_VOXEL,
        others={"lithium": FOIL.value},
        within=(4e-6, 5e-6 + thickness),
        seed=seed,
    )
    fitted = fit_vector(
        fit_lines(scan.photons, lines=2, nitrogen=TIP.nitrogen), frames=TIP.frames, bias=(0.0, 0.0, FIELD)
    )
    foil = structure.particles + 1
    found = particle_susceptibility(
        fitted.field.sel(component="z", drop=True),
        covariance=fitted.field_cov.isel(component=2, component_2=2, drop=True),
        labels=scan.labels,
        # labels on voxels err by 0.3 voxels by themselves
        exposure=replace(EXPOSURE, outline=float(np.hypot(EXPOSURE.outline, 0.3 * LABEL_VOXEL))),
        axis=(0, 0, 1),
        surroundings=ELECTROLYTE,
        known={foil: FOIL},
    )
    particles = found.sel(particle=found.particle < foil)
    seen = susceptibility_without_prior(particles)
    lithium = lithium_from_susceptibility(
        seen.susceptibility,
        variance=seen.susceptibility_var,
        systematic=seen.susceptibility_systematic,
        lowest=0.5,
    )
    return Charged(truth=scan.truth.sel(particle=particles.particle), particles=particles, lithium=lithium)


def test_one_small_section_gives_its_surface_particles_lithium() -> None:
    one = charged(0, width=8e-6, thickness=7e-6)
    told = one.surface & np.isfinite(one.error)
    assert told.sum() >= 4
    assert (np.abs(one.error[told]) < 3 * one.sd[told]).all()
    assert (one.sd[told] < 0.06).all()
    assert one.held.mean() > 0.85
    # noise at a tip of 5 s a pixel, 10 % of the particles' field
    assert float(one.particles.chi_squared / one.particles.freedom) == pytest.approx(1.0, abs=0.2)


@pytest.fixture(scope="module")
def sections() -> list[Charged]:
    return [charged(seed) for seed in range(10)]


@pytest.mark.slow
def test_nine_of_ten_surface_particles_have_their_lithium_within_two_standard_deviations(sections) -> None:
    pulls = np.concatenate([(s.error / s.sd)[s.surface] for s in sections])
    told = np.isfinite(pulls)
    assert told.mean() > 0.6
    assert np.mean(np.abs(pulls[told]) < 2) >= 0.9


@pytest.mark.slow
def test_error_bars_are_no_larger_than_three_times_the_scatter(sections) -> None:
    error, sd = (np.concatenate([getattr(s, name)[s.surface] for s in sections]) for name in ("error", "sd"))
    assert np.sqrt(np.nanmean(sd**2)) < 3 * np.sqrt(np.nanmean(error**2))
    assert np.sqrt(np.nanmean(error**2)) < 0.04


@pytest.mark.slow
def test_ranges_hold_the_lithium_of_surface_and_buried_particles_alike(sections) -> None:
    for buried in (False, True):
        held = np.concatenate([s.held[s.surface != buried] for s in sections])
        # of 95 %: particles of a section share the curve's error, so that there are ten draws and not hundreds
        assert held.mean() > 0.85


@pytest.mark.slow
def test_susceptibilities_of_buried_particles_err_as_stated(sections) -> None:
    pulls = []
    for s in sections:
        sd = np.sqrt(np.diag(s.particles.susceptibility_cov.sel(particle_2=s.particles.particle.values)))
        pulls.append(((s.particles.susceptibility - s.truth.susceptibility).values / sd)[~s.surface])
    assert np.mean(np.abs(np.concatenate(pulls)) < 2) > 0.9
