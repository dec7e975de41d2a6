"""What the tests share: where the real data sets are, if they are here at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve()
DATA = Path(os.environ.get("VERISYN_DATA", _HERE.parents[2] / "shared" / "data"))


@pytest.fixture
def real():
    """Give the path of a real data set's parquet file; skip, visibly, where the data sets are absent."""

    def path(name: str) -> Path:
        found = DATA / name / "data.parquet"
        if not found.exists():
            pytest.skip(f"real data set {name!r} is not here (set VERISYN_DATA)")
        return found

    return path
