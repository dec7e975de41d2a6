"""Builds what is not Python: the compiled core of the tree generator, and the script that draws the report's charts.

Hatchling runs it on ``pip install``; run ``python hatch_build.py`` to build both in a checkout that is not installed
(for the charts it needs vl-convert-python).
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ModuleNotFoundError:  # run as a script, outside a build
    BuildHookInterface = object  # type: ignore[assignment,misc]


ROOT = Path(__file__).parent
CORE = ROOT / "verisyn/modalities/table/_core"
LIBRARY = CORE.with_name("_boost_core" + {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so"))
CHARTS = ROOT / "verisyn/report/vega.js"
# No fused multiply-add and no fast-math: the same bytes on every processor.
FLAGS = ["-O2", "-std=c99", "-ffp-contract=off", "-shared", *([] if sys.platform == "win32" else ["-fPIC"])]


def candidates() -> list[list[str]]:
    """List the compilers to try, the user's own choice first; the ziglang wheel brings one where there is none."""
    named = [shlex.split(os.environ["CC"])] if os.environ.get("CC") else []
    usual = [[path] for name in ("cc", "gcc", "clang") if (path := shutil.which(name))]
    zig = [[sys.executable, "-m", "ziglang", "cc", "-mcpu=baseline"]] if find_spec("ziglang") else []
    return [*named, *usual, *zig]


def compile_core(target: Path) -> list[str]:
    """Compile the core with the first compiler that can; return what each one before it said."""
    said = []
    for compiler in candidates():
        math = [] if sys.platform == "win32" else ["-lm"]
        command = [*compiler, *FLAGS, *map(str, sorted(CORE.glob("*.c"))), "-o", str(target), *math]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as e:
            said.append(f"{compiler[0]}: {e}")
            continue
        if done.returncode == 0:
            return said
        said.append(f"{' '.join(compiler)}: {done.stderr.strip()[-800:]}")
    tried = "\n".join(said) or "No compiler was found (looked for $CC, cc, gcc, clang and the ziglang package)."
    raise RuntimeError("verisyn could not compile its core (plain C99). Install a C compiler, or the Python "
                       f"package ziglang, and try again.\n{tried}")


def write_charts() -> None:
    """Write Vega, Vega-Lite and Vega-Embed as one script, so that reports work offline."""
    import vl_convert

    CHARTS.parent.mkdir(parents=True, exist_ok=True)
    CHARTS.write_text(vl_convert.javascript_bundle(), encoding="utf-8")


def wheel_tag() -> str:
    """Name the platform but no Python version: the core uses nothing of Python's."""
    system = sysconfig.get_platform().replace("universal2", platform.machine())
    return f"py3-none-{system.replace('-', '_').replace('.', '_')}"


class Build(BuildHookInterface):
    """Hatchling's hook."""

    def dependencies(self) -> list[str]:
        """Ask for the ziglang wheel only where no compiler of the machine works."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                compile_core(Path(folder) / LIBRARY.name)
            except RuntimeError:
                return ["ziglang>=0.13"]
        return []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build both files and add them to the wheel (an editable install finds them in the checkout)."""
        compile_core(LIBRARY)
        write_charts()
        build_data["pure_python"] = False
        build_data["tag"] = wheel_tag()
        build_data["artifacts"] += [f"/{path.relative_to(ROOT).as_posix()}" for path in (LIBRARY, CHARTS)]


if __name__ == "__main__":
    compile_core(LIBRARY)
    write_charts()
    print(f"Built {LIBRARY.relative_to(ROOT)} and {CHARTS.relative_to(ROOT)}.")
