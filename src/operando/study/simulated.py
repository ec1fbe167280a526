"""A simulated study: the twin's raw files with a study file beside them, ready to run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from operando.twin.simulate import simulate

if TYPE_CHECKING:
    from operando.electrochemistry.prescribed import Prescribed
    from operando.electrochemistry.transport.settings import TransportSettings
    from operando.study.inputs import Tell

_STUDY = """\
# The raw files beside this one are as an instrument would have written them. The truth is in truth/: no stage reads it.
name = "{name}, simulated"
cell = "{cell}"

[data]
neutron = "neutron"
xray = "xray"
cycler = "cycler.csv"
clock_offset = "{offset:g} s"
"""


def simulate_study(
    cell: str,
    *,
    out: Path,
    size: str,
    seed: int,
    scans: int | None,
    tell: Tell,
    workers: int = 2,
    evolution: TransportSettings | Prescribed | None = None,
) -> Path:
    """Simulate a cell into `out`; see `operando.twin.simulate.simulate`. Returns the study file written there."""
    session = simulate(
        cell,
        out,
        size=size,
        seed=seed,
        evolution=evolution,
        scans=scans,
        tell=tell,
        workers=workers,
    )
    described = str(Path(cell).resolve()) if cell.endswith(".toml") else cell
    study = out / "study.toml"
    study.write_text(_STUDY.format(name=Path(cell).stem, cell=described, offset=session.clock_offset), encoding="utf-8")
    return study
