"""Memory of a run against the number of scans, at half the published size: 512 x 512 pixels of 28 um, 400 projections.

One scan of cell B is simulated, written several times at other starts, and run in processes of its own. The peak is the
sum of the resident memory of all of them, sampled five times a second, so that pages that they share count twice.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from operando.electrochemistry.prescribed import Prescribed
from operando.io.nxtomo import write_scan
from operando.io.nxtomo_reader import read_scan
from operando.twin import presets
from operando.twin.simulate import simulate

LIMIT = 4e9
COUNTS = (4, 24)
HOUR = 3600.0


def main() -> None:
    """Print one row for each number of scans."""
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        _write_scans(raw, max(COUNTS))
        print(f"{'scans':>6}{'peak GB':>9}{'of limit':>10}{'CPU s':>8}")
        for count in COUNTS:
            peak, seconds = _run(Path(folder), raw, count)
            print(f"{count:6}{peak / 1e9:9.2f}{peak / LIMIT:10.0%}{seconds:8.0f}")


def _write_scans(folder: Path, count: int) -> None:
    """Write one simulated scan `count` times, an hour apart."""
    small = presets.SIZES["small"]
    presets.SIZES["half"] = replace(small, name="half", projections=400, neutron_rows=512, neutron_columns=512, rays=1)
    once = simulate("cell-b", folder / "once", size="half", seed=1, scans=1, evolution=Prescribed())
    scan = read_scan(once.neutron[0])
    for i in range(count):
        write_scan(folder / f"scan_{i:02d}.nx", replace(scan, start=scan.start + i * HOUR))


def _run(folder: Path, raw: Path, count: int) -> tuple[float, float]:
    """Peak memory [byte] and CPU time [s] of a run."""
    chosen = folder / f"chosen-{count}"
    chosen.mkdir()
    for path in sorted(raw.glob("*.nx"))[:count]:
        (chosen / path.name).hardlink_to(path)
    study = folder / f"study-{count}.toml"
    study.write_text(
        f'name = "memory"\ncell = "cell-b"\nresults = "results-{count}"\n[data]\nneutron = "{chosen.name}"\n'
        f'[run]\nworkers = 2\nmemory = "{LIMIT / 1e9:g} GB"\n'
    )
    program = f"from operando.cli.main import main; main(['run', {str(study)!r}])"
    before = _cpu_seconds()
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(_resident(pid) for pid in _family(process.pid)))
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit(f"the run of {count} scans failed")
    return float(peak), _cpu_seconds() - before


def _family(pid: int) -> Iterator[int]:
    """A process and all that it started."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _text(task).split():
            yield from _family(int(child))


def _resident(pid: int) -> int:
    """Resident memory [byte]; 0 for a process that has ended."""
    pages = _text(Path(f"/proc/{pid}/statm")).split()
    return int(pages[1]) * resource.getpagesize() if pages else 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
