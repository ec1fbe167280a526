"""Lithium from the isotopes at a plane, against atoms counted in a column that drifts and diffuses."""

import numpy as np
import pytest
import xarray as xr

from operando.errors import InputError
from operando.lithium import plane
from operando.materials.cross_sections import PAPER_TABLE, lithium_cross_sections
from operando.materials.formula import AVOGADRO

SIGMA6, SIGMA7 = lithium_cross_sections(PAPER_TABLE)
CROSS = {"sigma6": SIGMA6, "sigma7": SIGMA7}
CONCENTRATION, AREA, ACTIVE = 30_000.0, 7.07e-6, 23e-6
ENTERING, PRISTINE = 0.045, 0.01
HOURS_7 = 25_200.0
LOST = 0.27 * ACTIVE
LOSS = AVOGADRO * LOST * (ENTERING * SIGMA6 + (1 - ENTERING) * SIGMA7)


def column(diffusivity, cells=600, steps=4000):
    """Li-6 fraction of a separator into which lithium of a fixed fraction drifts: explicit finite volumes.

    Returns the fraction and its gradient at the inlet, averaged over time.
    """
    length, speed = 740e-6, LOST / (CONCENTRATION * AREA * HOURS_7)
    dx, dt = length / cells, HOURS_7 / steps
    steps_within = max(1, int(np.ceil(4 * diffusivity * dt / dx**2)))
    f, values, gradients = np.full(cells, PRISTINE), [], []
    for _ in range(steps):
        for _ in range(steps_within):
            flux = np.concatenate([[speed * ENTERING], speed * f[:-1] - diffusivity * np.diff(f) / dx, [speed * f[-1]]])
            f = f - dt / steps_within / dx * np.diff(flux)
        slopes = np.diff(f[:3]) / dx
        # Both brought from the first cells to the inlet itself.
        gradients.append(2 * slopes[0] - slopes[1])
        values.append(f[0] - (gradients[-1] + slopes[0]) / 4 * dx)
    return np.mean(values), np.mean(gradients)


@pytest.mark.parametrize("diffusivity", [1e-14, 2e-13])
def test_lithium_comes_back_where_diffusion_is_counted_in(diffusivity):
    fraction, gradient = column(diffusivity)
    diffused = plane.diffused_lithium6_from_gradient(
        mean_gradient=gradient,
        lithium_concentration=CONCENTRATION,
        tracer_diffusivity=diffusivity,
        area=AREA,
        duration=HOURS_7,
    )
    lost = plane.lost_lithium_from_plane(
        cathode_loss=LOSS, plane_fraction=fraction, diffused_lithium6=diffused, **CROSS
    )
    # The first minutes are steeper than the column's cells of 1.2 um.
    assert lost == pytest.approx(LOST, rel=0.02)
    forgotten = plane.lost_lithium_from_plane(
        cathode_loss=LOSS, plane_fraction=fraction, diffused_lithium6=0.0, **CROSS
    )
    assert forgotten > 1.15 * LOST


def estimate(**changes):
    known = {
        "cathode_loss": LOSS,
        "cathode_loss_sigma": 0.01 * LOSS,
        "cathode_loss_terms": {"attenuation scale": 0.03 * LOSS},
        "plane_fraction": ENTERING,
        "plane_fraction_sigma": 0.002,
        "plane_fraction_terms": {"attenuation scale": 0.002},
        "active_lithium": ACTIVE,
        "active_lithium_sigma": 0.02 * ACTIVE,
        "diffused_lithium6": 0.0,
        "diffused_lithium6_sigma": 2e-8,
    }
    return plane.lithiation_without_charge(**{**known, **CROSS, **changes})


def test_errors_of_the_estimate_are_its_scatter():
    rng = np.random.default_rng(2)
    figure = estimate()
    assert figure.value == pytest.approx(0.73, abs=1e-9)
    values = []
    for _ in range(4000):
        scale = rng.normal()
        lost = plane.lost_lithium_from_plane(
            cathode_loss=LOSS * (1 + 0.03 * scale + 0.01 * rng.normal()),
            plane_fraction=ENTERING + 0.002 * scale + 0.002 * rng.normal(),
            diffused_lithium6=2e-8 * rng.normal(),
            **CROSS,
        )
        values.append(1 - lost / (ACTIVE * (1 + 0.02 * rng.normal())))
    assert np.std(values) == pytest.approx(figure.total, rel=0.06)


def test_a_plane_without_lithium6_gives_no_value():
    figure = estimate(plane_fraction=0.003)
    assert figure.value is None
    assert "not above twice its error" in figure.note


def test_crossing_fraction_weighs_by_charge_over_uneven_times():
    times = [0.0, 1500.0, 4500.0, 6000.0]
    charge = xr.DataArray([0.0, 100.0, 100.0, 300.0], dims="time", coords={"time": times}, attrs={"units": "C"})
    fraction = xr.DataArray([0.01, 0.03, 0.05, 0.07], dims="time", coords={"time": times}, attrs={"units": ""})
    mean = plane.mean_crossing_fraction(plane_fraction=fraction, charge=charge)
    np.testing.assert_allclose(mean, [0.01, 0.02, 0.02, (0.02 * 100 + 0.06 * 200) / 300])
    with pytest.raises(InputError, match="charge must be rising"):
        plane.mean_crossing_fraction(plane_fraction=fraction, charge=(-charge).assign_attrs(units="C"))
