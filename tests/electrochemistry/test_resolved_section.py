"""A section of overlapping discs against body-fitted finite elements (benchmarks/section_finite_elements.py)."""

import runpy
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from operando.electrochemistry.protocol import Ending, galvanostatic
from operando.electrochemistry.resolved.cell import ResolvedCell
from operando.electrochemistry.resolved.currents import face_currents
from operando.electrochemistry.resolved.materials import ActiveMaterial, Electrolyte, Metal
from operando.electrochemistry.resolved.run import run_protocol
from operando.frames import Grid
from operando.magnetism.circuit import divergence_of_currents, require_closed

DISCS = ((2.0, 4.0, 3.2), (2.5, 14.5, 3.8), (7.0, 5.5, 2.8), (8.0, 14.5, 2.6), (12.2, 6.0, 3.2), (13.0, 15.0, 3.2))
"""Centres and radii [um]."""

# elements of 0.8 um (0.4 um at the interface), order 2; 0.5 um gives the voltage to 7 uV, run as far as 197 s
VOLTAGE = 4.17453
LITHIUM = (0.567710, 0.585221, 0.554320, 0.558129, 0.538820, 0.539033)
CUTS = {6.0: 34.565, 12.0: 14.046}
"""Electronic current density over the whole width, mean over 1 um about each place [A/m^2]."""


def host() -> ActiveMaterial:
    return ActiveMaterial(
        maximum_concentration=49943.0,
        open_circuit_potential=lambda x: 4.6 - x + 0.2 * (x - 0.5) * (x - 0.5),
        diffusivity=lambda x: 1e-13 * (0.5 + x),
        electronic_conductivity=lambda x: jnp.exp(1.4 - 2 * jnp.asarray(x)),
        exchange_current=lambda x: 10.2 * jnp.sqrt(jnp.asarray(x) * (1 - x)),
    )


def charged(voxel):
    """Cell, and its state after 240 s at 59 A/m^2; voxel in um."""
    x, y = ((np.arange(round(length / voxel)) + 0.5) * voxel for length in (30.0, 20.0))
    discs = [(x - a) ** 2 + (y[:, None] - b) ** 2 < r**2 for a, b, r in DISCS]
    labels = np.where(np.any(discs, axis=0), 0, 1).astype(np.uint8)[None]
    spacing = (1e-6, voxel * 1e-6, voxel * 1e-6)
    cell = ResolvedCell(
        phases=xr.DataArray(labels, dims=("z", "y", "x"), attrs={"phases": ("host", "electrolyte")}),
        materials={"host": host(), "electrolyte": Electrolyte(conductivity=0.05)},
        grid=Grid(shape=labels.shape, spacing=spacing, origin=(0.0, 0.0, 0.0)),
        plate=Metal(conductivity=1e7, exchange_current=128.0),
    )
    run = run_protocol(cell, protocol=[galvanostatic(59.0, 240.0)], lithiation=0.9)
    assert run.status is Ending.TIME
    return cell, run.states[-1], discs


# errors fall with the voxel: the voltage's 2.3, 0.6, 0.4 mV; the current's through the second cut 2.0, 0.7, 0.5 %
@pytest.mark.parametrize(("voxel", "millivolts", "share"), [(0.2, 3.0, 0.025), (0.1, 1.0, 0.01), (0.05, 1.0, 0.01)])
@pytest.mark.slow
def test_voltage_lithium_and_currents_are_those_of_finite_elements(voxel, millivolts, share):
    cell, state, discs = charged(voxel)
    assert state.voltage == pytest.approx(VOLTAGE, abs=millivolts * 1e-3)
    x = np.asarray(state.fields.lithiation)[0]
    assert [x[disc].mean() for disc in discs] == pytest.approx(LITHIUM, rel=5e-3)
    currents = face_currents(cell, state)
    require_closed(currents, by_leads=True)
    lost = abs(divergence_of_currents(currents).values).max() * cell.grid.voxel_volume
    assert lost < 1e-8 * 59.0 * cell.section
    through = np.asarray(state.through.charge[2])[0] * np.any(discs, axis=0)[:, 1:]
    place = np.arange(1, x.shape[1]) * voxel
    for cut, wanted in CUTS.items():
        near = abs(place - cut) < 0.5 + 1e-9
        weight = np.where(abs(abs(place[near] - cut) - 0.5) < 1e-9, 0.5, 1.0)
        found = (through[:, near] * weight).sum() / weight.sum() / x.shape[0]
        assert found == pytest.approx(wanted, rel=share)
        assert currents.x[0].mean(axis=0) == pytest.approx(59.0, rel=1e-8)


@pytest.mark.slow
def test_finite_elements_give_these_numbers():
    """Needs the extra `validation`; elements and time steps are coarser or the same, hence 20 uV."""
    pytest.importorskip("ngsolve")
    path = Path(__file__).parents[2] / "benchmarks" / "section_finite_elements.py"
    found = runpy.run_path(str(path))["solved"](size=0.8, longest=4.0)
    assert found.time[-1] == pytest.approx(240.0)
    assert found.voltage[-1] == pytest.approx(VOLTAGE, abs=2e-5)
    assert found.lithium == pytest.approx(LITHIUM, abs=2e-5)
    assert found.cuts == pytest.approx(list(CUTS.values()), rel=2e-4)
