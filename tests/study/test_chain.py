"""The whole chain on a small simulated session: from raw files to a report, interrupted, repeated, shared out."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from operando.cli.main import main
from operando.electrochemistry.prescribed import Prescribed
from operando.study.simulated import simulate_study
from operando.study.store import Store

SCANS = 3


def silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the simulated session; no test writes into it."""
    out = tmp_path_factory.mktemp("session") / "cell-b"
    simulate_study("cell-b", out=out, size="small", seed=3, evolution=Prescribed(), scans=SCANS, tell=silent, workers=1)
    return out


@pytest.fixture(scope="session")
def finished(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results folder of a run that nothing disturbed, in one process."""
    study = study_in(tmp_path_factory.mktemp("finished"), raw)
    main(["run", str(study)])
    return study.parent / "results"


def study_in(folder: Path, raw: Path, *, top: str = "", run: str = "workers = 1") -> Path:
    """Write a study file of the session's raw files into `folder`."""
    text = (raw / "study.toml").read_text()
    for name in ("neutron", "xray", "cycler.csv"):
        text = text.replace(f'"{name}"', f'"{raw / name}"')
    study = folder / "study.toml"
    study.write_text(f"{top}\n{text}\n[run]\n{run}\n")
    return study


def groups(results: Path) -> list[str]:
    store = results / "study.zarr"
    found = [path.parent.relative_to(store).as_posix() for path in store.glob("*/*/zarr.json")]
    return sorted(found)


def assert_same_bits(results: Path, other: Path) -> None:
    assert groups(results) == groups(other)
    for group in groups(results):
        mine, theirs = (Store(folder / "study.zarr").read(group) for folder in (results, other))
        xr.testing.assert_equal(mine, theirs)
        assert mine.attrs == theirs.attrs
    figures = [json.loads((folder / "summary.json").read_text())["figures"] for folder in (results, other)]
    assert figures[0] == figures[1]


def test_raw_scans_become_a_report(finished: Path) -> None:
    assert {f"scans/{i:03d}" for i in range(SCANS)} <= set(groups(finished))
    assert Store(finished / "study.zarr").verify() == []
    summary = json.loads((finished / "summary.json").read_text())
    assert summary["status"] == "complete"
    thickness = next(f for f in summary["figures"] if f["name"] == "separator thickness")
    assert 600 < thickness["value"] < 900
    assert thickness["systematic"] > 0
    page = (finished / "report.html").read_text()
    assert page.count("data:image/png") >= len(list((finished / "figures").glob("*.png"))) >= 5
    assert not [path for path in finished.rglob("*") if path.suffix in (".unfinished", ".writing")]


def test_coordinates_and_values_state_their_units(finished: Path) -> None:
    for group in groups(finished):
        for name, variable in Store(finished / "study.zarr").read(group).variables.items():
            assert "units" in variable.attrs, f"{name} of {group}"


def test_a_cathode_at_the_wrong_end_fails_with_status_1(raw: Path, tmp_path: Path, capsys) -> None:
    study = study_in(tmp_path, raw, top='cathode_at = "bottom"')
    with pytest.raises(SystemExit) as stopped:
        main(["run", str(study)])
    said = capsys.readouterr().err
    assert stopped.value.code == 1, said
    assert "Traceback" not in said
    assert not (tmp_path / "results/report.html").exists()


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bits(raw: Path, finished: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    from operando.study import scans

    study, unit, done = study_in(tmp_path, raw), scans._volume_unit, []

    def killed_at_the_second(job: tuple) -> None:
        if done:
            raise KeyboardInterrupt
        unit(job)
        done.append(job)

    monkeypatch.setattr(scans, "_volume_unit", killed_at_the_second)
    with pytest.raises(SystemExit) as stopped:
        main(["run", str(study)])
    assert stopped.value.code == 130
    assert "What was finished is kept" in capsys.readouterr().err
    assert groups(tmp_path / "results") == ["scans/000", "scans/001"]
    assert not (tmp_path / "results/summary.json").exists()
    kept = [tmp_path / f"results/study.zarr/scans/{i:03d}/zarr.json" for i in range(2)]
    before = [path.stat().st_mtime_ns for path in kept]
    monkeypatch.undo()
    main(["run", str(study)])
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert_same_bits(tmp_path / "results", finished)


@pytest.mark.slow
def test_fresh_computes_volumes_again(raw: Path, tmp_path: Path) -> None:
    """Maps, which take a second a scan, are drawn anew by every run."""
    study = study_in(tmp_path, raw)
    written = []
    for arguments in ([], [], ["--fresh"]):
        main(["run", str(study), *arguments])
        paths = sorted((tmp_path / "results/study.zarr/scans").glob("*/zarr.json"))
        assert len(paths) == SCANS
        written.append([path.stat().st_mtime_ns for path in paths])
    assert written[1] == written[0]
    assert all(later > earlier for later, earlier in zip(written[2], written[0], strict=True))


@pytest.mark.slow
def test_workers_do_not_change_the_results(raw: Path, finished: Path, tmp_path: Path) -> None:
    main(["run", str(study_in(tmp_path, raw, run="workers = 2"))])
    assert_same_bits(tmp_path / "results", finished)


@pytest.mark.slow
def test_little_memory_changes_results_by_less_than_their_errors(raw: Path, finished: Path, tmp_path: Path) -> None:
    """The rotation axis is sought in as many rows as memory holds, so that the bits are others."""
    main(["run", str(study_in(tmp_path, raw, run='memory = "0.2 GB"'))])
    mine, theirs = (
        {f["name"]: f for f in json.loads((folder / "summary.json").read_text())["figures"]}
        for folder in (tmp_path / "results", finished)
    )
    assert mine.keys() == theirs.keys()
    told = [name for name in mine if mine[name]["value"] is not None]
    assert len(told) > 8
    for name in told:
        error = np.hypot(theirs[name]["statistical"], theirs[name]["systematic"])
        assert abs(mine[name]["value"] - theirs[name]["value"]) <= error, name
