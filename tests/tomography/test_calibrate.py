"""Calibration against exact references, closed forms and Monte Carlo draws of everything uncertain."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from operando.errors import InputError
from operando.frames import centred_grid
from operando.tomography.calibrate import (
    CalibrationStatus,
    Nuisance,
    Reference,
    calibrated,
    calibration_from_references,
    reference_from_region,
)
from operando.units import Measured

MU = {"air": 0.0, "casing": 10.0, "separator": 88.0, "cathode": 234.0, "pin": 120.0}


def references(*names, scale=0.02, offset=0.1, hardening=0.0, sigma=0.01, mu_sigma=0.0):
    return [
        Reference(
            name,
            Measured(scale * MU[name] * (1 - hardening * MU[name]) + offset, sigma),
            Measured(MU[name], 0.0 if name == "air" else mu_sigma),
        )
        for name in names
    ]


@given(
    scale=st.floats(1e-4, 1e4) | st.floats(-1e4, -1e-4),
    offset=st.floats(-1e3, 1e3),
    names=st.sets(st.sampled_from(sorted(MU)), min_size=2).map(sorted),
)
def test_exact_references_give_exact_scale_and_offset(scale, offset, names):
    found = calibration_from_references(references=references(*names, scale=scale, offset=offset))
    size = abs(scale) * 234 + abs(offset)
    assert found.scale == pytest.approx(scale, abs=1e-10 * size)
    assert found.offset == pytest.approx(offset, abs=1e-9 * size)
    assert found.attenuation(found.grey(50.0)) == pytest.approx(50.0, rel=1e-8)


def test_air_and_cathode_are_the_papers_procedure():
    """Eq. 5 in closed form: beta from air, alpha from the cathode, errors by propagation."""
    air, cathode = references("air", "cathode", mu_sigma=5.0)
    found = calibration_from_references(references=[air, cathode])
    alpha = (cathode.grey.value - air.grey.value) / cathode.attenuation.value
    assert found.offset == pytest.approx(air.grey.value)
    assert found.scale == pytest.approx(alpha)
    expected = np.hypot(np.hypot(0.01, 0.01) / 234, alpha * 5.0 / 234)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(expected, rel=1e-6)
    assert found.status is CalibrationStatus.EXACT


NUISANCES = [
    Nuisance("porosity", Measured(0.0, 0.03), {"cathode": -234.0, "separator": -88.0}),
    Nuisance("enrichment", Measured(0.0, 0.002), {"cathode": 1600.0, "separator": 3300.0}),
    Nuisance("scatter", Measured(0.0, 0.02), {n: -MU[n] for n in ("cathode", "separator", "pin")}),
]


def test_posterior_widths_match_monte_carlo():
    """Draw every uncertain thing from its prior: the estimates scatter as the covariance says."""
    names = ["air", "separator", "pin", "cathode"]
    rng = np.random.default_rng(0)
    clean = references(*names, sigma=0.02, mu_sigma=2.0)
    estimates = []
    for _ in range(500):
        theta = {n.name: rng.normal(0, n.prior.sigma) for n in NUISANCES}
        h = rng.normal(0, 1e-4)
        drawn = []
        for r in clean:
            mu = rng.normal(r.attenuation.value, r.attenuation.sigma)
            mu += sum(theta[n.name] * n.response.get(r.name, 0.0) for n in NUISANCES)
            grey = rng.normal(0.02 * mu * (1 - h * mu) + 0.1, r.grey.sigma)
            drawn.append(replace(r, grey=Measured(grey, r.grey.sigma)))
        fit = calibration_from_references(references=drawn, nuisances=NUISANCES, hardening=Measured(0.0, 1e-4))
        estimates.append((fit.scale - 0.02, fit.offset - 0.1))
    said = calibration_from_references(references=clean, nuisances=NUISANCES, hardening=Measured(0.0, 1e-4))
    # 500 draws know a width to 3 %; three times that, and the second order of the fit
    assert np.std(estimates, axis=0) == pytest.approx(np.sqrt(np.diag(said.covariance)[:2]), rel=0.12)
    assert abs(np.mean(estimates, axis=0)) == pytest.approx([0, 0], abs=5 * said.covariance[0, 0] ** 0.5 + 0.005)


def test_named_displacements_add_up_to_the_covariance():
    found = calibration_from_references(
        references=references("air", "casing", "separator", "cathode", mu_sigma=1.0),
        nuisances=NUISANCES[:2],
        hardening=Measured(0.0, 1e-4),
    )
    total = sum(np.outer(d, d) for d in found.displacements.values())
    assert total == pytest.approx(found.covariance, rel=1e-6, abs=1e-14)
    shifts = [found.attenuation_shift(88.0, source) for source in found.displacements]
    assert found.systematic(88.0) == pytest.approx(np.linalg.norm(shifts))
    assert {"grey air", "attenuation cathode", "porosity", "enrichment", "hardening"} <= set(found.displacements)


def test_shift_is_the_change_of_the_recovered_attenuation():
    """Move scale, offset and hardening by a named source's step and read the same grey value again."""
    found = calibration_from_references(
        references=references("air", "separator", "cathode", mu_sigma=1.0), hardening=Measured(1e-4, 1e-5)
    )
    step = 1e-4
    scale, offset, hardening = step * found.displacements["attenuation cathode"]
    moved = replace(
        found, scale=found.scale + scale, offset=found.offset + offset, hardening=found.hardening + hardening
    )
    change = moved.attenuation(found.grey(150.0)) - 150.0
    assert change / step == pytest.approx(found.attenuation_shift(150.0, "attenuation cathode"), rel=1e-3)


