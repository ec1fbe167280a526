import numpy as np
import pytest

from operando.cell.amounts import amounts_from_cell
from operando.cell.builtin import load_cell
from operando.cell.phases import LABEL
from operando.electrochemistry.prescribed import PrescribedEvolution
from operando.materials.cross_sections import PAPER_TABLE
from operando.materials.formula import AVOGADRO, LITHIUM6, LITHIUM7
from operando.materials.spectrum import Spectrum
from operando.twin.matter import SUBSTANCES, Matter, matter_from_cell, neutron_volumes, xray_attenuations, xray_volumes
from operando.twin.presets import SIZES
from operando.twin.simulate import simulated_grid, stack_height

CELL = load_cell("cell-b")
GRID = simulated_grid(cell=CELL, size=SIZES["small"], height=stack_height(CELL))


@pytest.fixture(scope="module")
def evolution():
    return PrescribedEvolution(cell=CELL, grid=GRID, seed=0, exchange=0.5)


@pytest.fixture(scope="module")
def state(evolution):
    return evolution.state(750.0)


def inner(state, phase):
    """Voxels of a phase away from its faces and from the bore."""
    label = state.phase.values == LABEL[phase]
    y, x = GRID.coordinate("y")[:, None], GRID.coordinate("x")
    label = label & (np.hypot(y, x) < 1.3e-3)
    return label & np.roll(label, 2, axis=0) & np.roll(label, -2, axis=0)


def test_layers_attenuate_as_tabulated(state):
    # Fully dense at 11 meV [1/cm]: electrolyte of 99 % Li-7 0.880, cathode at x = 1 with electrolyte of 100 % Li-7
    # 2.343, to which 1 % Li-6 in 52.28 % of the volume adds 0.330 x 0.5228; both with a fifth of pores.
    total = neutron_volumes(state=state, matter=matter_from_cell(CELL), table=PAPER_TABLE).sum(axis=2)
    total = total.transpose(2, 0, 1) / 100
    assert total[inner(state, "separator")].mean() == pytest.approx(0.8 * 0.880, rel=0.01)
    assert total[inner(state, "cathode")].mean() == pytest.approx(0.8 * (2.343 + 0.330 * 0.5228), rel=0.01)
    assert total[inner(state, "indium")].mean() == pytest.approx(11.63, rel=0.01)


@pytest.mark.parametrize("time", [750.0, 8 * 3600.0])
def test_every_lithium_atom_counts_once(evolution, time):
    nothing_else = Matter(solid={})
    volumes = neutron_volumes(state=evolution.state(time), matter=nothing_else, table=PAPER_TABLE)
    inventory = evolution.inventory(time)
    parts = (inventory.cathode, inventory.separator, inventory.anode)
    lithium6 = sum(part.lithium6 for part in parts)
    lithium7 = sum(part.total for part in parts) - lithium6
    for part, cross_section in enumerate((PAPER_TABLE.absorption, PAPER_TABLE.scattering)):
        expected = AVOGADRO * (lithium6 * cross_section(LITHIUM6) + lithium7 * cross_section(LITHIUM7))
        found = volumes[:, :, part].sum(dtype=float) * GRID.voxel_volume
        assert found == pytest.approx(expected, rel=1e-5)


def test_xrays_see_the_indium_that_the_cell_holds(evolution):
    matter = matter_from_cell(CELL)
    volumes = [xray_volumes(state=evolution.state(t), matter=matter) for t in (750.0, 8 * 3600.0)]
    indium = SUBSTANCES.index("indium")
    dense = CELL.anode.indium.density.value / CELL.anode.indium.composition.molar_mass
    for held in volumes:
        amount = held[indium].sum(dtype=float) * GRID.voxel_volume * dense
        # Voxels that are mostly lithium, separator or pin count as that: the rim of the foil is lost to them.
        assert amount == pytest.approx(amounts_from_cell(cell=CELL).indium, rel=0.05)
    assert (volumes[0][indium] != volumes[1][indium]).any()


def test_xray_attenuations_at_60_kev():
    spectrum = Spectrum(energy=np.array([60e3]), weight=np.array([1.0]))
    found = dict(
        zip(
            (*SUBSTANCES, "casing"),
            xray_attenuations(matter=matter_from_cell(CELL), spectrum=spectrum)[:, 0] / 100,
            strict=True,
        )
    )
    assert found["indium"] == pytest.approx(46, rel=0.03)
    assert found["cathode_collector"] == found["anode_collector"] == pytest.approx(9.5, rel=0.05)
    assert found["separator"] == pytest.approx(0.69, rel=0.03)
    assert found["lithium"] == pytest.approx(0.08, rel=0.05)
    assert found["casing"] == pytest.approx(1.084, rel=0.02)  # NIST's mass attenuations of Al, Zn, Cu, ... by weight
    assert found["cathode"] == pytest.approx(0.4772 * 4.5 + 0.5228 * 0.69, rel=0.03)
