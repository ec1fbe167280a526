"""A session at the simulated beamline: raw files as the instrument would write them, and the truth apart."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from operando.cell.amounts import (
    amounts_from_cell,
    area_from_cell,
    cathode_thickness_from_cell,
    separator_thickness_from_cell,
)
from operando.cell.builtin import load_cell
from operando.cell.variants import drawn
from operando.electrochemistry.prescribed import Prescribed, PrescribedEvolution
from operando.electrochemistry.transport.evolution import TransportEvolution
from operando.electrochemistry.transport.settings import TransportSettings
from operando.errors import InputError
from operando.frames import Grid
from operando.io.cycler import write_cycler
from operando.materials.cross_sections import PAPER_TABLE
from operando.twin.cycling import cycler_record
from operando.twin.detector import generator
from operando.twin.matter import (
    matter_from_cell,
    neutron_cross_sections_of,
    neutron_volumes,
    xray_attenuations,
    xray_volumes,
)
from operando.twin.neutron import NeutronSample, neutron_camera
from operando.twin.presets import Size, size_from_name
from operando.twin.priors import InstrumentPriors, drawn_nuisances
from operando.twin.projector import packed_levels
from operando.twin.recording import record_neutrons, record_xrays
from operando.twin.truth import (
    described_cell,
    figures_at,
    instrument_truth,
    isotope_fractions,
    write_state,
    write_truth,
)
from operando.twin.xray import XraySample, upright, xray_camera, xray_pose

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import xarray as xr

    from operando.cell.model import Cell
    from operando.electrochemistry.state import Evolution

Tell = Callable[[str, int, int], None]
"""Called with what is being done, how many units are done, and how many there are."""

CELL, NUISANCES, NEUTRON_CAMERA, XRAY_CAMERA, NEUTRONS, XRAYS = range(6)
"""Purposes of random numbers: each has streams of its own."""

SHIFT = (0.0, 0.31, -0.23)
"""Where the simulated grid lies against the axis and the cathode's face, in its voxels along (z, y, x)."""

MARGIN = 8
"""Detector pixels of air wanted on each side of the cell, and of pin above and below the stack."""


@dataclass(frozen=True)
class Simulated:
    """What was written.

    Attributes
    ----------
    neutron, xray:
        One NXtomo file per scan, in order.
    cycler:
        Time, current and voltage.
    truth:
        Folder that no analysis reads.
    clock_offset:
        Cycler time at the start of the first scan [s].
    """

    out: Path
    neutron: tuple[Path, ...]
    xray: tuple[Path, ...]
    cycler: Path
    truth: Path
    clock_offset: float


