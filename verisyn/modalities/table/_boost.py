"""The door to the compiled core (``_core/``): NumPy arrays in, NumPy arrays out; it frees the interpreter's lock."""

from __future__ import annotations

import ctypes as c
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from verisyn.errors import VerisynError

NODE_FIELDS = {"feature": "<i4", "kid": "<i4", "value": "<f4", "cut": "<u2", "by_mask": "<u2"}
NODE = np.dtype(list(NODE_FIELDS.items()))
WEIGHT_FIELDS = {"feature": "<i4", "weight": "<f4"}
WEIGHT = np.dtype(list(WEIGHT_FIELDS.items()))
DEPTHS = 8
"""A row's logits at the questions above one are features of it too, numbered after the parts: one a depth, so many."""
LEVELS = 256
"""As a feature, the levels of an unordered part from this one on share one code."""


def _fields(**names: str) -> list[tuple[str, type]]:
    """List the fields of a C structure, by type."""
    return [(name, getattr(c, "c_" + kind)) for kind, each in names.items() for name in each.split()]


class Settings(c.Structure):
    """Mirrors ``Settings`` of the core."""

    _fields_ = _fields(double="rate l2 level_l2 linear_l2 min_gain", int64="max_rows",
                       int32="folds rounds leaves min_rows tree_rows min_leaf min_side patience growth grow_rows "
                             "doubt")


class Limits(c.Structure):
    """Mirrors ``Limits`` of the core: how long fitting a part may take.

    Attributes
    ----------
    stop : int
        Address of a 32-bit integer that is not 0 once everything shall end.
    seconds : float
        Below 0: no end.
    cut : int
        Told by the fit: questions that were cut short.
    """

    _fields_ = _fields(void_p="stop", double="seconds", int32="cut")


class _Data(c.Structure):
    _fields_ = _fields(int64="rows", int32="features parts",
                       void_p="values names sizes ordered sorted edges score score_at")


class _Pile(c.Structure):
    _fields_ = _fields(void_p="data", int64="used room")

    def copy(self, dtype: np.dtype | str, width: int = 1) -> np.ndarray:
        """Return a copy of what the core piled up."""
        dtype = np.dtype(dtype)
        raw = c.string_at(self.data, self.used * dtype.itemsize * width) if self.used else b""
        return np.frombuffer(raw, dtype).copy()


class _Grown(c.Structure):
    _fields_ = (("nodes", _Pile), ("roots", _Pile), ("masks", _Pile), ("weights", _Pile))


class _Model(c.Structure):
    _fields_ = _fields(int32="nodes size parts", float="unit",
                       void_p="left right first_tree first_mask first_weight root base shift node mask weight score "
                              "score_at")


@cache
def _core() -> c.CDLL:
    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    path = Path(__file__).with_name("_boost_core" + suffix)
    try:
        core = c.CDLL(str(path))
    except OSError as e:
        raise VerisynError(f"The compiled core of verisyn could not be loaded ({e}). In a checkout, build it with "
                           "'pip install -e .' or 'python hatch_build.py'; otherwise reinstall verisyn.") from None
    i32, i64, p = c.c_int32, c.c_int64, c.c_void_p
    core.code_tree.argtypes = [i32, p, p, i32, i32, p, p, p, p]
    core.fit_part.argtypes = [p, p, p, i32, i32, p, p, p, c.c_uint64, p, p, p, p, p]
    core.free_grown.argtypes = [p]
    core.free_grown.restype = None
    core.draw.argtypes = [p, p, i32, i64, c.c_uint64, p, p, p]
    core.draw_within.argtypes = [p, p, i32, i64, p, c.c_uint64, p, p]
    core.follow.argtypes = [p, p, i32, i64, p, p, p, p]
    core.dependence.argtypes = [p, i64, i32, p]
    core.dependence.restype = None
    return core


def _at(array: np.ndarray) -> int:
    return array.ctypes.data


def _done(status: int) -> None:
    if status:
        raise MemoryError("There was not enough memory for the tree generator.")


@dataclass(frozen=True)
class CodeTree:
    """A part as a tree of yes-or-no questions, parents first.

    Attributes
    ----------
    left, right : int32 arrays of shape (inner nodes,)
        Children: an inner node, or ``~code``.
    perm : int32 array of shape (codes,)
        The code at each leaf, from left to right.
    mid : int32 array of shape (inner nodes,)
        Position of the first leaf on a node's right side.
    """

    left: np.ndarray
    right: np.ndarray
    mid: np.ndarray
    perm: np.ndarray

    @classmethod
    def build(cls, counts: np.ndarray, ordered: bool, missing: int) -> CodeTree:
        """Halve the mass of ordered codes again and again, a missing code first; give unordered ones a Huffman tree."""
        size = len(counts)
        counts = np.ascontiguousarray(counts, np.int64)
        order = np.argsort(-counts, kind="stable").astype(np.int32)
        left, right, mid, perm = (np.zeros(n, np.int32) for n in (size - 1, size - 1, size - 1, size))
        nodes = _core().code_tree(size, _at(counts), _at(order), ordered, missing, _at(left), _at(right), _at(mid),
                                  _at(perm))
        _done(nodes < 0)
        return cls(left, right, mid, perm)

    def shares(self, counts: np.ndarray) -> np.ndarray:
        """Of the rows at each node, the share that goes right, from the counts of the codes."""
        sums, out = np.zeros(len(self.left)), np.empty(len(self.left))
        for node in range(len(self.left) - 1, -1, -1):  # children have larger numbers
            left, right = (sums[kid] if kid >= 0 else counts[~kid] for kid in (self.left[node], self.right[node]))
            sums[node], out[node] = left + right, (right + 0.5) / (left + right + 1)
        return out

    @property
    def position(self) -> np.ndarray:
        """The leaf position of each code."""
        out = np.empty_like(self.perm)
        out[self.perm] = np.arange(len(self.perm), dtype=np.int32)
        return out


