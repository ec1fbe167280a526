"""Lithium of single particles from a magnetic scan: ``python examples/magnetic_charge.py magnetic-charge.png``.

A tip scans a cut cathode of LixCoO2 in LLZO, 0.3 um above the surface in 50 mT, five seconds a pixel. Spectra are
fitted to a field map, the map is inverted on labels that are wrong by a bit, and susceptibilities are turned into
lithium. Half a minute.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from operando.cell.builtin import load_scene
from operando.cell.microstructure.build import microstructure_from_scene
from operando.cell.microstructure.structure import Microstructure
from operando.electrochemistry.section_lithium import lithium_from_gradient
from operando.lithium.susceptibility import LithiumVerdict, lithium_cobalt_oxide_curve, lithium_from_susceptibility
from operando.magnetism.fit_lines import fit_lines
from operando.magnetism.lines import lines_from_field
from operando.magnetism.nv import NV
from operando.magnetism.particle_likelihood import susceptibility_without_prior
from operando.magnetism.particle_verdict import ParticleVerdict, reason_for
from operando.magnetism.particles import Exposure, particle_susceptibility
from operando.magnetism.vector_fit import fit_vector
from operando.materials.magnetic_table import magnetic_material_from_name
from operando.report.style import (
    BLUE,
    CHANGE,
    GREY,
    LITHIUM,
    ORANGE,
    PALE,
    VERMILION,
    new_figure,
    panel_title,
    png_bytes,
    styled,
)
from operando.twin.microscope import NVMicroscope
from operando.twin.section_scan import simulate_section_scan
from operando.units import Measured

FIELD, SEED = 0.05, 3
NAMES = {
    ParticleVerdict.DETERMINED: "determined",
    ParticleVerdict.MERGED: "merged",
    ParticleVerdict.TOO_DEEP: "too deep",
    ParticleVerdict.TOO_FAINT: "too faint",
}
LABEL_VOXEL = 150e-9
ELECTROLYTE = Measured(magnetic_material_from_name("LLZO").volume or 0.0, 0.3e-5)
FOIL = Measured(magnetic_material_from_name("lithium").volume or 0.0, 0.05e-5)
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
class Charge:
    """What was there, what was seen and what was made of it."""

    structure: Microstructure
    field: xr.DataArray
    truth: xr.Dataset
    particles: xr.Dataset
    lithium: xr.Dataset

    @property
    def sd(self) -> npt.NDArray[np.float64]:
        """Standard deviation of lithium, all causes together."""
        return np.sqrt(self.lithium.lithium_var + (self.lithium.lithium_systematic**2).sum("term")).values

    @property
    def surface(self) -> npt.NDArray[np.bool_]:
        """Which particles the surface cuts."""
        return np.asarray(self.particles.depth.values < 1e-9)


def charge() -> Charge:
    """Simulate the scan and analyse it."""
    scene = load_scene("llzo-section-3d")
    changes = {
        "seed": 60,
        "section": scene.section.model_copy(update={"voxel": 1e-7, "width": 12e-6, "depth": 5e-6}),
        "separator": scene.separator.model_copy(update={"thickness": 3e-6, "dendrite": None}),
        "positive": scene.positive.model_copy(update={"thickness": 11e-6}),
    }
    structure = microstructure_from_scene(scene.model_copy(update=changes))
    lithium = lithium_from_gradient(structure, near_separator=0.68, far_end=0.98)
    lithium = np.clip(lithium + 0.04 * np.random.default_rng(SEED).standard_normal(lithium.size), 0.5, 1.0)
    lines = lines_from_field(field=np.array(TIP.bias), frames=TIP.frames, splitting=NV.splitting).ravel()
    scan = simulate_section_scan(
        structure,
        lithium=lithium,
        exposure=EXPOSURE,
        curve=lithium_cobalt_oxide_curve(),
        surroundings=ELECTROLYTE,
        microscope=TIP,
        frequency=np.concatenate([line + np.arange(-5e6, 5.01e6, 0.2e6) for line in lines]),
        dwell=0.05,
        stride=3,
        label_voxel=LABEL_VOXEL,
        others={"lithium": FOIL.value},
        within=(4e-6, 16e-6),
        seed=SEED,
    )
    spectra = fit_lines(scan.photons, lines=2, nitrogen=TIP.nitrogen)
    fitted = fit_vector(spectra, frames=TIP.frames, bias=TIP.bias)
    field = fitted.field.sel(component="z", drop=True)
    foil = structure.particles + 1
    found = particle_susceptibility(
        field,
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
    told = lithium_from_susceptibility(
        seen.susceptibility,
        variance=seen.susceptibility_var,
        systematic=seen.susceptibility_systematic,
        lowest=0.5,
    )
    return Charge(structure, field, scan.truth.sel(particle=particles.particle), particles, told)


@styled
def charge_figure(found: Charge) -> Figure:
    """Draw the map, the lithium that was there and that was found, both against each other, and error against depth."""
    figure = new_figure(height=115)
    panels = figure.subplots(2, 3).ravel()
    _map(figure, panels[0], found)
    colours = Normalize(0.5, 1.0)
    truth = dict(zip(found.truth.particle.values, found.truth.lithium.values, strict=True))
    told = dict(zip(found.lithium.particle.values, found.lithium.lithium.values, strict=True))
    _section(panels[1], found, truth, colours)
    panel_title(panels[1], "b", "Lithium in the surface")
    _section(panels[2], found, told, colours)
    panel_title(panels[2], "c", "Found (grey: not told)")
    bar = figure.colorbar(panels[2].get_images()[0], ax=panels[2], shrink=0.9, pad=0.02, aspect=18)
    bar.set_label("x of LixCoO₂")
    _against(panels[3], found)
    _depth(panels[4], found)
    _causes(panels[5], found)
    return figure


def _map(figure: Figure, axes: Axes, found: Charge) -> None:
    values = (found.field - found.field.median()).values * 1e6
    x, y = found.field.x.values * 1e6, found.field.y.values * 1e6
    largest = float(np.percentile(np.abs(values), 99.5))
    half = 0.5 * (x[1] - x[0])
    extent = (x[0] - half, x[-1] + half, y[0] - half, y[-1] + half)
    picture = axes.imshow(values, origin="lower", extent=extent, cmap=CHANGE, vmin=-largest, vmax=largest)
    bar = figure.colorbar(picture, ax=axes, shrink=0.9, pad=0.02, aspect=18, extend="both")
    bar.set_label("Bz less its median (µT)")
    _edges(axes, found)
    panel_title(axes, "a", "Field 0.3 µm above")


def _edges(axes: Axes, found: Charge) -> None:
    """Outline what the surface cuts, in the window of the map."""
    top = found.structure.particle[-1]
    edge = np.zeros(top.shape, dtype=bool)
    edge[:, 1:] |= top[:, 1:] != top[:, :-1]
    edge[1:] |= top[1:] != top[:-1]
    shade = np.zeros((*edge.shape, 4))
    shade[edge, 3] = 0.5
    axes.imshow(shade, origin="lower", extent=_extent(found), interpolation="none")
    axes.set(xlim=(4, 16), ylim=(0, 12), aspect="equal", xlabel="x (µm)", ylabel="y (µm)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MultipleLocator(4))


def _extent(found: Charge) -> tuple[float, float, float, float]:
    grid = found.structure.grid
    return 0.0, grid.shape[2] * grid.spacing[2] * 1e6, 0.0, grid.shape[1] * grid.spacing[1] * 1e6


def _section(axes: Axes, found: Charge, values: dict[int, float], colours: Normalize) -> None:
    top = found.structure.particle[-1]
    lookup = np.full(found.structure.particles + 1, np.nan)
    for particle, value in values.items():
        lookup[particle] = value
    axes.imshow(lookup[top], origin="lower", extent=_extent(found), cmap=LITHIUM, norm=colours, interpolation="none")
    grey = np.where((top > 0) & np.isnan(lookup[top]), 1.0, np.nan)
    axes.imshow(grey, origin="lower", extent=_extent(found), cmap="Greys", vmin=0, vmax=3, interpolation="none")
    _edges(axes, found)


def _against(axes: Axes, found: Charge) -> None:
    truth, lithium, sd = found.truth.lithium.values, found.lithium, found.sd
    axes.plot([0.5, 1], [0.5, 1], color=GREY, linewidth=0.7)
    determined = found.particles.verdict.values == ParticleVerdict.DETERMINED
    for i in np.flatnonzero(np.isnan(lithium.lithium.values) & determined):
        for low, high in zip(lithium.lower.values[:, i], lithium.upper.values[:, i], strict=True):
            axes.plot([truth[i]] * 2, [low, high], color=PALE, linewidth=2, zorder=0)
    for which, colour, name in ((found.surface, BLUE, "cut by the surface"), (~found.surface, VERMILION, "buried")):
        axes.errorbar(truth[which], lithium.lithium.values[which], sd[which], fmt="o", color=colour, label=name)
    axes.plot([], [], color=PALE, linewidth=2, label="χ told and x not: 95 %")
    axes.set(xlabel="True x", ylabel="x found, ±1σ", xlim=(0.5, 1.02), ylim=(0.48, 1.22))
    axes.set_yticks(np.arange(0.5, 1.01, 0.1))
    axes.legend(loc="upper left", borderaxespad=0)
    panel_title(axes, "d", "Particle by particle")


def _depth(axes: Axes, found: Charge) -> None:
    particles = found.particles
    depth = particles.depth.values * 1e6
    for verdict, colour in (
        (ParticleVerdict.DETERMINED, BLUE),
        (ParticleVerdict.MERGED, GREY),
        (ParticleVerdict.TOO_DEEP, VERMILION),
        (ParticleVerdict.TOO_FAINT, ORANGE),
    ):
        which = particles.verdict.values == verdict
        axes.semilogy(depth[which], particles.left.values[which], "o", color=colour, label=NAMES[verdict])
    axes.axhline(0.5, color=GREY, linewidth=0.7)
    axes.set(xlabel="Depth of its uppermost point (µm)", ylabel="Part of the prior σ(χ) that is left")
    axes.legend(loc="lower right")
    panel_title(axes, "e", "What the map tells")


def _causes(axes: Axes, found: Charge) -> None:
    told = found.surface & (found.lithium.verdict.values == LithiumVerdict.DETERMINED)
    typical = {"noise of the map": float(np.sqrt(np.nanmedian(found.lithium.lithium_var.values[told])))}
    for name in found.lithium.term.values:
        values = found.lithium.lithium_systematic.sel(term=name).values[told]
        typical[str(name)] = float(np.nanmedian(np.abs(values)))
    shown = sorted(typical.items(), key=lambda pair: pair[1])
    axes.barh(range(len(shown)), [1e3 * value for _, value in shown], color=BLUE, height=0.6)
    axes.set_yticks(range(len(shown)), [name for name, _ in shown], fontsize=6)
    axes.set_xlabel("Median 1σ of x, surface particles (10⁻³)")
    panel_title(axes, "f", "Causes")


def main() -> None:
    """Draw the figure, and say what was found of whom."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "magnetic-charge.png")
    found = charge()
    path.write_bytes(png_bytes(charge_figure(found)))
    print(f"{path}: written")
    error, sd = (found.lithium.lithium - found.truth.lithium).values, found.sd
    for name, which in (("cut by the surface", found.surface), ("buried", ~found.surface)):
        told = which & np.isfinite(error)
        print(f"{int(which.sum())} particles {name}: x told of {int(told.sum())}", end="")
        print(f", error {np.sqrt(np.mean(error[told] ** 2)):.3f}, stated {np.sqrt(np.mean(sd[told] ** 2)):.3f}")
    for verdict in ParticleVerdict:
        which = found.particles.particle.values[found.particles.verdict.values == verdict]
        if which.size:
            print(f"{verdict.message}: {which.size}; {reason_for(found.particles, int(which[-1]))}")


if __name__ == "__main__":
    main()
