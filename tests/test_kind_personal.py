"""Personal data: what is claimed, that invented people hang together, and that no real value comes back."""

from __future__ import annotations

import json
import re

import numpy as np
import polars as pl
import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st

from verisyn.errors import UserError
from verisyn.kinds import Declined, Draw, personal
from verisyn.kinds._checksums import CHECKS
from verisyn.kinds._invent import INVENT
from verisyn.kinds._people import folded
from verisyn.schema import Column


def fake(locale, *methods, rows=200):
    faker = Faker(locale)
    faker.seed_instance(7)
    return [[getattr(faker, m)() for _ in range(rows)] for m in methods]


def columns_of(frame):
    return [Column(name=n, kind="personal", settings=personal.recognise(frame[n], n).settings) for n in frame.columns]


def learn(frame, columns=None):
    return personal.Coder.learn(frame, columns or columns_of(frame), np.random.default_rng(0))


def draw(rows, start=0, seed=3):
    return Draw(np.random.default_rng(1), np.random.default_rng((seed, start)).integers(0, 2**62, rows), start)


def make(frame, columns=None, start=0):
    coder = learn(frame, columns)
    return coder.decode(coder.encode(frame), draw(frame.height, start))


CLAIMED = [
    ("de_DE", "name", "kundenname", "name"), ("en_US", "first_name", "fname", "first_name"),
    ("fr_FR", "last_name", "lastName", "last_name"), ("es_ES", "name", "customer_name", "name"),
    ("pl_PL", "email", "x", "email"), ("en_US", "phone_number", "phone", "phone"),
    ("de_DE", "phone_number", "tel", "phone"),
    ("en_GB", "street_address", "address", "address"), ("de_DE", "iban", "x", "iban"), ("en_US", "ssn", "x", "us_ssn"),
    ("en_US", "credit_card_number", "x", "card"), ("pt_BR", "cpf", "x", "br_cpf"), ("pl_PL", "pesel", "x", "pl_pesel"),
    ("it_IT", "ssn", "x", "it_codice_fiscale"), ("es_ES", "nie", "x", "es_dni"), ("nl_NL", "ssn", "x", "nl_bsn"),
    ("zh_CN", "ssn", "x", "cn_resident_id"), ("en_US", "ipv4", "x", "ipv4"), ("en_US", "ipv6", "x", "ipv6"),
    ("en_US", "mac_address", "mac", "mac"), ("en_US", "postcode", "zip_code", "postcode"),
    ("en_US", "license_plate", "licence_plate", "plate"),
]


@pytest.mark.parametrize(("locale", "method", "name", "what"), CLAIMED)
def test_claimed_and_replaced(locale, method, name, what):
    frame = pl.DataFrame({name: fake(locale, method)[0]})
    found = personal.recognise(frame[name], name)
    assert found.settings["what"] == what
    assert found.confidence >= 0.9
    assert found.evidence.startswith("Holds ")
    made = make(frame)[name]
    assert made.null_count() == 0 and made.dtype == pl.String
    again = personal.recognise(made, name).settings["what"] if what not in ("us_ssn", "in_aadhaar", "uk_nino") else what
    assert again == what
    if what in CHECKS:
        assert made.str.replace_all("[^A-Za-z0-9]", "").map_elements(CHECKS[what].passes, return_dtype=pl.Boolean).all()
    if what not in ("name", "first_name", "last_name", "postcode"):
        assert not set(made.to_list()) & set(frame[name].to_list())


DECLINED = {
    "native-country": ["United-States", "Mexico", "Germany", "India"] * 20,
    "sex": ["male", "female"] * 20,
    "occupation": ["Sales", "Craft-repair", "Exec-managerial"] * 20,
    "product_name": [f"{a} {b}" for a in ("Rose", "Victoria", "Mason") for b in ("Jar", "Sponge", "Cup", "Bowl")],
    "name": ["Chai", "Chang", "Aniseed Syrup", "Ikura", "Tofu", "Pavlova", "Konbu", "Alice Mutton", "Genen Shouyu"],
    "city": ["Charlotte", "Austin", "Paris", "Florence", "Berlin"] * 9,
    "PhoneService": ["Yes", "No"] * 20,
    "phone_model": ["iPhone 12", "Pixel 7", "Galaxy S21"] * 20,
    "date": [f"2020-01-{i:02d}" for i in range(1, 29)],
    "company": ["Smith Ltd", "Brown and Sons", "Miller Inc"] * 20,
    "amount": [f"{i * 37}.{i % 100:02d}" for i in range(100, 200)],
    "version": [f"{i}.{j}.1" for i in range(9) for j in range(9)],
    "url": [f"https://shop.org/{i}" for i in range(50)],
}


@pytest.mark.parametrize("name", DECLINED)
def test_what_is_not_personal_is_declined(name):
    with pytest.raises(Declined):
        personal.recognise(pl.Series(DECLINED[name]), name)
    with pytest.raises(Declined):
        personal.recognise(pl.Series(range(5000)), name)


def test_nothing_in_data_without_people_is_claimed(real):
    for data in ("adult", "titanic", "telco_churn", "airbnb_nyc", "bank_marketing", "diamonds", "nyc_taxis", "kc_house",
                 "california_housing", "german_credit", "sms_spam", "airbnb_london_titles", "banking77"):
        frame = pl.read_parquet(real(data))
        for name in frame.columns:
            with pytest.raises(Declined):
                personal.recognise(frame[name], name)


