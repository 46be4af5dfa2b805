"""In which language texts are: py3langid, a naive Bayes classifier of byte n-grams for 140 languages, offline.

A log has much that is no language: numbers, code, keys of JSON, single words. What is left of a text without them is
classified, and a text of which the classifier is not sure has the code `und`.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

UNDETERMINED = "und"
_LEAST_CONFIDENCE = 0.5  # of short strings of 31 languages it is right in 98 of 100 of those of which it is so sure
_READ = 400  # characters of a text that are looked at
_BYTES = 80  # of what is left of them: with half as many more, one long text in a hundred less is undetermined
_FEWEST = 4  # bytes: "OK" has no language
_NO_LANGUAGE = re.compile(r"```.*?(?:```|\Z)|https?://\S+|\"[^\"\n]{0,80}\"\s*:", re.DOTALL)
"""Code, addresses and keys of JSON."""
_LETTERS_ONLY = bytes(
    byte if byte >= 0x80 or chr(byte).isalpha() or byte == ord("'") else ord(" ") for byte in range(256)
)
"""What is no letter in ASCII becomes a space; an apostrophe belongs to a word."""
_CODES = {"zxx": UNDETERMINED}
_LEFT_OUT = ("pcm", "wuu", "yue")
"""Nigerian Pidgin, Wu and Cantonese: short English and long Chinese texts are taken for them, and they are rare."""


def languages_of(texts: Iterable[str | None]) -> list[str | None]:
    """The code of each text's language: of ISO 639-1, or of 639-3 where that has none; `und` where it is not clear.

    None for None. The same text always has the same code, whatever the others are.
    """
    identifier = _identifier()
    return [None if text is None else _language_of(text, identifier) for text in texts]


def _language_of(text: str, identifier: "LanguageIdentifier") -> str:
    read = _NO_LANGUAGE.sub(" ", text[:_READ]).encode(errors="replace")
    words = b" ".join(read.translate(_LETTERS_ONLY).split())[:_BYTES]
    if len(words) < _FEWEST:
        return UNDETERMINED
    code = str(identifier.classify(words)[0])
    return _CODES.get(code, code)


@cache
def _identifier() -> "LanguageIdentifier":
    import numpy as np  # noqa: PLC0415 - with what needs it
    from py3langid import langid  # noqa: PLC0415 - imported late: its model takes a third of a second to load

    identifier = langid.LanguageIdentifier.from_model_file(
        langid.MODEL_FILE, norm_probs=True, min_confidence=_LEAST_CONFIDENCE
    )
    identifier.set_languages([code for code in identifier.labels if code not in _LEFT_OUT])
    # Row by row, as it is read: that takes a quarter less time.
    identifier.nb_ptc = np.ascontiguousarray(identifier.nb_ptc)
    return identifier
