"""Thousands of odd texts: what regular expressions, JSON and upper case may be taken for something else by."""

# ruff: noqa: E501, RUF001 - rows of short texts; letters that look like others are among them

import json
import random

from tests.hostile_texts import HOSTILE

_PIECES = [
    *" .?!'\"`{}[],:;|#*-_@()<>\\/\n\t\r\x0b\x0c\x1c\x1d\x1e\x1f\x00\x7f\x85\xa0\u2028\u3000", "…", "。", "！", "？", "؟", "”", "’",
    "a", "B", "json", "JSON", "Mr.", "e.g.", "U.S.", "12", "0", "-0", "1e5", "1E-7", "0.1", "-", "NaN", "nan", "Infinity", "-Infinity", "inf",
    "true", "false", "null", '"a"', '{"a": 1}', '{"a": {"b": [1, 2]}}', "[1, 2]", "[]", "{}", "{,}", "[1,]", '{"a":1,"a":2}', "'a'", '"\\u0041"',
    '"\\ud800"', '"\\udc00\\ud800"', '"\\x"', '"\t"', "//c", "```", "# x", "**x**", "- x", "1. x", "| x |", "[x](y)", "\n## h", "\n| a | b |\n",
    "I'm sorry, but I", "I’m afraid, but as", "As an AI language model", "I CAN'T HELP", "I cannot comply", "I am unable to", "I must decline", "can not",
    "ß", "ẞ", "ŉ", "ǰ", "ﬁ", "ſ", "K", "İ", "ı", "Σ", "ς", "σ", "ά", "ǅ", "ᾳ", "é", "e\u0301", "Ж", "ж", "Ї", "中", "文", "かな", "カナ", "ال", "سلام",
    "한국", "ไทย", "अ", "🙂", "👩\u200d💻", "𝔄", "𠀀", "\u200b", "\u202e", "\ufeff", "Ⅷ", "ⓐ", "²", "½",
]  # fmt: skip


def odd_texts(count: int = 6000) -> list[str]:
    """The hostile texts, long ones, JSON of many shapes, and random compositions; each once, without half characters."""
    rng = random.Random(7)
    found = [text.encode("utf-8", errors="replace").decode("utf-8") for text in HOSTILE]
    found += [
        "",
        " " * 100_000,
        "a " * 50_000,
        "ä" * 50_000,
        "\n" * 5000,
        '"' + "x" * 100_000 + '"',
        '{"a": "' + "\\n" * 20_000 + '"}',
    ]
    while len(found) < count:
        if rng.random() < 0.3:
            text = json.dumps(_value(rng, 3), ensure_ascii=rng.random() < 0.5)
            if rng.random() < 0.4:
                place = rng.randrange(len(text) + 1)
                text = text[:place] + rng.choice(_PIECES) + text[place + rng.randrange(2) :]
            found.append(rng.choice(["", " ", "\n"]) + text + rng.choice(["", " ", "\t\n", "x"]))
        else:
            found.append("".join(rng.choice(_PIECES) + rng.choice(["", "", " "]) for _ in range(rng.randint(1, 14))))
    return list(dict.fromkeys(found))


def _value(rng: random.Random, depth: int) -> object:
    kind = rng.randrange(8 if depth else 5)
    if kind < 5:
        return [rng.randint(-(10**6), 10**6), rng.random() * 10 ** rng.randint(-9, 9), "".join(rng.choices(_PIECES, k=3)),
                rng.choice([True, False, None]), rng.choice([0, 1.5, -0.25, 1e20])][kind]  # fmt: skip
    if kind == 5:
        return [_value(rng, depth - 1) for _ in range(rng.randint(0, 4))]
    return {
        rng.choice(["a", "b", "name", "é", "x y", "a.b", ""]): _value(rng, depth - 1) for _ in range(rng.randint(0, 5))
    }