def test_a_row_tells_of_one_person():
    first, last, mail, phone = fake("de_DE", "first_name", "last_name", "email", "phone_number", rows=600)
    names = [f"{a} {b}" for a, b in zip(first, last, strict=True)]
    frame = pl.DataFrame({"name": names, "first_name": first, "last_name": last, "e_mail": mail, "phone": phone})
    out = make(frame)
    for row in out.iter_rows(named=True):
        assert row["name"] == f"{row['first_name']} {row['last_name']}"
        start = f"{folded(row['first_name'])}.{folded(row['last_name'])}"
        assert re.fullmatch(re.escape(start) + r"\d+@.*", row["e_mail"])
    assert out["e_mail"].n_unique() == 600


def test_sender_and_receiver_are_two_people():
    mails = fake("en_US", "email", "email", "name", "name", rows=300)
    names = ("sender_email", "receiver_email", "sender_name", "receiver_name")
    groups = personal.group(columns_of(pl.DataFrame(dict(zip(names, mails, strict=True)))))
    assert [[c.name for c in g] for g in groups] == [[names[0], names[2]], [names[1], names[3]]]


def test_a_customer_of_many_orders_stays_one_customer():
    mail, name, phone = fake("en_US", "email", "name", "phone_number", rows=40)
    base = pl.DataFrame({"name": name, "email": mail, "phone": phone})
    orders = base.sample(2000, with_replacement=True, seed=1)
    coder = learn(orders)
    codes = coder.encode(orders)
    assert [p.size for p in coder.parts] == [41]
    out = coder.decode(codes, draw(2000))
    assert out.unique().height == 40
    both = pl.DataFrame({"real": orders["email"], "made": out["email"]})
    assert both.unique().height == 40
    state = json.dumps(coder.state())
    assert not any(value in state for column in base for value in column)
    restored = personal.Coder.restore(coder.columns, json.loads(state))
    assert restored.decode(codes, draw(2000)).equals(out)


def test_rare_values_repeat_as_often_as_they_did():
    mail = fake("en_US", "email", rows=1000)[0]
    frame = pl.DataFrame({"email": mail * 3})
    coder = learn(frame)
    assert coder.parts[0].size == 1
    assert 800 <= coder.decode(coder.encode(frame), draw(3000))["email"].n_unique() <= 1000


def test_e_mails_differ_from_block_to_block_and_from_the_real_ones():
    frame = pl.DataFrame({"email": [f"a{i}@example.org" for i in range(500)]})
    coder = learn(frame)
    codes = np.zeros((30_000, 0), np.int32)
    made = pl.concat([coder.decode(codes, draw(30_000, start))["email"] for start in (0, 30_000)])
    assert made.n_unique() == 60_000
    assert not made.str.contains("@example.org").any()


def test_forms_and_types_are_kept():
    first, last = fake("en_US", "first_name_male", "last_name", rows=100)
    braund = [f"{b}, Mr. {a} Owen" for a, b in zip(first, last, strict=True)]
    assert make(pl.DataFrame({"Name": braund}))["Name"].str.contains(r"^[^,]+, (Mr|Ms)\. \w+$").all()
    numbers = pl.DataFrame({"phone": pl.Series([2025550000 + i for i in range(50)], dtype=pl.Int64)})
    made = make(numbers)["phone"]
    assert made.dtype == pl.Int64 and made.cast(pl.String).str.contains(r"^\d{3}55501\d\d$").all()
    floats = make(pl.DataFrame({"phone": [2025550000.0 + i for i in range(50)] + [None]}))["phone"]
    assert floats.dtype == pl.Float64 and floats.null_count() == 1
    loud = make(pl.DataFrame({"last_name": [n.upper() for n in fake("en_US", "last_name")[0]]}))["last_name"]
    assert loud.str.contains(r"^[^a-z]+$").all()
    cards = make(pl.DataFrame({"c": [f"4111 1111 {i:04d} 1111" for i in range(50)]}), [
        Column(name="c", kind="personal", settings={"what": "card"})])["c"]
    assert cards.str.contains(r"^4242 42\d\d \d{4} \d{4}$").all()


def test_missing_values_are_codes():
    frame = pl.DataFrame({"email": [*fake("en_US", "email", rows=30)[0], None, None]})
    coder = learn(frame)
    codes = coder.encode(frame)
    out = coder.decode(codes, draw(32))["email"]
    assert out.is_null().to_list() == [False] * 30 + [True] * 2
    assert coder.features(frame)[0].values.sum() == 2


@pytest.mark.parametrize("what", INVENT)
def test_everything_can_be_asked_for(what):
    frame = pl.DataFrame({"x": pl.Series([None, "a", "b"] * 10, dtype=pl.String)})
    column = Column(name="x", kind="personal", settings={"what": what, "locale": "fr_FR"})
    out = make(frame, [column])["x"]
    assert out.null_count() == 10
    assert (out.drop_nulls().str.len_chars() > 0).all()


def test_mistakes_are_told():
    frame = pl.DataFrame({"x": ["a", "b"]})
    for wrong in ({"what": "name", "form": "{frist}"}, {"what": "email", "form": "x"}, {"what": "emial"},
                  {"locale": "de_XX"}, {"wat": "email"}, {"what": 3}):
        with pytest.raises(UserError):
            learn(frame, [Column(name="x", kind="personal", settings=wrong)])
    with pytest.raises(UserError, match="Int64"):
        learn(pl.DataFrame({"x": [1, 2]}), [Column(name="x", kind="personal", settings={"what": "email"})])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.none() | st.text(max_size=12), max_size=40))
def test_wild_values_survive(values):
    frame = pl.DataFrame({"x": pl.Series(values, dtype=pl.String)})
    coder = learn(frame, [Column(name="x", kind="personal")])
    codes = coder.encode(frame)
    assert all(((codes[:, i] >= 0) & (codes[:, i] < p.size)).all() for i, p in enumerate(coder.parts))
    out = coder.decode(codes, draw(len(values)))["x"]
    assert out.is_null().to_list() == frame["x"].is_null().to_list()