@dataclass(frozen=True)
class Scores:
    """What linear parts add up: float32 normal scores of codes, part after part; where each part's begin, or -1."""

    values: np.ndarray
    at: np.ndarray


@dataclass(frozen=True)
class Features:
    """The parts a part is told of: uint16 codes, (rows, features), Fortran order; their numbers, sizes, orders."""

    values: np.ndarray
    names: np.ndarray
    sizes: np.ndarray
    ordered: np.ndarray
    scores: Scores


@dataclass(frozen=True)
class Forest:
    """A fitted part: p(code | codes before it)."""

    tree: CodeTree
    base: np.ndarray
    shift: np.ndarray
    first_tree: np.ndarray
    first_mask: np.ndarray
    first_weight: np.ndarray
    root: np.ndarray
    node: np.ndarray
    mask: np.ndarray
    weight: np.ndarray
    scores: Scores

    @classmethod
    def fit(cls, settings: Settings, tree: CodeTree, codes: np.ndarray, features: Features, seed: int,
            limits: Limits) -> Forest:
        """Boost every node of `tree`; `codes` are this part's, one a row."""
        position = tree.position[codes]
        order = np.argsort(position, kind="stable").astype(np.int32)
        edges = np.concatenate([[0], np.cumsum(np.bincount(position, minlength=len(tree.perm)))])
        scores, nodes = features.scores, len(tree.left)
        score_at = np.ascontiguousarray(scores.at[features.names])
        data = _Data(len(codes), len(features.names), len(scores.at), *(_at(a) for a in (
            features.values, features.names, features.sizes, features.ordered, order, edges, scores.values, score_at)))
        base = np.zeros(nodes, "<f4")
        first_tree, first_mask, first_weight = (np.zeros(nodes + 1, "<i4") for _ in range(3))
        grown = _Grown()
        try:
            _done(_core().fit_part(
                c.byref(settings), c.byref(limits), c.byref(data), nodes, len(tree.perm), _at(tree.left),
                _at(tree.right), _at(tree.mid), seed, _at(base), _at(first_tree),
                _at(first_mask), _at(first_weight), c.byref(grown)))
            root, node = grown.roots.copy("<i4"), grown.nodes.copy(NODE)
            mask, weight = grown.masks.copy("<u8", 4).reshape(-1, 4), grown.weights.copy(WEIGHT)
        finally:
            _core().free_grown(c.byref(grown))
        shift = np.zeros(nodes, "<f4")
        return cls(tree, base, shift, first_tree, first_mask, first_weight, root, node, mask, weight, scores)

    def _model(self) -> _Model:
        t, most = self.tree, float(np.abs(self.node["value"]).max(initial=0))
        unit = 2.0 ** (np.frexp(most)[1] - 14) if most else 1.0  # a leaf's value fits 16 bits
        return _Model(len(t.left), len(t.perm), len(self.scores.at), unit, *(_at(a) for a in (
            t.left, t.right, self.first_tree, self.first_mask, self.first_weight, self.root, self.base, self.shift,
            self.node, self.mask, self.weight, self.scores.values, self.scores.at)))

    def draw(self, x: np.ndarray, seed: int, order: np.ndarray, share: np.ndarray | None = None) -> np.ndarray:
        """Draw one code a row, int32.

        Parameters
        ----------
        x : uint16 array of shape (rows, parts + DEPTHS), C order
            Codes of the parts before this one; the last columns are scratch.
        seed : int
            64 bits.
        order : int32 array of shape (rows,)
            The rows in the order in which the part before has left them; sorted by this part's codes in place.
        share : float64 array of shape (inner nodes,), optional
            Of the rows at each question, those that shall go right: sets `shift`.
        """
        codes = np.empty(len(x), np.int32)
        _done(_core().draw(c.byref(self._model()), _at(x), x.shape[1], len(x), seed, _at(codes), _at(order),
                           None if share is None else _at(share)))
        return codes

    def draw_within(self, x: np.ndarray, seed: int, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw one code a row among the `allowed` (bool, one at least), and the log of their mass, float64."""
        codes, log_mass, mask = np.empty(len(x), np.int32), np.zeros(len(x)), np.ascontiguousarray(allowed, np.uint8)
        _done(_core().draw_within(c.byref(self._model()), _at(x), x.shape[1], len(x), _at(mask), seed, _at(codes),
                                  _at(log_mass)))
        return codes, log_mass

    def log_prob(self, x: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return log p(code | `x`) for each row; `x` as in `draw`."""
        codes, out, position = np.ascontiguousarray(codes, np.int32), np.zeros(len(codes)), self.tree.position
        _done(_core().follow(c.byref(self._model()), _at(x), x.shape[1], len(codes), _at(codes), _at(position),
                             _at(self.tree.mid), _at(out)))
        return out


def dependence(coarse: np.ndarray, part: int) -> np.ndarray:
    """Return the mutual information of a part with each before it; codes are under 16, uint8, in Fortran order."""
    out = np.zeros(part)
    _core().dependence(_at(coarse), len(coarse), part, _at(out))
    return out
