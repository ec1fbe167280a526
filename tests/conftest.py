"""Shared by the whole suite: the measured data, and hypothesis without wall-clock deadlines."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("operando", deadline=None, max_examples=30)
settings.load_profile("operando")


@pytest.fixture(scope="session")
def measured_data() -> Path:
    """Folder of measured data that is not in the repository; tests that use it are marked `real_data`."""
    root = Path(__file__).parents[1]
    folder = Path(os.environ.get("OPERANDO_DATA", root / "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"measured data not present at {folder}; set OPERANDO_DATA to its folder")
    return folder