def test_says_what_the_references_can_tell():
    """Enrichment acts on the separator alone here and is learnt; scatter scales everything and is not."""
    sharp = references("air", "pin", "cathode", "separator", sigma=0.002, mu_sigma=0.2)
    nuisances = [
        Nuisance("enrichment", Measured(0.0, 0.01), {"separator": 3300.0}),
        Nuisance("scatter", Measured(0.0, 0.05), {n: -MU[n] for n in ("pin", "cathode", "separator")}),
    ]
    found = calibration_from_references(references=sharp, nuisances=nuisances)
    assert found.learnt["enrichment"].identified
    assert found.learnt["enrichment"].narrowing < 0.05
    assert not found.learnt["scatter"].identified
    assert found.learnt["scatter"].narrowing == pytest.approx(1.0, abs=1e-6)
    assert found.learnt["scatter"].with_scale > 0.99


def test_twins_are_called_confounded():
    nuisances = [
        Nuisance("porosity", Measured(0.0, 0.5), {"separator": -88.0}),
        Nuisance("density", Measured(0.0, 0.5), {"separator": 88.0}),
    ]
    found = calibration_from_references(
        references=references("air", "separator", "cathode", mu_sigma=0.1), nuisances=nuisances
    )
    assert found.confounded == (("porosity", "density"),)


def test_hardening_is_recovered_and_undone():
    truth = 3e-4
    found = calibration_from_references(
        references=references("air", "separator", "pin", "cathode", hardening=truth, sigma=1e-5),
        hardening=Measured(0.0, 1e-2),
    )
    assert found.hardening == pytest.approx(truth, rel=1e-2)
    assert found.attenuation(0.02 * 200 * (1 - truth * 200) + 0.1) == pytest.approx(200.0, rel=1e-3)


def test_contradiction_and_weakness_are_said():
    good = references("air", "separator", "cathode", sigma=0.001)
    bad = [*good[:2], replace(good[2], grey=Measured(good[2].grey.value * 1.2, 0.001))]
    assert calibration_from_references(references=good).status is CalibrationStatus.GOOD
    assert calibration_from_references(references=bad).status is CalibrationStatus.TENSION
    close = references("air", "casing", sigma=0.05)
    assert calibration_from_references(references=close).status is CalibrationStatus.WEAK


def test_weight_is_worth_repeated_measurement():
    air, cathode, pin = references("air", "cathode", "pin")
    bent = replace(pin, grey=Measured(pin.grey.value + 0.05, 0.01))
    weighted = calibration_from_references(references=[air, cathode, replace(bent, weight=2.0)])
    doubled = calibration_from_references(references=[air, cathode, bent, replace(bent, name="pin again")])
    assert weighted.scale == pytest.approx(doubled.scale, rel=1e-9)


def test_noise_stays_with_the_voxels():
    grid = centred_grid(shape=(3, 4, 5), spacing=1e-5)
    grey = grid.array(np.full(grid.shape, 1.86), name="attenuation", units="")
    variance = grid.array(np.full(grid.shape, 0.04), name="attenuation_var", units="")
    found = calibration_from_references(references=references("air", "cathode", mu_sigma=5.0))
    result = calibrated(xr.Dataset({"attenuation": grey, "attenuation_var": variance}), calibration=found)
    assert result.attenuation.values == pytest.approx(88.0)
    assert result.attenuation_var.values == pytest.approx(0.04 / 0.02**2)
    assert (result.attenuation.attrs["units"], result.attenuation_var.attrs["units"]) == ("1/m", "1/m^2")
    assert "attenuation cathode" in result.attrs["systematic"]
    with pytest.raises(InputError, match="attenuation_var"):
        calibrated(xr.Dataset({"attenuation": grey}), calibration=found)


def test_region_mean_knows_correlated_noise():
    """Noise that eight neighbours share has an eightfold variance of the mean, which blocks see and voxels do not."""
    rng = np.random.default_rng(1)
    grid = centred_grid(shape=(48, 48, 48), spacing=1e-5)
    shared = np.kron(rng.normal(5.0, 1.0, (24, 24, 24)), np.ones((2, 2, 2)))
    volume = grid.array(shared, name="grey", units="")
    region = reference_from_region(volume, volume > -99, name="pin", attenuation=Measured(120.0, 1.0))
    assert region.grey.sigma == pytest.approx(1 / np.sqrt(24**3), rel=0.25)
    assert abs(region.grey.value - 5.0) < 5 * region.grey.sigma
    corner = (volume.z < 6e-5) & (volume.y < -2e-4) & (volume.x < -2e-4) & (volume > -99)
    with pytest.raises(InputError, match="blocks"):
        reference_from_region(volume, corner, name="pin", attenuation=Measured(120.0, 1.0))


def test_refusals():
    air, cathode = references("air", "cathode")
    with pytest.raises(InputError, match="two or more"):
        calibration_from_references(references=[air])
    with pytest.raises(InputError, match="of different attenuation"):
        calibration_from_references(references=[air, replace(air, name="more air")])
    with pytest.raises(InputError, match="named differently"):
        calibration_from_references(references=[cathode, cathode])
    with pytest.raises(InputError, match="grey error above zero"):
        calibration_from_references(references=[air, replace(cathode, grey=Measured(4.0, 0.0))])
    with pytest.raises(InputError, match="acting on references"):
        calibration_from_references(
            references=[air, cathode], nuisances=[Nuisance("porosity", Measured(0.0, 0.1), {"anode": 1.0})]
        )
