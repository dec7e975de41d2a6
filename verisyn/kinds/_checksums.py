"""Checksums of public number systems: whether a number passes, and the number that completes a body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_VIN = dict(zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", [*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)],
                strict=True))
_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
                [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12,
                 14, 16, 10, 22, 25, 24, 23], strict=True))
_UP = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _weighted(body: str, weights: Sequence[int] | str) -> int:
    return sum(int(c) * w for c, w in zip(body, map(int, weights), strict=True))


def luhn(body: str) -> str:
    """Return the Luhn check digit (ISO/IEC 7812) of payment cards and IMEIs."""
    total = sum(d if at % 2 else d * 2 - 9 * (d > 4) for at, d in enumerate(map(int, reversed(body))))
    return str(-total % 10)


def gs1(body: str) -> str:
    """Return the GS1 check digit of EAN, UPC, GTIN and ISBN-13."""
    return str(-sum(int(d) * (1 if at % 2 else 3) for at, d in enumerate(reversed(body))) % 10)


def isbn10(body: str) -> str:
    """Return the check character of an ISBN-10 (X is ten)."""
    return "0123456789X"[-_weighted(body, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11]


def verhoeff(body: str) -> str:
    """Return the Verhoeff check digit (dihedral group of order ten) of Indian Aadhaar numbers."""
    check = 0
    for at, d in enumerate(map(int, reversed(body)), start=1):
        for _ in range(at % 8):
            d = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[d]
        check = _dihedral(check, d)
    return str(check if check >= 5 else -check % 5)


def _dihedral(a: int, b: int) -> int:
    turn = (a % 5 + (b if a < 5 else -b)) % 5
    return turn + 5 * ((a >= 5) != (b >= 5))


def mod_11_10(body: str) -> str:
    """Return the ISO 7064 MOD 11,10 check digit of the German Steuer-ID."""
    product = 10
    for d in map(int, body):
        product = (d + product) % 10 or 10
        product = product * 2 % 11
    return str((11 - product) % 10)


def mod_11_2(body: str) -> str:
    """Return the ISO 7064 MOD 11-2 check character of Chinese resident numbers (X is ten)."""
    return "10X98765432"[_weighted(body, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11]


def bsn(body: str) -> str:
    """Return the last digit of a Dutch BSN (elfproef); empty where none exists."""
    rest = _weighted(body, "98765432") % 11
    return str(rest) if rest < 10 else ""


def pesel(body: str) -> str:
    """Return the check digit of a Polish PESEL."""
    return str(-_weighted(body, "1379137913") % 10)


def cpf(body: str) -> str:
    """Return the two check digits of a Brazilian CPF."""
    first = _weighted(body, [10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10 % 11 % 10
    second = _weighted(body + str(first), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10 % 11 % 10
    return f"{first}{second}"


def dni(body: str) -> str:
    """Return the letter of a Spanish DNI, or of an NIE (whose first letter X, Y, Z stands for 0, 1, 2)."""
    return _LETTERS[int(body.translate(str.maketrans("XYZ", "012"))) % 23]


def nir(body: str) -> str:
    """Return the two-digit key of a French NIR (Corsican departments 2A and 2B count as 19 and 18)."""
    return f"{97 - int(body.replace('2A', '19').replace('2B', '18')) % 97:02d}"


def codice_fiscale(body: str) -> str:
    """Return the check letter of an Italian codice fiscale."""
    total = sum(_ODD[c] if at % 2 == 0 else (int(c) if c.isdigit() else _UP.index(c)) for at, c in enumerate(body))
    return _UP[total % 26]


def iban(body: str) -> str:
    """Return the IBAN's two check digits (ISO 7064 MOD 97-10); `body` is the country and the account."""
    digits = "".join(str(int(c, 36)) for c in body[2:] + body[:2] + "00")
    return f"{98 - int(digits) % 97:02d}"


def vin(body: str) -> str:
    """Return the ninth character of a North American VIN; `body` is the other sixteen."""
    weights = [8, 7, 6, 5, 4, 3, 2, 10, 9, 8, 7, 6, 5, 4, 3, 2]
    return "0123456789X"[sum(_VIN[c] * w for c, w in zip(body, weights, strict=True)) % 11]


@dataclass(frozen=True)
class Check:
    """A checksum: what computes it, what it is called, where its characters stand, and how long a number may be.

    Examples
    --------
    >>> CHECKS["luhn"].passes("4111111111111111"), CHECKS["iban"].passes("DE89370400440532013000")
    (True, True)
    >>> CHECKS["es_dni"].complete("12345678")
    '12345678Z'
    """

    compute: Callable[[str], str]
    said: str
    lengths: tuple[int, ...]
    at: int = -1
    width: int = 1

    def passes(self, number: str) -> bool:
        """Return whether a number without separators has the right length and check characters."""
        if len(number) not in self.lengths:
            return False
        at = self._at(len(number))
        try:
            return self.compute(number[:at] + number[at + self.width:]) == number[at:at + self.width]
        except (ValueError, KeyError):
            return False

    def complete(self, body: str) -> str:
        """Return `body` with its check characters; a digit of a body that has none is raised until it has."""
        at = self._at(len(body) + self.width)
        check = self.compute(body)
        while not check:
            body = str(int(body) + 1).zfill(len(body))
            check = self.compute(body)
        return body[:at] + check + body[at:]

    def _at(self, length: int) -> int:
        return self.at if self.at >= 0 else length - self.width


CHECKS = {
    "luhn": Check(luhn, "Luhn check digit", tuple(range(12, 20))),
    "imei": Check(luhn, "Luhn check digit of IMEIs", (15,)),
    "ean": Check(gs1, "GS1 check digit (EAN, UPC, ISBN-13)", (8, 12, 13, 14)),
    "isbn10": Check(isbn10, "ISBN-10 check character", (10,)),
    "vin": Check(vin, "check character of North American VINs", (17,), at=8),
    "iban": Check(iban, "mod-97 check digits", tuple(range(15, 35)), at=2, width=2),
    "de_steuer_id": Check(mod_11_10, "MOD 11,10 check digit", (11,)),
    "es_dni": Check(dni, "check letter", (9,)),
    "it_codice_fiscale": Check(codice_fiscale, "check letter", (16,)),
    "fr_nir": Check(nir, "mod-97 key", (15,), width=2),
    "nl_bsn": Check(bsn, "eleven-test digit", (9,)),
    "pl_pesel": Check(pesel, "check digit", (11,)),
    "br_cpf": Check(cpf, "two check digits", (11,), width=2),
    "in_aadhaar": Check(verhoeff, "Verhoeff check digit", (12,)),
    "cn_resident_id": Check(mod_11_2, "MOD 11-2 check character", (18,)),
}
