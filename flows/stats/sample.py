"""The random sample that is the same every time: of all keys, those with the smallest ranks.

The rank of a key is the MD5 of its text in UTF-8, as 32 hexadecimal digits in lower case, compared as text. A key of
several parts is its parts with U+001F between them. So any engine can draw the same sample: dbt does by the macro
`sample_rank`. MD5 spreads keys evenly, which is all that is asked of it here: it keeps no secret.
"""

import hashlib

_BETWEEN = "\x1f"


def rank(*key: str) -> str:
    """The place of a key in a sample, smallest first: 32 hexadecimal digits. Half of a surrogate pair counts as `?`."""
    text = _BETWEEN.join(key).encode("utf-8", "replace")
    return hashlib.md5(text, usedforsecurity=False).hexdigest()


def rank_in_sql(column: str) -> str:
    """The rank of the key that a text column of DuckDB holds, as an expression; null where the column is."""
    return f"md5({column})"
