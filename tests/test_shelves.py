"""The shelves: things list themselves, nothing is imported until taken, names are forgiving."""

import subprocess
import sys

import pytest

from verisyn.errors import UserError
from verisyn.shelves import SHELVES, generators, kinds


@pytest.mark.parametrize("shelf", SHELVES)
def test_everything_on_a_shelf_has_its_one_line(shelf):
    names = SHELVES[shelf].names()
    assert names
    for name in names:
        assert len(SHELVES[shelf].blurb(name)) > 15, name


def test_a_short_name_and_a_wrong_one():
    assert generators.full_name("trees") == "table.trees"
    with pytest.raises(UserError, match="Did you mean 'trees'"):
        generators.take("treees")
    with pytest.raises(UserError, match="There is no kind called 'numbr'"):
        kinds.take("numbr")


def test_listing_imports_nothing():
    code = """
import sys
from verisyn.shelves import SHELVES
for shelf in SHELVES.values():
    for name in shelf.names():
        shelf.blurb(name)
taken = [m for m in sys.modules if m.startswith(("verisyn.kinds.", "verisyn.metrics.", "verisyn.modalities.table"))]
assert not taken, taken
"""
    subprocess.run([sys.executable, "-c", code], check=True)
