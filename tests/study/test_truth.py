"""What an analysis is held against: the same scans, the same definitions."""

import copy

import numpy as np
import pytest

from operando.cell.builtin import load_cell
from operando.study.truth import true_figures
from operando.twin.truth import described_cell

CELL = load_cell("cell-b")
GAINED, LEFT, EXTENT, DEPTH = (
    "separator, Li-6 gained at 5.00 h",
    "Li-6 fraction of the lithium that left at 5.00 h",
    "isotope exchange at 5.00 h",
    "cathode, front's distance from the separator at 5.00 h",
)


def scan(hours, charge, moved, lost):
    """A scan when so much Li-6 has crossed and so much lithium has left [umol]."""
    z = np.linspace(5e-6, 165e-6, 17)
    return {
        "time": 3600.0 * hours,
        "charge_passed": charge,
        "cathode": {"lithium": (40 - lost) * 1e-6, "lithium6": (2 - moved) * 1e-6},
        "separator": {"lithium": 160e-6, "lithium6": (1.6 + moved) * 1e-6, "lithium6_fraction": (1.6 + moved) / 160},
        "lithiation": {"mean": 0.8, "z": z.tolist(), "profile": (1 - 0.2 * z / 165e-6).tolist()},
    }


TRUTH = {
    "cell": described_cell(CELL),
    "isotopes": {"active": 0.076, "mixture": 0.044},
    "instrument": {"neutron": {"centre": 80.0, "tilt": 0.0}, "xray_to_neutron": np.eye(4).tolist()},
    "scans": [scan(0.2, 0.0, 0.0, 0.0), scan(0.6, 0.0, 0.02, 0.0), scan(5.0, 0.4, 0.25, 4.0)],
}


def test_what_exchanged_before_the_charge_is_no_part_of_what_is_seen_since():
    found = true_figures(TRUTH, [GAINED, LEFT, EXTENT, "separator, Li-6 fraction as assembled"])
    assert found[GAINED] == pytest.approx(0.24)
    assert found[LEFT] == pytest.approx(100 * 0.24 / 4)
    assert found[EXTENT] == pytest.approx(100 * (0.076 - 0.06) / (0.076 - 0.044))
    assert found["separator, Li-6 fraction as assembled"] == pytest.approx(100 * 1.61 / 160)


def test_a_cathode_without_a_front_has_no_true_depth():
    assert 0 < true_figures(TRUTH, [DEPTH])[DEPTH] < 174
    even = copy.deepcopy(TRUTH)
    even["scans"][2]["lithiation"]["profile"] = np.linspace(0.82, 0.76, 17).tolist()
    assert np.isnan(true_figures(even, [DEPTH])[DEPTH])
