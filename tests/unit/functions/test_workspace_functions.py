"""Functions of a workspace as alerts, embedding models and criteria: by path, and with arguments."""

import json
from pathlib import Path

import numpy as np
import pytest

from flows.alerts import notifiers
from flows.alerts.by_hand import send_test
from flows.config import Config, load_config
from flows.errors import ConfigError, RunError
from flows.evaluate.criteria import load_criteria
from flows.functions import parse_function
from flows.semantics.embedding import check_embedding, embedder, name_of
from tests.examples import WORKSPACE

TOKEN = "tok-8c1f73aa90"


def configured(folder: Path, more: str, **environment: str) -> Config:
    for name in ("my_alerts.py", "my_embedder.py", "my_checks.py"):
        (folder / name).write_text((WORKSPACE / name).read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "genchi.yaml").write_text(f"app: a\nlake: lake\n{more}\n", encoding="utf-8")
    return load_config(folder / "genchi.yaml", environment)


def alerting(folder: Path, function: str = "my_alerts.py:send", args: str = "{file: out.txt}") -> Config:
    return configured(folder, f"alerts: [{{kind: python, function: '{function}', args: {args}}}]")


@pytest.mark.parametrize(
    ("text", "file"),
    [("a.py:f", "a.py"), ("checks/my-a.py:f", "checks/my-a.py"), ("a:f", "a.py"), ("checks.a:f", "checks/a.py")],
)
def test_a_function_is_named_by_its_path(text: str, file: str) -> None:
    assert parse_function(text) == (Path(file), "f")


@pytest.mark.parametrize("text", ["a", "a.py", "../a.py:f", "/etc/a.py:f", "a.py:", "a.s-h:f", "a.py:f()"])
def test_what_leaves_the_workspace_or_is_no_function_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`alerts\.0\.function`: is no function of the workspace; write one such as"):
        alerting(tmp_path, text)


def test_an_alert_is_a_function_that_gets_what_webhooks_get(tmp_path: Path) -> None:
    (target,) = alerting(tmp_path).alerts
    assert list(notifiers.deliver_test("desk", [target])) == [(target, "")]
    assert (tmp_path / "out.txt").read_text().startswith("None info ")
    assert notifiers.name(target) == "python my_alerts.py:send"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (
            "def send(digest, key):\n    raise ValueError(f'no {key}')\n",
            r"`send`: the function raised ValueError: no ",
        ),
        ("def send(digest):\n    pass\n", r"`send` does not take what it is given: .*'key'"),
        ("def post(digest, key):\n    pass\n", r"has no function `send`"),
        ("import nowhere\n", r"fails to load: ModuleNotFoundError: No module named 'nowhere'"),
    ],
)
def test_what_is_wrong_with_an_alert_is_one_line_with_its_file_and_without_its_key(
    tmp_path: Path, code: str, problem: str, capfd: pytest.CaptureFixture[str]
) -> None:
    more = "alerts: [{kind: python, function: 'bad.py:send', args: {key: '${MY_TOKEN}'}}]"
    config = configured(tmp_path, more, MY_TOKEN=TOKEN)
    (tmp_path / "bad.py").write_text(f"print('{TOKEN}')\n{code}", encoding="utf-8")
    with pytest.raises(RunError, match=rf"python bad\.py:send: {tmp_path}/bad\.py:? {problem}") as caught:
        list(send_test(config))
    assert "\n" not in str(caught.value)
    assert TOKEN not in str(caught.value) + repr(config) + "".join(capfd.readouterr())


def test_an_alert_that_lacks_a_variable_waits_for_it(tmp_path: Path) -> None:
    (target,) = alerting(tmp_path, args="{file: out.txt, token: '${MY_TOKEN}'}").alerts
    ((_, problem),) = notifiers.deliver_test("desk", [target])
    assert "MY_TOKEN is not set" in problem