def simulate(
    cell: str | Path,
    out: Path,
    *,
    size: str = "small",
    seed: int = 0,
    evolution: TransportSettings | Prescribed | None = None,
    scans: int | None = None,
    priors: InstrumentPriors | None = None,
    tell: Tell = lambda what, done, total: None,
    workers: int = 2,
) -> Simulated:
    """Simulate a session: `out` appears whole, or not at all.

    The cell is drawn from its stated uncertainties and the instrument from `priors`, both by `seed`.

    Parameters
    ----------
    cell:
        Name of a built-in cell, or a TOML description.
    out:
        Folder that does not exist or is empty.
    evolution:
        How lithium and its isotopes move: solved for with these settings of its transport, by default with its own,
        or prescribed.
    scans:
        Only the first so many.
    workers:
        Threads; any number gives the same bits.

    Raises
    ------
    InputError
        If an argument breaks a rule, `out` holds anything, or the cell does not fit the image.
    FileError
        If there is no such cell.
    """
    pixels = size_from_name(size)
    described = load_cell(cell)
    starts = _first(described.scans.starts, scans)
    if workers < 1:
        raise InputError("workers", must="one or more", received=workers)
    if seed < 0:
        raise InputError("seed", must="zero or more", received=seed)
    _check_out(out)
    true_cell = drawn(described, generator(seed, CELL))
    followed = partial(_evolution, cell=true_cell, seed=seed, settings=evolution or TransportSettings())
    session = Session(true_cell, pixels, seed, followed, priors or InstrumentPriors(), len(starts))
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".unfinished", dir=out.parent))
    try:
        folder.chmod(0o755)
        with ThreadPoolExecutor(workers) as pool:
            offset = session.record(folder, starts, pool, tell)
        _check_out(out)
        folder.replace(out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    names = [_name(scan) for scan in range(len(starts))]
    return Simulated(
        out=out,
        neutron=tuple(out / "neutron" / name for name in names),
        xray=tuple(out / "xray" / name for name in names),
        cycler=out / "cycler.csv",
        truth=out / "truth",
        clock_offset=offset,
    )


class Session:
    """One cell at one instrument, both drawn and now fixed."""

    def __init__(
        self,
        cell: Cell,
        size: Size,
        seed: int,
        evolution: Callable[..., Evolution],
        priors: InstrumentPriors,
        scans: int,
    ) -> None:
        self._cell, self._size, self._seed = cell, size, seed
        self._height = stack_height(cell)
        check_fits(cell=cell, size=size, height=self._height)
        self._nuisances = drawn_nuisances(priors=priors, rng=generator(seed, NUISANCES), scans=scans)
        self._matter = matter_from_cell(cell)
        self._grid = simulated_grid(cell=cell, size=size, height=self._height)
        self._evolution = evolution(grid=self._grid)
        settings: dict[str, Any] = {"size": size, "nuisances": self._nuisances, "priors": priors}
        self._neutron = neutron_camera(**settings, height=self._height / 2, rng=generator(seed, NEUTRON_CAMERA))
        self._xray = xray_camera(**settings, rng=generator(seed, XRAY_CAMERA))

    def record(self, folder: Path, starts: tuple[float, ...], pool: Executor, tell: Tell) -> float:
        """Write all files; returns the cycler's time at the start of the first scan [s]."""
        for name in ("neutron", "xray", "truth"):
            (folder / name).mkdir()
        duration = self._cell.scans.duration.value
        figures = []
        for scan, start in enumerate(starts):
            middle = start + duration / 2
            state = self._evolution.state(middle)
            clock = (start, duration)
            record_neutrons(
                folder / "neutron" / _name(scan), camera=self._neutron, sample=self._neutron_sample(state, scan),
                size=self._size, clock=clock, key=(self._seed, NEUTRONS, scan), pool=pool,
            )  # fmt: skip
            record_xrays(
                folder / "xray" / _name(scan), camera=self._xray, sample=self._xray_sample(state, scan),
                size=self._size, clock=clock, key=(self._seed, XRAYS, scan), pool=pool,
            )  # fmt: skip
            figures.append({"start": start} | figures_at(cell=self._cell, evolution=self._evolution, time=middle))
            if scan in (0, len(starts) - 1):
                write_state(folder / "truth" / f"state_{scan:02d}.npz", state)
            tell("tomographies", scan + 1, len(starts))
        solved = self._evolution.voltage if isinstance(self._evolution, TransportEvolution) else None
        record, offset = cycler_record(cell=self._evolution.cell, end=starts[-1] + duration, voltage=solved)
        write_cycler(folder / "cycler.csv", record)
        write_truth(folder / "truth" / "truth.json", self._truth(figures, offset))
        return offset

    def _neutron_sample(self, state: xr.Dataset, scan: int) -> NeutronSample:
        return NeutronSample(
            columns=neutron_volumes(state=state, matter=self._matter, table=PAPER_TABLE),
            grid=self._grid,
            casing=neutron_cross_sections_of(self._matter.host("casing"), PAPER_TABLE),
            pins=neutron_cross_sections_of(self._matter.host("cathode_collector"), PAPER_TABLE),
            bore=self._cell.body.inner_diameter.value / 2,
            outside=self._cell.body.outer_diameter.value / 2,
            shift=self._nuisances.drift[scan],
        )

    def _xray_sample(self, state: xr.Dataset, scan: int) -> XraySample:
        middle = (0.0, 0.0, self._height / 2)
        pose = xray_pose(nuisances=self._nuisances, centre=middle, drift=self._nuisances.drift[scan])
        columns, grid = upright(volumes=xray_volumes(state=state, matter=self._matter), grid=self._grid, pose=pose)
        packed, levels = packed_levels(columns)
        return XraySample(
            columns=packed,
            levels=levels,
            attenuations=xray_attenuations(matter=self._matter, spectrum=self._xray.spectrum),
            grid=grid,
            pose=pose,
            bore=self._cell.body.inner_diameter.value / 2,
            outside=self._cell.body.outer_diameter.value / 2,
        )

    def _truth(self, figures: list[dict[str, Any]], offset: float) -> dict[str, Any]:
        pose = xray_pose(nuisances=self._nuisances, centre=(0.0, 0.0, self._height / 2), drift=(0.0, 0.0, 0.0))
        instrument = instrument_truth(nuisances=self._nuisances, neutron=self._neutron, xray=self._xray, pose=pose)
        return {
            "size": self._size.name,
            "seed": self._seed,
            "evolution": type(self._evolution).__name__,
            "clock_offset": offset,
            "cell": described_cell(self._evolution.cell),
            "isotopes": isotope_fractions(self._cell),
            "instrument": instrument,
            "scans": figures,
        }


def _evolution(*, cell: Cell, grid: Grid, seed: int, settings: TransportSettings | Prescribed) -> Evolution:
    if isinstance(settings, Prescribed):
        return PrescribedEvolution(cell=cell, grid=grid, seed=seed, exchange=settings.exchange)
    return TransportEvolution(cell=cell, grid=grid, seed=seed, settings=settings)


def stack_height(cell: Cell) -> float:
    """Height from the cathode's collector that holds the stack at its fullest, wrinkles included [m]."""
    area, amounts = area_from_cell(cell=cell), amounts_from_cell(cell=cell)
    alloy, lithium = cell.anode.alloy, cell.anode.lithium
    anode = (
        amounts.indium * alloy.composition.molar_mass / alloy.density.value
        + amounts.lithium_foil * lithium.composition.molar_mass / lithium.density.value
    ) / area
    return cathode_thickness_from_cell(cell=cell) + separator_thickness_from_cell(cell=cell) + 1.5 * anode


def simulated_grid(*, cell: Cell, size: Size, height: float) -> Grid:
    """Lay the simulated voxels, off the detector's pixels in size and place; they begin and end in the pins."""
    spacing = size.neutron_pixel * size.voxel_per_pixel
    half = int(np.ceil(cell.body.inner_diameter.value / 2 / spacing)) + 2
    wide = 2 * half + 1
    origin = ((SHIFT[0] - 1.5) * spacing, (SHIFT[1] - half) * spacing, (SHIFT[2] - half) * spacing)
    return Grid(shape=(int(np.ceil(height / spacing)) + 4, wide, wide), spacing=(spacing,) * 3, origin=origin)


def check_fits(*, cell: Cell, size: Size, height: float) -> None:
    """Refuse a cell that does not fit both images with some air at its sides."""
    outside = cell.body.outer_diameter.value
    for beam, pixel, rows, columns in (
        ("neutron", size.neutron_pixel, size.neutron_rows, size.neutron_columns),
        ("X-ray", size.xray_voxel, size.xray_rows, size.xray_columns),
    ):
        room = ((columns - 2 * MARGIN) * pixel, (rows - 2 * MARGIN) * pixel)
        if outside > room[0] or height > room[1]:
            raise InputError(
                "cell",
                must=f"at most {1e3 * room[0]:.3g} mm wide and {1e3 * room[1]:.3g} mm high to fit the {beam} image",
                received=f"{1e3 * outside:.3g} mm wide, {1e3 * height:.3g} mm high",
                remedy="Describe a smaller cell.",
            )


def _first(starts: tuple[float, ...], scans: int | None) -> tuple[float, ...]:
    if scans is not None and not 1 <= scans <= len(starts):
        raise InputError("scans", must=f"from 1 to {len(starts)} for this cell", received=scans)
    return starts[:scans]


def _check_out(out: Path) -> None:
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise InputError(
            "out", must="a folder that does not exist or is empty", received=str(out), remedy="Choose another folder."
        )


def _name(scan: int) -> str:
    return f"scan_{scan:02d}.nx"
