"""The search of a whole column misses nothing that a look at each text would find, however JSON writes it."""

import json
import re

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.ingest.redact.finders import FINDERS, prefilter
from flows.ingest.redact.redaction import Redactor
from tests.redaction_texts import PERSONAL
from tests.unit.ingest.test_redaction import GONE, STAYS

SOURCE = [text for texts in GONE.values() for text in texts] + STAYS + [text for _, text, _ in PERSONAL]
pieces = (
    st.sampled_from(SOURCE) | st.text("0123456789 .-+()/:@aAfn\\\u00a0\u2011_sk", max_size=24) | st.text(max_size=5)
)


def escaped(text: str, how: str) -> str:
    """JSON of a text, in the ways in which serializers differ."""
    if how == "slashes":
        return json.dumps(text).replace("/", "\\/")
    if how == "everything":
        return '"' + "".join(f"\\u{ord(c):04X}" if ord(c) < 0x10000 else c for c in text) + '"'
    if how == "some":
        return re.sub("[@+.0/-]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text))
    return json.dumps(text, ensure_ascii=how == "ascii")


ways = st.lists(st.sampled_from(["ascii", "utf-8", "slashes", "some", "everything"]), max_size=3)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(pieces, min_size=1, max_size=4),
    ways,
    st.sampled_from(["", "phone", "api_key", "x", "Authorization"]),
    st.booleans(),
)
def test_a_text_with_a_find_is_never_passed_over(parts: list[str], layers: list[str], key: str, cut: bool) -> None:
    text = " ".join(parts)
    for how in layers:
        text = escaped(text, how)
        text = f'{{"{key}": {text}}}' if key else text
    text = text[:-1] if cut else text
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    for kind in FINDERS:
        redactor = Redactor([kind])
        redactor.text(text)
        suspected = pc.match_substring_regex(pa.array([text]), prefilter(frozenset([kind]))).to_pylist()
        assert suspected == [True] or not redactor.found
    together, apart = Redactor(tuple(FINDERS)), Redactor(tuple(FINDERS))
    (found,) = together.table(pa.table({"input_text": [text]})).column(0).to_pylist()
    assert found == apart.text(text)
    assert together.found == apart.found
