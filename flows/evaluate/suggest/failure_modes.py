"""Failure modes: the names that people typed, and clusters of notes without one."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from flows.evaluate.suggest.labelled_answers import LabelledAnswer

_ALIKE = 0.75
_FEWEST = 3
_LONGEST_NOTE = 2_000


def modes_of(answers: Sequence[LabelledAnswer]) -> dict[str, frozenset[str]]:
    """The ids of the answers with each failure mode, the most frequent first. Typed names are one in any case.

    Notes of bad answers without a typed mode are clustered; a cluster of three and more is a mode, named by its most
    typical note's first words.
    """
    typed: dict[str, dict[str, list[str]]] = {}
    for answer in answers:
        for mode in answer.modes if answer.is_bad else ():
            typed.setdefault(mode.casefold(), {}).setdefault(mode, []).append(answer.call_id)
    found = {
        max(spelled, key=lambda name: (len(spelled[name]), name)): frozenset(chain.from_iterable(spelled.values()))
        for spelled in typed.values()
    }
    noted = [answer for answer in answers if answer.is_bad and answer.notes and not answer.modes]
    for name, call_ids in _clusters(noted).items():
        found[name] = found.get(name, frozenset()) | call_ids
    return dict(sorted(found.items(), key=lambda one: (-len(one[1]), one[0])))


def _clusters(answers: Sequence[LabelledAnswer]) -> dict[str, frozenset[str]]:
    """Clusters of the answers' notes: TF-IDF, agglomerative by mean cosine distance."""
    if len(answers) < _FEWEST:
        return {}
    from sklearn.cluster import AgglomerativeClustering  # noqa: PLC0415 - imported late: takes a second
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - as above

    notes = [" ".join(" ".join(answer.notes).split())[:_LONGEST_NOTE] for answer in answers]
    try:
        vectors = TfidfVectorizer(stop_words="english", sublinear_tf=True).fit_transform(notes).toarray()
    except ValueError:  # no note has a word
        return {}
    cluster = AgglomerativeClustering(None, metric="cosine", linkage="average", distance_threshold=_ALIKE)
    with_words = [n for n in range(len(notes)) if vectors[n].any()]
    if len(with_words) < _FEWEST:
        return {}
    labels = cluster.fit_predict(vectors[with_words])
    found = {}
    for label, size in Counter(labels.tolist()).items():
        if size >= _FEWEST:
            places = [n for n, own in zip(with_words, labels, strict=True) if own == label]
            typical = max(places, key=lambda n: (float(vectors[n] @ vectors[places].sum(0)), -len(notes[n])))
            found[" ".join(notes[typical].split()[:8])[:60]] = frozenset(answers[n].call_id for n in places)
    return found
