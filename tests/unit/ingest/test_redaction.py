"""What is personal or a key goes, what only looks like it stays, and JSON stays JSON."""

import base64
import json

import pyarrow as pa
import pytest

from flows.ingest.redact.redaction import Redactor

ALL = ("email", "phone", "card", "secret", "iban", "ip")


def redacted(text: str, *kinds: str) -> str:
    return Redactor(kinds or ALL).text(text)


HEX, MIXED = "0123456789abcdef" * 3, "aB3dE6gH9jK2mN5pQ8sT1vW4" * 4
GONE = {
    "email": [
        "ann@example.org",
        "mailto:a.b+c@sub.example.co.uk",
        "müller@exämple.de",
        "x?to=ann%40example.org&y",
        "'ann@x.org'",
    ],
    "phone": [
        "+49 170 1234567",
        "+1 (415) 555-0100",
        "+442079460958",
        "+33 6 12 34 56 78",
        "+49 (0)30 1234567",
        "0049 30 1234567",
        "030 1234567",
        "030/1234567",
        "0151-12345678",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "020 7946 0958",
        "07700 900123",
        "06-12345678",
        "0612345678",
        "(415) 555-2671",
        "415-555-2671",
        "415.555.2671",
        "1-800-555-0199",
        "(11) 91234-5678",
        "8 (912) 345-67-89",
        "phone: 4155552671",
        "my phone number is 98765 43210",
        "+49\u00a0170\u00a01234567",
        "+49\u2011170\u20111234567",
        "call +1 415 555 0100 at 2026-03-24 12:00",
        "+4915112345678 2026-03-24",
    ],
    "card": [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111111111111111",
        "378282246310005",
        "3782 822463 10005",
        "card 4111111111111111 12/27",
        "2026 4111 1111 1111 1111.",
        "5555555555554444",
        "6011111111111117",
    ],
    "iban": [
        "DE89 3704 0044 0532 0130 00",
        "DE89370400440532013000",
        "gb82 west 1234 5698 7654 32",
        "NO9386011117947",
        "pay FR14 2004 1010 0505 0001 3M02 606 BIC XYZ",
    ],
    "ip": [
        "10.1.2.3",
        "from 203.0.113.9:8080",
        "2001:db8::1",
        "fe80::1ff:fe23:4567:890a",
        "2001:0db8:85a3:0:0:8a2e:0370:7334",
    ],
    "secret": [
        f"sk-proj-{MIXED}",
        f"sk-ant-api03-{MIXED}",
        f"sk-lf-{HEX[:36]}",
        f"AIza{MIXED[:35]}",
        "AKIAIOSFODNN7EXAMPLE",
        f"ghp_{MIXED[:36]}",
        f"github_pat_{MIXED}",
        f"glpat-{MIXED[:20]}",
        f"xoxb-{HEX[:24]}",
        f"sk_live_{MIXED[:24]}",
        f"hf_{MIXED[:34]}",
        f"gsk_{MIXED[:52]}",
        f"xai-{MIXED[:80]}",
        f"pplx-{MIXED[:48]}",
        f"r8_{MIXED[:37]}",
        f"SG.{MIXED[:22]}.{MIXED[:43]}",
        f"SK{HEX[:32]}",
        f"npm_{MIXED[:36]}",
        f"pypi-{MIXED}",
        f"lsv2_pt_{HEX[:32]}_{HEX[:10]}",
        f"eyJ{MIXED[:20]}.eyJ{MIXED[:20]}.{MIXED[:40]}",
        f"{MIXED[:52]}JQQJ99{MIXED[:26]}",
        f"Authorization: Bearer {MIXED[:30]}",
        f"Authorization: Basic {MIXED[:30]}",
        f'"api_key": "{HEX[:32]}"',
        f"AZURE_CLIENT_SECRET=abc8Q~{MIXED[:34]}",
        f"AccountKey={MIXED[:86]}==",
        "https://user:p4ssw0rd@host.example/x",
        f"-----BEGIN RSA PRIVATE KEY-----\n{MIXED}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{MIXED}",
    ],
}
STAYS = [
    "git@github.com:a/b",
    "ssh://git@code.example.org/a/b",
    "order 0815-4711",
    "order 12345678",
    "order 123-4567890-1234567",
    "order 1234567890123456",
    "ticket 4111111111111112",
    "SKU 200 300 4000",
    "1711281600",
    "1711281600000",
    "1711281600000000000",
    "2026-03-24 12:00:00",
    "24.03.2026 12:30",
    "03-04-2026 12:30",
    "2026-03-24T12:00:00+01:00",
    "GMT+1 2026-03-24",
    "$1,234,567.89",
    "1 234 567 890",
    "12 345 678,00",
    "3.14159265358979",
    "ISBN 978-3-16-148410-0",
    "550e8400-e29b-41d4-a716-446655440000",
    f"sha256:{HEX}",
    "call_id 00123456789",
    "v1.2.3.4",
    "version 1.2.3.4",
    "1.2.3",
    "127.0.0.1",
    "0.0.0.0",
    "::1",
    "std::cout",
    "A::B",
    "12:30:45",
    "00:1a:2b:3c:4d:5e",
    "pip install foo@1.2.3",
    "logo@2x.png",
    "@anna",
    "hello@world",
    "risk-management-frameworks-and-more",
    "sk-learn-contrib-estimators",
    "DE12 3456 7890 1234 5678 90",
    "tel: 2026-03-24",
    "max_tokens: 4096",
    "Bearer of bad news, everyone",
    "0.4111111111111111",
    "4000000000000000000",
    "0000000000000000",
    "5 GB, 16 GB, 2048 MB, 100 %",
    "phone 2 of 3",
    "https://example.org:8080/a@b",
]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in GONE.items() for text in texts])
def test_a_find_is_replaced_by_its_kind(kind: str, text: str) -> None:
    redactor = Redactor(ALL)
    assert f"[{kind}]" in redactor.text(f"so: {text}, please")
    assert redactor.found == {kind: 1}
    assert f"[{kind}]" in json.loads(redactor.text(json.dumps({"x": [text]})))["x"][0]


