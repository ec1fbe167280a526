"""The mass balance on simulated cells whose isotopes are counted: blurred profiles in, leaving isotopes out."""

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter1d

from operando.cell.amounts import (
    FARADAY,
    amounts_from_cell,
    area_from_cell,
    cathode_thickness_from_cell,
    separator_thickness_from_cell,
)
from operando.cell.builtin import load_cell
from operando.electrochemistry.prescribed import PrescribedEvolution
from operando.frames import Grid
from operando.lithium.exchange import BalanceData, balance_from_data, leaving_fraction_figure, lithiation_figure
from operando.lithium.smooth_layers import smooth_layer_integral_from_profile, thin_layer_integral_from_profile
from operando.materials.cross_sections import PAPER_TABLE, lithium_cross_sections
from operando.materials.formula import AVOGADRO

SIGMA6, SIGMA7 = lithium_cross_sections(PAPER_TABLE)
CELL = load_cell("cell-b")
AMOUNTS, AREA = amounts_from_cell(cell=CELL), area_from_cell(cell=CELL)
PLANE = cathode_thickness_from_cell(cell=CELL)
ANODE = PLANE + separator_thickness_from_cell(cell=CELL)
STEP, BLUR, START = 14e-6, 14e-6, -140e-6
GRID = Grid(shape=(96, 40, 40), spacing=(STEP, 80e-6, 80e-6), origin=(START + STEP / 2, -1.56e-3, -1.56e-3))
END_OF_CHARGE = 8 * 3600.0


def attenuation_profile(state):
    """Lithium's attenuation summed across the cell and divided by its area, blurred along z."""
    lithium6 = state.lithium * state.lithium6_fraction.fillna(0.0)
    attenuation = AVOGADRO * (SIGMA6 * lithium6 + SIGMA7 * (state.lithium - lithium6))
    across = attenuation.sum(("y", "x")).values * GRID.spacing[1] * GRID.spacing[2] / AREA
    return gaussian_filter1d(across, BLUR / STEP, mode="nearest")


@pytest.mark.parametrize("exchange", [0.0, 0.5, 1.0])
def test_leaving_isotopes_and_lithiation_come_back(exchange):
    evolution = PrescribedEvolution(cell=CELL, grid=GRID, exchange=exchange)
    before, after = evolution.state(0.0), evolution.state(END_OF_CHARGE)
    change = xr.DataArray(
        attenuation_profile(after) - attenuation_profile(before),
        dims="z",
        coords={"z": GRID.coordinate("z")},
        attrs={"units": "1/m"},
    )
    known = {"profile": change, "profile_var": xr.full_like(change, 1.0), "blur": BLUR}
    cathode = thin_layer_integral_from_profile(lower=0.0, upper=PLANE, smooth_until=ANODE, **known)
    separator = smooth_layer_integral_from_profile(lower=PLANE, upper=ANODE, **known)
    charge = evolution.charge_passed(END_OF_CHARGE)
    data = BalanceData(
        cathode_loss=-cathode.value * AREA,
        charge=charge,
        separator_gain=separator.value * AREA,
        statistical=(np.sqrt(cathode.variance) * AREA, 1e-5 * charge, np.sqrt(separator.variance) * AREA),
        relative={"current efficiency": (0.0, 0.005, 0.0)},
    )
    start, end = (evolution.inventory(time) for time in (0.0, END_OF_CHARGE))
    lost = start.cathode.total - end.cathode.total
    lost6 = start.cathode.lithium6 - end.cathode.lithium6
    handed_on = (end.anode.lithium6 - start.anode.lithium6) / lost
    found = balance_from_data(
        data=data, anode_fraction=handed_on, anode_fraction_sigma=0.001, sigma6=SIGMA6, sigma7=SIGMA7
    )
    assert data.cathode_loss == pytest.approx(AVOGADRO * (SIGMA6 * lost6 + SIGMA7 * (lost - lost6)), rel=3e-3)
    gained6 = end.separator.lithium6 - start.separator.lithium6
    assert data.separator_gain == pytest.approx(AVOGADRO * (SIGMA6 - SIGMA7) * gained6, rel=3e-3)
    assert lost == pytest.approx(charge / FARADAY, rel=1e-6)
    lithiation = lithiation_figure(balance=found, active_lithium=AMOUNTS.active)
    assert lithiation.value == pytest.approx(1 - lost / AMOUNTS.active, abs=0.005)
    assert leaving_fraction_figure(balance=found).value == pytest.approx(lost6 / lost, rel=5e-3)
