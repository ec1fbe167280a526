from dataclasses import replace

import numpy as np
import pytest
import tifffile

from operando.errors import FileError
from operando.io.nxtomo import write_scan
from operando.io.scan import find_scans, open_scan

TOML = """
modality = "xray"
pixel = "50 um"
angles = "0 to 180 deg inclusive"
start = 1970-01-01T00:30:00Z
[frames]
projections = "ct_*.tif"
open_beam = "ob.tif"
dark = "dc.tif"
[beam]
source_to_object = "89 mm"
source_to_detector = "573 mm"
"""


@pytest.fixture
def campaign(tmp_path, make_scan):
    """Three scans in two formats, with names that do not sort by time."""
    scan = make_scan()
    write_scan(tmp_path / "a.nx", replace(scan, name="last", start=3600.0))
    write_scan(tmp_path / "b.nxs", replace(scan, name="first", start=60.0))
    folder = tmp_path / "middle"
    folder.mkdir()
    (folder / "scan.toml").write_text(TOML)
    for i, frame in enumerate(scan.projections.values):
        tifffile.imwrite(folder / f"ct_{i}.tif", frame)
    for role, name in (("open_beam", "ob"), ("dark", "dc")):
        tifffile.imwrite(folder / f"{name}.tif", getattr(scan, role).values, photometric="minisblack")
    (tmp_path / "notes.txt").write_text("not a scan")
    (tmp_path / "truth.h5").write_bytes(b"never read")
    (tmp_path / ".c.nx.unfinished").write_bytes(b"a writer was killed")
    return tmp_path


def test_scans_are_found_in_the_order_in_which_they_began(campaign, make_scan):
    scans = find_scans(campaign)
    assert [scan.shape.name for scan in scans] == ["first", "middle", "last"]
    assert [scan.read().start for scan in scans] == [60.0, 1800.0, 3600.0]
    for scan in scans:
        assert np.array_equal(scan.read().projections, make_scan().projections)
        assert np.array_equal(scan.read(rows=slice(1, 3)).dark, make_scan().dark[:, 1:3])


def test_one_scan_is_found_by_its_own_path(campaign):
    for path in (campaign / "a.nx", campaign / "middle"):
        assert [scan.path for scan in find_scans(path)] == [path]
    assert open_scan(campaign / "middle" / "scan.toml").shape.name == "middle"


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"holds no scan\. Put NXtomo files"):
        find_scans(tmp_path)
    with pytest.raises(FileError, match="no such folder"):
        find_scans(tmp_path / "none")
    with pytest.raises(FileError, match=r"scan\.toml: there is no such file"):
        open_scan(tmp_path)
    with pytest.raises(FileError, match="no such file"):
        open_scan(tmp_path / "none.nx")


def test_one_damaged_scan_refuses_the_folder_by_its_name(campaign):
    content = (campaign / "a.nx").read_bytes()
    (campaign / "a.nx").write_bytes(content[: len(content) // 2])
    with pytest.raises(FileError, match=r"a\.nx"):
        find_scans(campaign)


def test_scans_without_a_time_cannot_be_ordered(campaign):
    (campaign / "middle" / "scan.toml").write_text(TOML.replace("start = 1970-01-01T00:30:00Z", ""))
    with pytest.raises(FileError, match="middle: does not say when"):
        find_scans(campaign)
    assert find_scans(campaign / "middle")[0].shape.started is None


def test_another_file_is_no_scan(campaign):
    with pytest.raises(FileError, match="no tomography"):
        open_scan(campaign / "notes.txt")