@pytest.mark.parametrize("text", STAYS)
def test_what_only_looks_like_a_find_stays(text: str) -> None:
    assert redacted(f"so: {text}, please") == f"so: {text}, please"
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a":"\\nfoo@bar.com"}', '{"a":"\\n[email]"}'),
        ('{"a":"foo\\u0040bar.com", "n": 1.0, "e": 1e400}', '{"a":"[email]", "n": 1.0, "e": 1e400}'),
        ('{"ann@x.org" : [4111111111111111, 4111111111111111.0]}', '{"[email]" : ["[card]", "[card]"]}'),
        ('{"x": "{\\"a\\": \\"\\\\nfoo@bar.com\\"}"}', '{"x": "{\\"a\\": \\"\\\\n[email]\\"}"}'),
        ('{"phone": "4155552671", "id": "4155552671"}', '{"phone": "[phone]", "id": "4155552671"}'),
        ('{"mobile_number": 4155552671, "n": 4155552671}', '{"mobile_number": "[phone]", "n": 4155552671}'),
        ('{"api_key": "abcdef1234567890", "api_key_hash": "x"}', '{"api_key": "[secret]", "api_key_hash": "x"}'),
        ('"half \\ud800 ann@x.org"', '"half \\ud800 [email]"'),
        ('{"broken": "\\nfoo@bar.com', '{"broken": "\\n[email]'),
        ('{"broken": "foo\\u0040bar.com', '{"broken": "[email]'),
        ("4111111111111111", '"[card]"'),
        ('{"a": "+49\\u00a0170 1234567"}', '{"a": "[phone]"}'),
        ("ann@x.org, ann@x.org", "[email], [email]"),
    ],
)
def test_json_is_read_before_it_is_searched_and_stays_json(before: str, after: str) -> None:
    assert redacted(before) == after


def test_json_that_is_too_deep_for_python_is_searched_all_the_same() -> None:
    deep = '{"a":' * 5000 + "4111111111111111" + "}" * 5000
    assert redacted(deep) == deep.replace("4111111111111111", '"[card]"')


def test_only_the_kinds_that_are_asked_for_go() -> None:
    text = "ann@x.org 4111 1111 1111 1111 10.1.2.3"
    assert redacted(text, "card") == "ann@x.org [card] 10.1.2.3"
    assert Redactor(()).table(pa.table({"input_text": [text]})).column(0).to_pylist() == [text]


def test_bytes_that_are_no_text_come_back_as_they_were() -> None:
    redactor = Redactor(ALL)
    found = base64.b64decode(redactor.encoded(base64.b64encode(b'\xff\x00 "ann@x.org" \xfe').decode()))
    assert found == b'\xff\x00 "[email]" \xfe'
    assert redactor.found == {"email": 1}


def test_a_table_keeps_its_types_and_other_columns_and_counts_every_row() -> None:
    rows = pa.table(
        {
            "call_id": ["ann@x.org"] * 4,
            "input_text": ["mail ann@x.org", None, "mail ann@x.org", "nothing"],
            "output_text": pa.array(["nothing", "10.1.2.3", None, ""], pa.large_string()),
            "messages_json": pa.array([None] * 4, pa.string()),
            "tags": pa.array(["ann@x.org", "b", "ann@x.org", None]).dictionary_encode(),
        }
    )
    rows = pa.concat_tables([rows, rows.slice(0, 1)])
    redactor = Redactor(ALL)
    found = redactor.table(rows)
    assert found.schema == rows.schema
    assert found.column("call_id").to_pylist() == ["ann@x.org"] * 5
    assert found.column("input_text").to_pylist() == ["mail [email]", None, "mail [email]", "nothing", "mail [email]"]
    assert found.column("output_text").to_pylist() == ["nothing", "[ip]", None, "", "nothing"]
    assert found.column("tags").to_pylist() == ["[email]", "b", "[email]", None, "[email]"]
    assert redactor.found == {"email": 6, "ip": 1}
    assert redactor.table(found) is found
    assert redactor.table(rows.slice(0, 0)).num_rows == 0
