"""Words without meaning, in many scripts, and the letter cases in which a text may be written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_WORDS = [
    "a", "ab", "ac", "ad", "adipisci", "aliquam", "aliquid", "amet", "animi", "aperiam", "aut", "autem", "beatae",
    "commodi", "consectetur", "corporis", "culpa", "cum", "debitis", "delectus", "dicta", "dolor", "dolorem",
    "dolores", "ducimus", "ea", "eius", "enim", "eos", "error", "esse", "est", "et", "eum", "eveniet", "ex",
    "excepturi", "expedita", "explicabo", "facere", "fuga", "fugit", "harum", "hic", "id", "illo", "impedit",
    "in", "incidunt", "inventore", "ipsa", "ipsum", "iste", "itaque", "iure", "iusto", "labore", "laborum",
    "libero", "magnam", "maiores", "maxime", "minima", "minus", "modi", "molestias", "mollitia", "nam", "natus",
    "nemo", "nihil", "nisi", "nobis", "non", "nostrum", "nulla", "numquam", "odio", "odit", "officia", "omnis",
    "optio", "pariatur", "perferendis", "placeat", "porro", "possimus", "quae", "quam", "quas", "quasi", "qui",
    "quia", "quidem", "quis", "quo", "quod", "quos", "ratione", "recusandae", "reiciendis", "rem", "repellat",
    "rerum", "sapiente", "sed", "sequi", "similique", "sint", "sit", "soluta", "sunt", "suscipit", "tempora",
    "tenetur", "totam", "ullam", "unde", "ut", "vel", "velit", "veniam", "vero", "vitae", "voluptas", "voluptate",
    "voluptatum",
]
_LATIN = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Script:
    """A script: letters that recognise it, one letter for each of a to z (or the characters of a solid script).

    `solid` scripts write no spaces between words; their length is counted in characters.
    """

    recognise: str
    letters: str
    solid: bool = False


SCRIPTS = {
    "latin": Script(r"[A-Za-zÀ-ɏ]", _LATIN),
    "cyrillic": Script(r"[Ѐ-ӿ]", "абцдефгхийклмнопкрстувшхыз"),
    "greek": Script(r"[Ͱ-Ͽ]", "αβχδεφγηιξκλμνοπθρστυωψζηζ"),
    "arabic": Script(r"[؀-ۿ]", "ابتدهفجحيذكلمنوبقرستوثخشيز"),
    "hebrew": Script(r"[֐-׿]", "אבגדהפגחייכלמנופקרסתוושעיז"),
    "devanagari": Script(r"[ऀ-ॿ]", "अबचदएफगहइजकलमनओपखरसतउवधषयझ"),
    "thai": Script(r"[฀-๿]", "กขคงจฉชซญดตถทธนบปผพฟมยรลวส", True),
    "kana": Script(r"[぀-ヿ]", "いろはにほへとちりぬるをわかよたれそつねならむうのお", True),
    "han": Script(r"[一-鿿]", "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余", True),
    "hangul": Script(r"[가-힣]", "가나다라마바사아자차카타파하고노도로모보소오조초코토"),
}


def script_of(text: str) -> str:
    """Return the name of the script that most letters of `text` belong to; kana wins over the han mixed with it.

    Examples
    --------
    >>> script_of("Привет, world!"), script_of("東京タワーへ行く")
    ('cyrillic', 'kana')
    """
    counts = {name: len(re.findall(script.recognise, text)) for name, script in SCRIPTS.items()}
    if counts["kana"] * 4 > counts["han"] > 0:
        counts["kana"] += counts["han"]
    return max(counts, key=lambda name: counts[name])


def words_in(script: str) -> tuple[np.ndarray, str]:
    """Return the placeholder words of a script (single characters of a solid one), and what stands between words."""
    letters = SCRIPTS[script].letters
    if SCRIPTS[script].solid:
        return np.array(list(letters), object), ""
    table = str.maketrans(_LATIN, letters)
    return np.array([word.translate(table) for word in _WORDS], object), " "


def _sentences(text: str, words: int, joint: str) -> str:
    """Capitalise the first letter, and begin a new sentence every so many words (0: never)."""
    if not words or not joint:
        return text[:1].upper() + text[1:]
    all_words = text.split(joint)
    parts = [joint.join(all_words[at:at + words]) for at in range(0, len(all_words), words)]
    return ". ".join(part[:1].upper() + part[1:] for part in parts)


CASES: dict[str, Callable[[str, int, str], str]] = {
    "lower": lambda text, words, joint: text,
    "upper": lambda text, words, joint: text.upper(),
    "title": lambda text, words, joint: text.title(),
    "sentence": _sentences,
}
