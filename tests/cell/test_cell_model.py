"""Descriptions of cells: what is read, chosen, drawn, and refused with its key and remedy."""

from pathlib import Path

import numpy as np
import pytest

import operando.cell.builtin as builtin
from operando.cell.builtin import BUILTIN, load_cell
from operando.cell.model import Cell
from operando.cell.variants import choices_in, drawn, with_choice
from operando.described import Description
from operando.errors import FileError, InputError
from operando.units import Measured

TEXT = (Path(builtin.__file__).parent / "data" / "cell-b.toml").read_text()


def written(folder: Path, old: str, new: str) -> Path:
    assert old in TEXT
    path = folder / "mine.toml"
    path.write_text(TEXT.replace(old, new, 1))
    return path


def numbers(part: object) -> list[Measured]:
    if isinstance(part, Measured):
        return [part]
    if isinstance(part, Description):
        return [number for _, value in part for number in numbers(value)]
    inner = list(part.values()) if isinstance(part, dict) else part if isinstance(part, tuple) else []
    return [number for value in inner for number in numbers(value)]


def test_the_published_cells_are_built_in() -> None:
    assert BUILTIN == ("cell-a", "cell-b")
    cell = load_cell("cell-b")
    assert cell.body.inner_diameter == Measured(pytest.approx(3e-3))
    assert cell.cathode.porosity == Measured(pytest.approx(0.2), pytest.approx(0.02))
    assert cell.electrolyte.composition.lithium6_fraction == pytest.approx(0.01)
    assert len(cell.scans.starts) == 24
    assert 3000.0 not in cell.scans.starts
    assert load_cell("cell-a").scans.starts[-1] == pytest.approx(10 * 3600.0)


def test_an_own_file_is_read_like_a_built_in_cell(tmp_path: Path) -> None:
    assert load_cell(written(tmp_path, 'name = "cell-b"', 'name = "cell-b"')) == load_cell("cell-b")


def test_where_sources_disagree_the_option_is_named() -> None:
    cell = load_cell("cell-b")
    assert {key: choice.choice for key, choice in choices_in(cell).items()} == {
        "protocol.current_density": "c25",
        "protocol.start": "after 1 h",
        "protocol.steps.0.duration": "time limit",
    }
    longer = with_choice(cell, "protocol.steps.0.duration", "until the minimum")
    assert longer.protocol.steps[0].duration.chosen.value == pytest.approx(8 * 3600.0)
    assert longer.protocol.steps[1] == cell.protocol.steps[1]
    with pytest.raises(InputError, match=r"protocol.current_density must be one of text, c25; instead received c20"):
        with_choice(cell, "protocol.current_density", "c20")
    with pytest.raises(InputError, match=r"must be one of protocol\.current_density"):
        with_choice(cell, "protocol.current", "c25")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("porosity =", "porsity =", r'cathode.porsity in .*mine.toml must be a known key.*Did you mean "porosity"'),
        ('"20 +- 2 %"', '"120 %"', r"cathode.porosity in .* must be zero or more and below 1"),
        ('"100 +- 2 um"', '"-100 um"', r"anode.indium_thickness in .* must be above zero"),
        ('"7.8 +- 0.1 mg"', '"7.8"', r"separator.mass in .* must be in units of kg"),
        ('"0.40 mA/cm^2"', '"0.40 mA"', r"protocol.current_density.options.text in .* must be in units of A/m\^2"),
        ('choice = "c25"', 'choice = "c20"', r"protocol.current_density in .* must be one of text, c25"),
        ('outer_diameter = "4 mm"', 'outer_diameter = "2 mm"', r"body in .* must be larger than inner_diameter"),
        ("LiNi0.83", "LiXx0.83", r"cathode.active in .* must be made of known elements"),
        ('kind = "discharge"', 'kind = "disharge"', r"protocol.steps.1.kind in .* must be 'charge', 'discharge'"),
        ('formula = "In", ', "", r"anode.indium in .* must be given by either formula or weights"),
        ('active_weight = "70 +- 0.5 %"', 'active_weight = "101 %"', "must be between 0 and 1"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_key(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        load_cell(written(tmp_path, old, new))


def test_a_cell_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must be one of cell-a, cell-b or the path of a \.toml file"):
        load_cell("cell-c")
    with pytest.raises(FileError, match="no such file"):
        load_cell(tmp_path / "cell-c.toml")


def test_a_drawn_cell_is_exact_and_may_be_the_stated_one() -> None:
    stated = load_cell("cell-a")
    true = drawn(stated, np.random.default_rng(1))
    assert all(number.sigma == 0 for number in numbers(true))
    assert true == drawn(stated, np.random.default_rng(1)) != drawn(stated, np.random.default_rng(2))
    assert true.protocol == stated.protocol
    apart = [abs(a.value - b.value) / b.sigma for a, b in zip(numbers(true), numbers(stated), strict=True) if b.sigma]
    assert len(apart) >= 10
    assert 0 < max(apart) < 5


def test_draws_scatter_as_stated() -> None:
    stated, rng = load_cell("cell-b"), np.random.default_rng(3)
    porosities = np.array([drawn(stated, rng).cathode.porosity.value for _ in range(300)])
    assert porosities.mean() == pytest.approx(0.2, abs=4 * 0.02 / np.sqrt(300))
    assert porosities.std() == pytest.approx(0.02, rel=4 / np.sqrt(2 * 300))


def test_a_draw_that_cannot_be_is_drawn_again() -> None:
    cell = load_cell("cell-b")
    doubtful = cell.model_copy(
        update={"electrolyte": cell.electrolyte.model_copy(update={"lithium7": Measured(0.999, 0.05)})}
    )
    rng = np.random.default_rng(0)
    enrichments = [drawn(doubtful, rng).electrolyte.lithium7 for _ in range(60)]
    assert all(e is not None and 0 <= e.value <= 1 for e in enrichments)


def test_cells_cannot_be_changed() -> None:
    cell: Cell = load_cell("cell-b")
    with pytest.raises(ValueError, match="frozen"):
        cell.name = "other"  # type: ignore[misc]
