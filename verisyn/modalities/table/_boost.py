"""The door to the compiled core (``_boost.c``): NumPy arrays in, NumPy arrays out; it frees the interpreter's lock."""

from __future__ import annotations

import ctypes as c
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from verisyn.errors import VerisynError

NODE = np.dtype({"names": ["feature", "kid", "value", "cut", "by_mask"],
                 "formats": ["<i4", "<i4", "<f4", "<u2", "<u2"], "itemsize": 16})
LEVELS = 256
"""As a feature, the levels of an unordered part from this one on share one code."""


class Settings(c.Structure):
    """Mirrors ``Settings`` of the core."""

    _fields_ = (*((n, c.c_double) for n in ("rate", "l2", "level_l2", "min_gain")), ("max_rows", c.c_int64),
                *((n, c.c_int32) for n in ("folds", "rounds", "leaves", "min_rows", "min_leaf", "min_side", "patience")))


class _Data(c.Structure):
    _fields_ = (("rows", c.c_int64), ("features", c.c_int32),
                *((n, c.c_void_p) for n in ("values", "names", "sizes", "ordered", "sorted", "edges")))


class _Pile(c.Structure):
    _fields_ = (("data", c.c_void_p), ("used", c.c_int64), ("room", c.c_int64))

    def copy(self, dtype: np.dtype | str, width: int = 1) -> np.ndarray:
        """Return a copy of what the core piled up."""
        dtype = np.dtype(dtype)
        raw = c.string_at(self.data, self.used * dtype.itemsize * width) if self.used else b""
        return np.frombuffer(raw, dtype).copy()


class _Grown(c.Structure):
    _fields_ = (("nodes", _Pile), ("roots", _Pile), ("masks", _Pile))


class _Model(c.Structure):
    _fields_ = (("nodes", c.c_int32), ("size", c.c_int32),
                *((n, c.c_void_p) for n in ("left", "right", "first_tree", "first_mask", "root", "base", "node", "mask")))


@cache
def _core() -> c.CDLL:
    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    path = Path(__file__).with_name("_boost" + suffix)
    try:
        core = c.CDLL(str(path))
    except OSError as e:
        raise VerisynError(f"The compiled core of verisyn could not be loaded ({e}). In a checkout, build it with "
                           "'pip install -e .' or 'python hatch_build.py'; otherwise reinstall verisyn.") from None
    i32, i64, f64, p = c.c_int32, c.c_int64, c.c_double, c.c_void_p
    core.code_tree.argtypes = [i32, p, p, i32, i32, p, p, p, p]
    core.fit_part.argtypes = [p, p, i32, i32, p, p, p, c.c_uint64, p, p, p, p]
    core.free_grown.argtypes = [p]
    core.free_grown.restype = None
    core.walk.argtypes = [p, p, i32, i64, p, p, p, p, p]
    core.walk_within.argtypes = [p, p, i32, i64, p, p, p, p]
    core.dependence.argtypes = [p, i64, i32, p]
    core.dependence.restype = None
    assert f64 is c.c_double
    return core
