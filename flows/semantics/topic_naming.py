"""Readable names for groups of texts, from their own words. The texts are not trusted: only letters are kept."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

TERMS = 6
_IN_LABEL = 4
_LONGEST_LABEL = 80
_WORD = re.compile(r"[^\W\d_]{2,24}(?:['\u2019][^\W\d_]{1,3})?")
_PLACEHOLDERS = frozenset({"redacted", "email", "phone", "card", "secret", "iban", "ip"})


def words(text: str) -> list[str]:
    """The words of a text in lower case: runs of 2 to 24 letters, without digits, signs and mark-up."""
    return [word.lower().replace("\u2019", "'") for word in _WORD.findall(text)]


def terms_of(groups: Sequence[Iterable[tuple[str | None, str]]]) -> list[list[str]]:
    """For each group of (author, text) the words that distinguish it from the others, best first.

    A word's score is its part of the divergence of the group from all groups (Kullback and Leibler 1951):
    p log(p / q), where p and q are its shares of the words of the group and of all. c-TF-IDF (Grootendorst 2022,
    arXiv:2203.05794) is similar for many groups, but prefers common words for two. If a group has more than one author,
    a word must come from two of them, so that the words of a single person do not become the public name of a topic.
    English stop words and marks of redaction are left out. Equal scores are sorted alphabetically.
    """
    counts = [_counted(group) for group in groups]
    overall = Counter[str]()
    for count in counts:
        overall.update(count)
    return [_most_telling(count, overall) for count in counts]


def label_of(terms: Sequence[str], fallback: str) -> str:
    """The first terms as a name: letters, spaces and commas, at most 80 characters."""
    label = ", ".join(terms[:_IN_LABEL])
    return label[:_LONGEST_LABEL] or fallback


def _counted(group: Iterable[tuple[str | None, str]]) -> Counter[str]:
    """The number of texts with each word; with several authors, words of only one of them are removed."""
    count: Counter[str] = Counter()
    authors: dict[str, set[str | None]] = {}
    everybody: set[str | None] = set()
    for author, text in group:
        everybody.add(author)
        for word in set(words(text)):
            count[word] += 1
            authors.setdefault(word, set()).add(author)
    enough = min(2, len(everybody))
    return Counter({word: n for word, n in count.items() if len(authors[word]) >= enough})


def _most_telling(count: Counter[str], overall: Counter[str]) -> list[str]:
    total = max(count.total(), 1)
    ratio = overall.total() / total
    scored = {
        word: n / total * (log(n * ratio / overall[word]) + 1e-6)
        for word, n in count.items()
        if word.split("'")[0] not in ENGLISH_STOP_WORDS and word not in _PLACEHOLDERS
    }
    return sorted(scored, key=lambda word: (-scored[word], word))[:TERMS]
