"""A study from raw files to report: each kind of measurement on its own road, one report of all."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from operando import __version__
from operando.io.beside import written_beside
from operando.report.html import report_html
from operando.study.inputs import Tell, inputs_of
from operando.study.magnetic.measured import measurement_of
from operando.study.magnetic.road import run_magnetic
from operando.study.settings import Study
from operando.study.store import Store, fingerprint_of
from operando.study.summary import Summary, write_summary
from operando.study.tomographies import run_tomographies

if TYPE_CHECKING:
    from operando.study.magnetic.settings import MagneticStudy
    from operando.study.outcome import Outcome

LIBRARIES = ("finufft", "h5py", "numba", "numpy", "scipy", "simpleitk", "xarray", "zarr")
"""Whose versions a report names."""


def run_study(study: Study | MagneticStudy, *, study_file: Path, tell: Tell, fresh: bool = False) -> Summary:
    """Run a study, or what is left of it.

    Raises
    ------
    FileError, InputError
        If the raw files or settings are not as they must be; results that were there stay.
    RunError
        If the data do not show what the study looks for.
    """
    tomographies = inputs_of(study) if isinstance(study, Study) else None
    measurement = measurement_of(study.magnetic) if study.magnetic is not None else None
    study.results.mkdir(parents=True, exist_ok=True)
    store = Store(study.results / "study.zarr")
    again = os.urandom(8).hex() if fresh else ""
    outcomes = []
    if tomographies is not None:
        outcomes.append(run_tomographies(tomographies, store=store, again=again, tell=tell))
    if study.magnetic is not None and measurement is not None:
        outcomes.append(run_magnetic(study.magnetic, measurement, store=store, again=again, tell=tell))
    summary = Summary(
        study.name,
        "complete",
        tuple(chain.from_iterable(outcome.figures for outcome in outcomes)),
        tuple(chain.from_iterable(outcome.warnings for outcome in outcomes)),
        study.results / "report.html",
    )
    _report(summary, outcomes, study_file, tell)
    return summary


def _report(summary: Summary, outcomes: list[Outcome], study_file: Path, tell: Tell) -> None:
    """Write figures, summary and report beside the store."""
    folder = summary.report.parent
    (folder / "figures").mkdir(exist_ok=True)
    pictures = []
    for name, png, caption in chain.from_iterable(outcome.pictures for outcome in outcomes):
        with written_beside(folder / "figures" / f"{name}.png") as beside:
            beside.write_bytes(png)
        pictures.append((name, png, caption))
        tell("figures", len(pictures), len(pictures))
    prints = [outcome.fingerprint for outcome in outcomes]
    base = prints[0] if len(prints) == 1 else fingerprint_of(prints)
    settings = study_file.read_text(encoding="utf-8")
    versions = {"operando": __version__, "python": platform.python_version(), "fingerprint": base}
    page = report_html(
        title=summary.study,
        figures=pictures,
        summary=summary.entry(),
        settings_text=settings,
        versions=versions | {name: version(name) for name in LIBRARIES},
        warnings=(),
    )
    with written_beside(summary.report) as beside:
        beside.write_text(page, encoding="utf-8")
    with written_beside(folder / "study.toml") as beside:
        beside.write_text(settings, encoding="utf-8")
    write_summary(folder / "summary.json", summary)
