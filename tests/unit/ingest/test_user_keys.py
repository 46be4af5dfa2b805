"""A user's key is the HMAC that everybody else would compute."""

import hmac
from hashlib import sha256

import duckdb
import pytest

from flows.ingest.redact.user_keys import user_key_macro


@pytest.mark.parametrize("secret", [b"k", b"x" * 64, b"y" * 65, bytes(range(256)), "geheim €".encode()])
def test_the_macro_is_hmac_sha256_of_the_text(secret: bytes) -> None:
    users = ["ann", "ann@example.org", "müller €😀", "'; drop table x; --", "a" * 1000, " "]
    with duckdb.connect() as connection:
        connection.execute(user_key_macro(secret))
        found = [connection.execute("select user_key_of(?)", [user]).fetchall()[0][0] for user in users]
    assert found == [hmac.new(secret, user.encode(), sha256).hexdigest()[:16] for user in users]


def test_nobody_has_no_key() -> None:
    with duckdb.connect() as connection:
        connection.execute(user_key_macro(b"secret", "keyed"))
        assert connection.execute("select keyed(''), keyed(null)").fetchall() == [(None, None)]