def test_keys_of_one_kind_of_alert_are_not_taken_by_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`function` and `args` are for kind `python`"):
        configured(tmp_path, "alerts: [{kind: slack, url: 'http://a/b', function: 'a.py:f'}]")
    with pytest.raises(ConfigError, match="kind `python` takes a `function`"):
        configured(tmp_path, "alerts: [{kind: python}]")


def test_an_embedder_is_a_function_of_texts(tmp_path: Path) -> None:
    config = configured(tmp_path, "embedding: {python: 'my_embedder.py:embed', args: {dimensions: 8}}")
    check_embedding(config)
    vectors = embedder(config).embed(["a b", "a b", "c"] * 100)
    assert vectors.shape == (300, 8)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.array_equal(vectors[0], vectors[1])


def test_another_code_or_other_arguments_are_another_model(tmp_path: Path) -> None:
    names = {name_of(configured(tmp_path, "embedding: {python: 'my_embedder.py:embed'}"))}
    names.add(name_of(configured(tmp_path, "embedding: {python: 'my_embedder.py:embed', args: {dimensions: 8}}")))
    config = configured(tmp_path, "embedding: {python: 'my_embedder.py:embed'}")
    assert name_of(config) in names
    with (tmp_path / "my_embedder.py").open("a") as file:
        file.write("# another version\n")
    names.add(name_of(config))
    assert len(names) == 3
    assert all(name.startswith("my_embedder.py:embed#") for name in names)


@pytest.mark.parametrize(
    ("returned", "problem"),
    [
        ("[[1.0]] * (len(texts) - 1)", "expected 3 vectors, got 2"),
        (
            "[[1.0] * (1 + n % 2) for n in range(len(texts))]",
            r"expected vectors of one length, got the lengths \[1, 2\]",
        ),
        ("[[float('nan')] for _ in texts]", "3 of 3 vectors have values that are no finite number"),
        ("'abc'", "the function raised TypeError: returned str, and not a list of vectors"),
        ("1 / 0", "the function raised ZeroDivisionError"),
    ],
)
def test_wrong_vectors_are_one_line_with_file_and_function(tmp_path: Path, returned: str, problem: str) -> None:
    config = configured(tmp_path, "embedding: {python: 'bad.py:embed'}")
    (tmp_path / "bad.py").write_text(f"def embed(texts):\n    return {returned}\n", encoding="utf-8")
    with pytest.raises(RunError, match=rf"{tmp_path}/bad\.py: `embed`: {problem}"):
        embedder(config).embed(["a", "b", "c"])


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("python: 'none.py:f'", "no such file: .*none.py"),
        ("python: 'my_embedder.py:f'", "has no function `f`"),
        ("python: 'my_embedder.py:embed', args: {size: 3}", "`embed` does not take what it is given: .*'size'"),
        ("python: 'my_embedder.py:embed', model: wordllama", "`python` takes the place of a model; remove `model`"),
        ("args: {size: 3}", "`args` are those of a function; name it with `python`"),
    ],
)
def test_an_embedder_that_cannot_be_called_stops_a_run_before_it_begins(
    tmp_path: Path, keys: str, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        check_embedding(configured(tmp_path, f"embedding: {{{keys}}}"))


def test_a_criterion_takes_arguments_that_its_function_takes(tmp_path: Path) -> None:
    configured(tmp_path, "")
    path = tmp_path / "criteria.yaml"

    def loaded(**args: object):  # type: ignore[no-untyped-def]  # a criterion
        definition = {"name": "short", "kind": "python", "function": "my_checks.py:is_short", "args": args}
        path.write_text(json.dumps([definition]), encoding="utf-8")
        return load_criteria(path, tmp_path)[0]

    two = loaded(words=2)
    assert two.function is not None
    assert [two.function({}, text) for text in ("a b", "a b c")] == [True, False]
    assert len({two.version, loaded(words=3).version, loaded().version}) == 3
    with pytest.raises(ConfigError, match=r"`short`: .*my_checks\.py `is_short` does not take .*'wrods'"):
        loaded(wrods=2)
