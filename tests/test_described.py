"""Descriptions in TOML: what a user gets wrong is named, with the file, the key and the remedy."""

from pathlib import Path
from typing import Annotated

import pytest

from operando.described import Description, in_unit, measured_in, read_description
from operando.errors import FileError, InputError
from operando.units import Measured


class Layer(Description):
    thickness: Annotated[float, in_unit("m")]
    porosity: Annotated[Measured, measured_in("")] = Measured(0.0)


class Cell(Description):
    name: str
    layers: tuple[Layer, ...] = ()


def written(folder: Path, text: str) -> Path:
    path = folder / "cell.toml"
    path.write_text(text)
    return path


def test_a_description_is_read_in_si(tmp_path: Path) -> None:
    path = written(tmp_path, 'name = "a"\n[[layers]]\nthickness = "14 um"\nporosity = "20 +- 2 %"\n')
    cell = read_description(path, Cell)
    assert cell.layers[0].thickness == pytest.approx(14e-6)
    assert cell.layers[0].porosity == Measured(pytest.approx(0.2), pytest.approx(0.02))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nam = 'a'", r'nam in .*cell.toml must be a known key.*Did you mean "name"'),
        ("name = 'a'\n[[layers]]\nthicknes = '1 um'\nthickness = '1 um'", 'Did you mean "thickness"'),
        ("name = 'a'\n[[layers]]\nthickness = 14.0", r"layers.0.thickness .* must be a number with a unit"),
        ("name = 'a'\n[[layers]]\nthickness = '14 kg'", "in units of m"),
        ("name = 3", "name in .* must be a valid string"),
        ("", "must be given; instead received nothing"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_description(written(tmp_path, text), Cell)


def test_a_file_that_is_no_toml_or_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="not valid TOML"):
        read_description(written(tmp_path, "name = "), Cell)
    with pytest.raises(FileError, match="no such file"):
        read_description(tmp_path / "none.toml", Cell)
    huge = written(tmp_path, "#" * 1_000_001)
    with pytest.raises(FileError, match="too large"):
        read_description(huge, Cell)


def test_a_plain_number_is_a_quantity_where_no_unit_is_wanted(tmp_path: Path) -> None:
    path = written(tmp_path, 'name = "a"\n[[layers]]\nthickness = "1 um"\nporosity = 0.2\n')
    assert read_description(path, Cell).layers[0].porosity.value == pytest.approx(0.2)
