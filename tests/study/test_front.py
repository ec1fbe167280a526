"""A front is told where there is one, and not where isotopes alone make the image of one."""

import numpy as np
import pytest
import xarray as xr

from operando.cell.amounts import amounts_from_cell, area_from_cell
from operando.cell.builtin import load_cell
from operando.cell.optics import lithium_isotopes
from operando.lithium.exchange import Balance
from operando.lithium.inference import Posterior
from operando.lithium.pristine import contents_from_masses
from operando.lithium.spreading import CELLS, lithium6_loss_from_spreading
from operando.materials.formula import AVOGADRO
from operando.study.analysis import Course
from operando.study.front import SPREAD, front_figure, spread_warnings
from operando.study.quantities import Pristine
from operando.study.series import Series
from operando.study.structure import Structure
from operando.tomography.stack import Edge
from operando.units import Measured

CELL = load_cell("cell-b")
AMOUNTS, AREA = amounts_from_cell(cell=CELL), area_from_cell(cell=CELL)
NATURAL, ENRICHED = CELL.cathode.active.composition.lithium6_fraction, 0.01
COLLECTOR, THICKNESS, VOXEL, BLUR = 1.0e-3, 174e-6, 14e-6, 11e-6
FINE = 1e-6


def course(loss, mean):
    """A cell that has lost so much Li-6 per site, from the collector up `(place,)`, and lithium on average."""
    sigma6, sigma7 = lithium_isotopes()
    concentration = AMOUNTS.active / (AREA * THICKNESS)
    z = np.arange(0, 2e-3, FINE) + FINE / 2
    place = (z - COLLECTOR) / THICKNESS
    lost = np.interp(place, (np.arange(loss.size) + 0.5) / loss.size, loss) * ((place > 0) & (place < 1))
    change = -AVOGADRO * concentration * (sigma6 * lost + sigma7 * (mean * ((place > 0) & (place < 1)) - lost))
    each = round(VOXEL / FINE)
    count = z.size // each
    seen = change[: count * each].reshape(count, each).mean(axis=1)
    profiles = xr.Dataset(
        {"whole": (("time", "z"), [0 * seen, seen]), "whole_var": (("time", "z"), np.full((2, count), 1e-2))},
        coords={"time": [0.0, 3e4], "z": (np.arange(count) + 0.5) * VOXEL},
    )
    radius = np.sqrt(AREA / np.pi)
    series = Series(profiles, xr.DataArray([True, False], dims="time"), AREA, xr.ones_like(profiles.time), 1e-4, 1.0)
    faces = (COLLECTOR, COLLECTOR + THICKNESS, COLLECTOR + THICKNESS + 0.7e-3)
    edges = (Edge(at, 1e-7, BLUR, 0.0, 120.0, 170.0) for at in faces)
    contents = contents_from_masses(
        cell=CELL,
        cathode_mass=CELL.cathode.mass.value,
        active_weight=CELL.cathode.active_weight.value,
        separator_mass=CELL.separator.mass.value,
        lithium6_fraction=ENRICHED,
    )
    posterior = Posterior({"scale": 1.0, "enrichment": ENRICHED}, {}, {}, 0.0, 1)
    pristine = Pristine(posterior, contents, concentration, 4e4, AMOUNTS.active)
    leaving = float(loss.mean()) / mean
    balance = Balance(mean * AMOUNTS.active, leaving * mean * AMOUNTS.active, np.zeros((2, 2)), {}, 0.0, (0.0,) * 3)
    return Course(
        series=series,
        structure=Structure(*edges, top=2e-3, voxel=VOXEL, radius=radius, blur=BLUR),
        pristine=pristine,
        charge=xr.zeros_like(profiles.time),
        initial=Measured(1.0),
        motion_sigma=xr.zeros_like(profiles.time),
        sums=[],
        balances=[None, balance],
        leaving=[leaving] * 2,
        turn=1,
    )


def told(loss, mean):
    return front_figure(course=course(loss, mean), cell=CELL, step=1, name="front")


@pytest.mark.parametrize("leaving", [NATURAL, 0.06, 0.042])
@pytest.mark.parametrize("mean", [0.1, 0.2])
def test_a_front_is_placed(leaving, mean):
    height = (np.arange(500) + 0.5) / 500
    reach = 1.45 * mean
    profile = 1 / (1 + np.exp((1 - height - reach) / 0.12))
    figure = told(leaving * mean * profile / profile.mean(), mean)
    half = 1 / (1 + np.exp(-reach / 0.12)) / 2
    depth = THICKNESS * (reach + 0.12 * np.log(1 / half - 1))
    assert figure.value == pytest.approx(1e6 * depth, abs=7)
    assert abs(figure.value - 1e6 * depth) < 1.5 * figure.systematic


@pytest.mark.parametrize("exchange", [0.0, 0.5, 5.0])
@pytest.mark.parametrize("spreading", [0.01, 0.05, 0.3])
@pytest.mark.parametrize("mean", [0.1, 0.2])
def test_even_delithiation_shows_no_front_whatever_its_isotopes_do(exchange, spreading, mean):
    loss = lithium6_loss_from_spreading(
        delithiation=mean,
        fall=0.1,
        electrolyte=AMOUNTS.cathode_electrolyte / AMOUNTS.active,
        active_fraction=NATURAL,
        electrolyte_fraction=ENRICHED,
        exchange=exchange,
        spreading=spreading,
    )
    assert loss.size == CELLS
    figure = told(loss, mean)
    assert figure.value is None
    assert figure.note


def test_where_isotopes_have_spread_a_reader_is_warned():
    even = lithium6_loss_from_spreading(
        delithiation=0.2, fall=0.0, electrolyte=0.86, active_fraction=NATURAL, electrolyte_fraction=ENRICHED,
        exchange=1.0, spreading=0.05,
    )  # fmt: skip
    figure = told(even, 0.2)
    assert figure.note == SPREAD
    assert "diffusion" in spread_warnings([figure])[0]
    assert spread_warnings([]) == ()
