"""Results survive: whole or absent, damage found, resumed only for the same input."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from operando.errors import FileError
from operando.study.store import Store, fingerprint_of


@pytest.fixture
def dataset() -> xr.Dataset:
    values = np.random.default_rng(0).random((4, 5, 6)).astype(np.float32)
    values[0] = 0
    return xr.Dataset(
        {"attenuation": (("z", "y", "x"), values, {"units": "1/m"})},
        coords={"z": ("z", np.arange(4.0), {"units": "m"})},
        attrs={"phases": ["air", "casing"]},
    )


def chunks(store: Store) -> list[Path]:
    return [path for path in (store.root / "volume/scan-000/attenuation/c").rglob("*") if path.is_file()]


def test_what_is_written_is_read_back(tmp_path: Path, dataset: xr.Dataset) -> None:
    store = Store(tmp_path / "study.zarr")
    store.write("volume/scan-000", dataset, fingerprint="a")
    xr.testing.assert_identical(store.read("volume/scan-000"), dataset)
    assert store.holds("volume/scan-000", fingerprint="a")
    assert not store.holds("volume/scan-000", fingerprint="b")
    assert not store.holds("volume/scan-001", fingerprint="a")


def test_every_flipped_bit_in_a_chunk_is_found(tmp_path: Path, dataset: xr.Dataset) -> None:
    store = Store(tmp_path / "study.zarr")
    store.write("volume/scan-000", dataset, fingerprint="a")
    (chunk,) = chunks(store)
    whole = chunk.read_bytes()
    rng = np.random.default_rng(1)
    for byte in rng.integers(0, len(whole), 40):
        damaged = bytearray(whole)
        damaged[byte] ^= 1 << int(rng.integers(8))
        chunk.write_bytes(bytes(damaged))
        with contextlib.suppress(FileError):  # or a bit of the frame's header that changes nothing
            xr.testing.assert_identical(store.read("volume/scan-000"), dataset)


def test_a_missing_chunk_is_refused_not_read_as_zero(tmp_path: Path, dataset: xr.Dataset) -> None:
    store = Store(tmp_path / "study.zarr")
    store.write("volume/scan-000", dataset, fingerprint="a")
    chunks(store)[0].unlink()
    with pytest.raises(FileError, match="a chunk is missing"):
        store.read("volume/scan-000")
    assert len(store.verify()) == 1


def test_a_killed_writer_leaves_the_old_result(tmp_path: Path, dataset: xr.Dataset, monkeypatch) -> None:
    store = Store(tmp_path / "study.zarr")
    store.write("volume/scan-000", dataset, fingerprint="a")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("operando.study.store._put_in_place", killed)
    with pytest.raises(KeyboardInterrupt):
        store.write("volume/scan-000", dataset * 2, fingerprint="b")
    monkeypatch.undo()
    assert store.holds("volume/scan-000", fingerprint="a")
    xr.testing.assert_identical(store.read("volume/scan-000"), dataset)


def test_a_fingerprint_changes_with_what_it_stands_for(tmp_path: Path) -> None:
    raw = tmp_path / "scan.nx"
    raw.write_text("a")
    first = fingerprint_of("volume", 1.0, raw)
    assert first == fingerprint_of("volume", 1.0, raw)
    raw.write_text("ab")
    assert first != fingerprint_of("volume", 1.0, raw)
    assert fingerprint_of(np.array([1.0])) != fingerprint_of(np.array([2.0]))
