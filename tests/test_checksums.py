"""Checksums against published examples, Faker's own generators and the errors they promise to catch."""

from __future__ import annotations

import pytest
from faker import Faker
from hypothesis import given
from hypothesis import strategies as st

from verisyn.kinds._checksums import CHECKS

PUBLISHED = {
    "luhn": ["4111111111111111", "378282246310005", "6011111111111117"],
    "imei": ["490154203237518"],
    "ean": ["4006381333931", "036000291452", "96385074", "9780306406157"],
    "isbn10": ["0306406152", "080442957X"],
    "vin": ["1M8GDM9AXKP042788", "11111111111111111"],
    "iban": ["GB82WEST12345698765432", "DE89370400440532013000", "FR1420041010050500013M02606"],
    "de_steuer_id": ["86095742719"],
    "es_dni": ["12345678Z", "X1234567L"],
    "it_codice_fiscale": ["RSSMRA85T10A562S"],
    "fr_nir": ["255081416802538"],
    "nl_bsn": ["111222333"],
    "pl_pesel": ["44051401359"],
    "br_cpf": ["52998224725"],
    "in_aadhaar": ["234123412346"],
    "cn_resident_id": ["11010519491231002X"],
}


def test_every_checksum_has_a_published_example():
    assert set(PUBLISHED) == set(CHECKS)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_examples_pass_and_no_changed_digit_does(name):
    check = CHECKS[name]
    for number in PUBLISHED[name]:
        assert check.passes(number)
        at = next(i for i, c in enumerate(number) if c.isdigit() and i >= 2)
        others = [number[:at] + d + number[at + 1:] for d in "0123456789" if d != number[at]]
        assert not any(check.passes(other) for other in others)


@pytest.mark.parametrize("name", PUBLISHED)
def test_nonsense_fails_without_an_error(name):
    for nonsense in ("", "é", "-" * 11, "A" * 16, "०" * 12):
        assert CHECKS[name].passes(nonsense) in (True, False)
    assert not CHECKS[name].passes("")


@given(st.text("0123456789", min_size=11, max_size=11), st.integers(0, 11), st.integers(1, 9))
def test_verhoeff_catches_every_single_error_and_every_swap_of_neighbours(body, at, add):
    check = CHECKS["in_aadhaar"]
    number = check.complete(body)
    assert check.passes(number)
    wrong = number[:at] + str((int(number[at]) + add) % 10) + number[at + 1:]
    assert not check.passes(wrong)
    if at < 11 and number[at] != number[at + 1]:
        assert not check.passes(number[:at] + number[at + 1] + number[at] + number[at + 2:])


@pytest.mark.parametrize(("locale", "method", "name"), [
    ("it_IT", "ssn", "it_codice_fiscale"), ("pl_PL", "pesel", "pl_pesel"), ("pt_BR", "cpf", "br_cpf"),
    ("es_ES", "nie", "es_dni"), ("zh_CN", "ssn", "cn_resident_id"), ("fr_FR", "ssn", "fr_nir"),
    ("nl_NL", "ssn", "nl_bsn"),
    ("de_DE", "iban", "iban"), ("en_US", "credit_card_number", "luhn"), ("en_US", "ean13", "ean"),
    ("en_US", "vin", "vin"),
])
def test_agrees_with_faker(locale, method, name):
    faker = Faker(locale)
    faker.seed_instance(1)
    for _ in range(50):
        bare = "".join(c for c in getattr(faker, method)() if c.isalnum())
        assert CHECKS[name].passes(bare), bare


@given(st.text("0123456789", min_size=8, max_size=8))
def test_a_body_without_a_check_digit_is_changed_until_it_has_one(body):
    if body != "9" * 8:
        assert CHECKS["nl_bsn"].passes(CHECKS["nl_bsn"].complete(body))
