"""The documents name every command, option and shelf there is."""

import re
import runpy
from pathlib import Path

import pytest
import typer

from verisyn import cli
from verisyn.shelves import kinds

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = typer.main.get_command(cli.app).commands


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name):
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert f"verisyn {name}" in text
    for option in COMMANDS[name].params:
        for flag in option.opts if option.param_type_name == "option" else ():
            assert f"`{flag}`" in text, f"{name} {flag}"


def test_the_page_of_metrics_is_what_they_say():
    made = runpy.run_path(str(ROOT / "docs" / "make_metrics.py"))["page"]()
    assert (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8") == made, "run python docs/make_metrics.py"


def test_links_between_documents_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_guide_names_every_kind_somewhere():
    text = (ROOT / "docs" / "kinds.md").read_text(encoding="utf-8")
    assert not [k for k in kinds.names() if f"`{k}`" not in text]
