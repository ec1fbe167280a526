import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

from operando.cell.builtin import load_cell
from operando.electrochemistry.prescribed import Prescribed
from operando.electrochemistry.transport.settings import TransportSettings
from operando.errors import InputError
from operando.io.cycler import read_cycler
from operando.io.nxtomo_reader import read_scan
from operando.twin import presets
from operando.twin.presets import SIZES, size_from_name
from operando.twin.simulate import simulate


@pytest.fixture
def tiny(monkeypatch):
    size = replace(
        SIZES["small"], name="tiny", projections=5, xray_projections=3, neutron_pixel=80e-6, neutron_rows=40,
        neutron_columns=80, xray_voxel=80e-6, xray_rows=40, xray_columns=80, open_beams=2, darks=2, black_bodies=2,
    )  # fmt: skip
    monkeypatch.setitem(presets.SIZES, "tiny", size)
    return size


PRESCRIBED = Prescribed()
"""Fronts that cost nothing, where the instrument is what a test is about."""


def counts(path):
    with h5py.File(path) as file:
        return file["entry/instrument/detector/data"][:]


def test_a_session_is_written_whole_and_reads_back(tiny, tmp_path):
    told = []
    made = simulate(
        "cell-b",
        tmp_path / "out",
        size="tiny",
        seed=3,
        scans=3,
        evolution=PRESCRIBED,
        tell=lambda *what: told.append(what),
    )
    assert [path.name for path in made.neutron] == ["scan_00.nx", "scan_01.nx", "scan_02.nx"]
    assert told == [("tomographies", n, 3) for n in (1, 2, 3)]
    scans = [read_scan(path) for path in made.neutron]
    # The tomography that would have begun 50 min after the first is missing.
    assert [scan.start for scan in scans] == pytest.approx([0, 25 * 60, 75 * 60])
    assert scans[0].projections.shape == (5, 40, 80)
    assert scans[0].black_body_sample.angle.values == pytest.approx([0, np.pi])
    assert scans[0].beam.collimation == pytest.approx(333)
    xray = read_scan(made.xray[2])
    assert xray.projections.shape == (3, 40, 80)
    assert xray.beam.source_to_object == pytest.approx(89e-3)
    assert xray.black_body_open is None
    record = read_cycler(made.cycler)
    assert float(record.time[-1]) == pytest.approx(made.clock_offset + 100 * 60)
    truth = json.loads((made.truth / "truth.json").read_text())
    assert [scan["start"] for scan in truth["scans"]] == [scan.start for scan in scans]
    assert truth["scans"][0]["lithiation"]["mean"] == pytest.approx(1.0)
    assert truth["scans"][2]["lithiation"]["mean"] < 1.0
    assert np.shape(truth["instrument"]["xray_to_neutron"]) == (4, 4)
    assert len(truth["instrument"]["nuisances"]["drift"]) == 3
    first, last = (np.load(made.truth / f"state_{scan:02d}.npz") for scan in (0, 2))
    assert first["lithium"].shape == first["phase"].shape
    # Nothing but the evolution moves lithium, and it moves none out of the cell.
    assert last["lithium"].sum() == pytest.approx(first["lithium"].sum(), rel=1e-6)
    assert (last["lithium"] != first["lithium"]).any()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_the_same_seed_gives_the_same_bits_whatever_the_number_of_workers(tiny, tmp_path):
    one, many, other = (
        simulate("cell-b", tmp_path / str(i), size="tiny", seed=seed, scans=1, evolution=PRESCRIBED, workers=workers)
        for i, (seed, workers) in enumerate(((5, 1), (5, 4), (6, 1)))
    )
    for modality in ("neutron", "xray"):
        first, second, third = (counts(getattr(made, modality)[0]) for made in (one, many, other))
        assert (first == second).all()
        assert (first != third).mean() > 0.5
    assert (one.truth / "truth.json").read_text() == (many.truth / "truth.json").read_text()


def test_fewer_scans_are_the_first_of_more(tiny, tmp_path):
    short, long = (simulate("cell-b", tmp_path / str(n), size="tiny", scans=n, evolution=PRESCRIBED) for n in (1, 2))
    assert (counts(short.neutron[0]) == counts(long.neutron[0])).all()


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"size": "huge"}, "size"),
        ({"scans": 0}, "scans"),
        ({"scans": 25}, "scans"),
        ({"seed": -1}, "seed"),
        ({"workers": 0}, "workers"),
        ({"evolution": Prescribed(1.5)}, "exchange"),
        ({"cell": "cell-z"}, "cell"),
    ],
)
def test_refuses_what_breaks_a_rule_and_leaves_nothing_behind(tiny, tmp_path, arguments, name):
    known = {"cell": "cell-b", "out": tmp_path / "out", "size": "tiny", "scans": 1, "evolution": PRESCRIBED}
    with pytest.raises(InputError, match=name):
        simulate(**known | arguments)
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_folder_that_holds_anything(tiny, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="out"):
        simulate("cell-b", tmp_path, size="tiny", scans=1)
    with pytest.raises(InputError, match="out"):
        simulate("cell-b", tmp_path / "notes.txt", size="tiny", scans=1)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_refuses_a_cell_that_does_not_fit_the_image(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(presets.SIZES, "tiny", replace(tiny, neutron_columns=60))
    with pytest.raises(InputError, match=r"fit the neutron image.*4 mm wide"):
        simulate("cell-b", tmp_path / "out", size="tiny", scans=1)
    assert list(tmp_path.iterdir()) == []


def test_a_session_that_breaks_leaves_nothing_behind(tiny, tmp_path):
    def stop(what, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate("cell-b", tmp_path / "out", size="tiny", scans=2, evolution=PRESCRIBED, tell=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["small", "paper"])
def test_both_sizes_expose_the_cell_alike_and_hold_it(name):
    size = size_from_name(name)
    per_area = size.neutrons * size.projections / size.neutron_pixel**2
    assert per_area == pytest.approx(300 * 799 / (14e-6) ** 2)
    outside = load_cell("cell-a").body.outer_diameter.value
    assert size.neutron_columns * size.neutron_pixel > 1.2 * outside


def test_a_session_on_physics_is_written_the_same_way_and_says_so(tiny, tmp_path):
    settings = TransportSettings(column=1.5e-3, layer=40e-6)
    made = simulate("cell-b", tmp_path / "out", size="tiny", scans=4, evolution=settings)
    truth = json.loads((made.truth / "truth.json").read_text())
    assert truth["evolution"] == "TransportEvolution"
    first, last = truth["scans"][0], truth["scans"][-1]
    lost, lost6 = (first["cathode"][name] - last["cathode"][name] for name in ("lithium", "lithium6"))
    assert lost > 0
    assert last["separator"]["lithium6"] > first["separator"]["lithium6"]
    # The electrolyte's own lithium, which is poor in Li-6, is the first to leave
    assert 0 < lost6 < truth["isotopes"]["mixture"] * lost
    record = read_cycler(made.cycler)
    charging = record.current.values > 0
    assert record.voltage.values[charging].min() > record.voltage.values[~charging].max()
