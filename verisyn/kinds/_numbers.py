"""Personal numbers of the world: their shapes, checksums, and bodies from which new ones are made."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Number:
    """A kind of number: its shape without separators, its checksum, and the bodies from which new ones are made.

    `hints` are words of a column name; `hinted` numbers are claimed only where the name has one of them.
    `reserved` completes "new ones …"; it is empty where no range is known to be free.
    """

    said: str
    shape: str
    bodies: dict[str, str]
    check: str = ""
    hints: frozenset[str] = field(default_factory=frozenset)
    hinted: bool = False
    locale: str = ""
    reserved: str = ""


def _n(said: str, shape: str, body: str, check: str = "", hints: str = "", **more) -> Number:
    return Number(said, shape, {"": body}, check, frozenset(hints.split()), **more)


NUMBERS = {
    "iban": Number("IBANs", r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$", {
        "DE": r"DE0{8}\d{10}", "GB": r"GBX{4}0{6}\d{8}", "FR": r"FR0{10}[A-Z0-9]{11}\d{2}", "ES": r"ES0{8}\d{12}",
        "IT": r"ITX0{10}[A-Z0-9]{12}", "NL": r"NLX{4}\d{10}", "BE": r"BE000\d{9}", "AT": r"AT0{5}\d{11}",
        "CH": r"CH0{5}[A-Z0-9]{12}", "PL": r"PL0{8}\d{16}", "PT": r"PT0{8}\d{13}", "SE": r"SE000\d{17}"},
        "iban", frozenset({"iban", "account", "konto"}), reserved="have a bank code of zeros or X"),
    "card": Number("payment card numbers", r"^[2-6]\d{11,18}$", {
        "4": r"424242\d{9}", "5": r"555555\d{9}", "2": r"555555\d{9}", "3": r"378282\d{8}", "6": r"601111\d{9}"},
        "luhn", frozenset({"card", "cc", "pan", "credit"}),
        reserved="begin like the test numbers that card processors publish"),
    "us_ssn": _n("US social security numbers", r"^\d{9}$", r"9\d{2}[1-4]\d{5}", "", "ssn social", hinted=True,
                 locale="en_US", reserved="begin with 9, as no issued number does"),
    "uk_nino": _n("UK national insurance numbers", r"^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$", r"QQ\d{6}[A-D]",
                  "", "nino insurance ni", locale="en_GB", reserved="begin with QQ, as no issued number does"),
    "de_steuer_id": _n("German tax numbers", r"^\d{11}$", r"0[1-9]\d{8}", "de_steuer_id", "steuer tax tin",
                       locale="de_DE", reserved="begin with 0, as test numbers do"),
    "br_cpf": _n("Brazilian CPF numbers", r"^\d{11}$", r"\d{9}", "br_cpf", "cpf", locale="pt_BR"),
    "pl_pesel": _n("Polish PESEL numbers", r"^\d{11}$", r"\d{2}0[1-9][0-2][1-9]\d{4}", "pl_pesel", "pesel",
                   locale="pl_PL"),
    "es_dni": _n("Spanish DNI or NIE numbers", r"^(\d{8}|[XYZ]\d{7})[A-Z]$", r"\d{8}", "es_dni", "dni nie nif",
                 locale="es_ES"),
    "it_codice_fiscale": _n("Italian fiscal codes", r"^[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]$",
                            r"[BCDFGLMNPRSTV]{6}\d{2}[ABCDEHLMPRST][12]\dZ9\d{2}", "it_codice_fiscale",
                            "codice fiscale", locale="it_IT"),
    "fr_nir": _n("French social security numbers", r"^[12378]\d{4}(\d{2}|2[AB])\d{8}$", r"[12]\d{2}0[1-9]99\d{6}",
                 "fr_nir", "nir secu insee", locale="fr_FR"),
    "nl_bsn": _n("Dutch BSN numbers", r"^\d{9}$", r"[1-8]\d{7}", "nl_bsn", "bsn sofi", locale="nl_NL"),
    "in_aadhaar": _n("Indian Aadhaar numbers", r"^[2-9]\d{11}$", r"1\d{10}", "in_aadhaar", "aadhaar aadhar uid",
                     locale="en_IN", reserved="begin with 1, as no issued number does"),
    "cn_resident_id": _n("Chinese resident numbers", r"^\d{17}[\dX]$", r"99000019[5-9]\d0[1-9][12]\d{4}",
                         "cn_resident_id", "resident shenfen", locale="zh_CN",
                         reserved="have the region 990000, which does not exist"),
}
"""Longer and rarer shapes first; numbers whose checksum one in ten passes by chance need twenty values or a hint."""
