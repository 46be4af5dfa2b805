import pytest

from flows.errors import ConfigError
from flows.evaluate.criteria import criteria_file


def load(folder, text):
    path = folder / "triage.yaml"
    path.write_text(text)
    return criteria_file.load_criteria(path, folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {name: a, kind: exact, extrac: x}", "criterion 1 (`a`): unknown key `extrac`; did you mean `extract`?"),
        ("- {name: a, kind: json_schem}", "unknown kind 'json_schem'; did you mean `json_schema`?"),
        ("- {name: a}", "`kind`: unknown kind None; did you mean"),
        ("- {kind: exact}", "criterion 1: the key `name` is missing"),
        (
            '- {name: a, kind: judge, question: "polite?"}',
            "criterion `a`: no judge model is configured; set `models.judge`",
        ),
        ("- {name: a, kind: judge}", "the key `question` is missing"),
        ("- {name: a, kind: judge, question: q, pass_if: maybe}", "`pass_if`: input should be 'yes' or 'no'"),
        ("- {name: a, kind: judge, question: q, mode: pairwise, pass_if: no}", "`pass_if` is for `mode: binary`"),
        (
            "- {name: a, kind: judge, question: q, mode: pairwise, min_pass_rate: 0.8}",
            "criterion 1 (`a`): remove `min_pass_rate`: it binds the pinned model, which has 0.5 by definition",
        ),
        ("- {name: output_schema, kind: json_valid}", "is a reserved name; choose another"),
        ("- {name: 'a:unwrapped', kind: json_valid}", "is a reserved name; choose another"),
        ("- {name: a, kind: regex, pattern: '('}", "`pattern`: is not a valid pattern"),
        (
            "- {name: a, kind: exact, extract: 'x'}",
            "`extract`: needs a capture group, `(...)`, around the part to compare",
        ),
        ("- {name: a, kind: exact, severity: high}", "`severity`: input should be 'info', 'warning' or 'critical'"),
        (
            "- {name: a, kind: exact, need: safety}",
            "`need`: input should be 'reliability', 'harmlessness', 'factual_consistency', 'usefulness', 'scalability'"
            " or 'cost'",
        ),
        ("- {name: a, kind: exact, min_pass_rate: 80}", "`min_pass_rate`: input should be less than or equal to 1"),
        ("- {name: a, kind: length}", "needs one of min_chars"),
        ("- {name: a, kind: json_schema}", "no schema; set `schema`"),
        ("- {name: a, kind: json_schema, schema: none.json}", "none.json: cannot be read"),
        ("- {name: a, kind: json_schema, schema: bad.json}", "bad.json: not a valid JSON schema: $.type"),
        (
            "- {name: a, kind: python, function: checks}",
            "`function`: is no function of the workspace; write one",
        ),
        ("- {name: a, kind: python, function: 'checks:none'}", "has no function `none`"),
        ("- {name: a, kind: python, function: 'wrong:f'}", "wrong.py fails to load: NameError"),
        ("- {name: a, kind: python, function: 'absent:f'}", "no such file"),
        ("- {name: a, kind: exact}\n- {name: a, kind: exact}", "duplicate name 'a'"),
        ("- exact", "criterion 1: expected keys and values, found str"),
        ("name: a", "expected a list"),
        ("- {name: [", "not valid YAML"),
    ],
)
def test_a_wrong_criterion_is_one_line_that_says_where_and_what(tmp_path, text, message):
    (tmp_path / "bad.json").write_text('{"type": "thing"}')
    (tmp_path / "checks.py").write_text("x = 1\n")
    (tmp_path / "wrong.py").write_text("missing\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_version_changes_with_what_decides_a_score_and_with_nothing_else(tmp_path):
    one = load(tmp_path, "- {name: a, kind: regex, pattern: x}")[0]
    renamed = load(
        tmp_path, "- {name: b, kind: regex, pattern: x, severity: critical, need: cost, min_pass_rate: 0.5}"
    )[0]
    other = load(tmp_path, "- {name: a, kind: regex, pattern: y}")[0]
    assert one.version == renamed.version != other.version


def test_a_criterion_is_about_usefulness_unless_it_says_what_else(tmp_path):
    text = "- {name: a, kind: json_valid}\n- {name: b, kind: json_valid, need: factual consistency}"
    assert [one.definition.need for one in load(tmp_path, text)] == ["usefulness", "factual_consistency"]


def test_a_version_changes_with_the_code_of_a_python_criterion(tmp_path):
    versions = set()
    for body in ("return True", "return False"):
        (tmp_path / "checks.py").write_text(f"def f(example, answer):\n    {body}\n")
        versions.add(load(tmp_path, "- {name: a, kind: python, function: 'checks:f'}")[0].version)
    assert len(versions) == 2


def test_the_routes_own_schema_serves_where_a_criterion_names_none(tmp_path):
    (tmp_path / "out.json").write_text('{"type": "object"}')
    path = tmp_path / "c.yaml"
    path.write_text("- {name: a, kind: json_schema}")
    assert criteria_file.load_criteria(path, tmp_path, tmp_path / "out.json")[0].schema is not None
