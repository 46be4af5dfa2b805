"""A wrong configuration gets one line that says what, where and how to fix it."""

from datetime import date
from pathlib import Path

import pytest

from flows.config.load import Config, load_config
from flows.config.threshold_table import thresholds
from flows.config.variables import UnsetVariableError
from flows.errors import ConfigError

GOOD = """
app: support-triage
lake: lake
timezone: Europe/Berlin
sources:
  - {name: gateway, format: litellm, path: "logs/{day}/*.jsonl*"}
dev_set: dev.jsonl
redact: [email, phone, card, secret, iban, ip]
redact_paths: [metadata.user_api_key_user_email, "messages[*].name", $.requester_ip_address]
user_key_secret: "${USERS}"
retention: {interactions: 90d, quarantine: 12w, manifest: keep}
risk: strict
routes:
  triage: {holdout: h.jsonl, criteria: c.yaml, output_schema: s.json, repeats: 3, margin: 0.02}
models:
  pinned: {model: openai/gpt-4-0314, api_base: "http://127.0.0.1:8080/v1", api_key: "${KEY}", params: {temperature: 0}}
  candidates: [{model: openai/gpt-4-0613, name: newer}]
budget: {usd: 20, concurrency: 32, requests_per_minute: 600}
review: {samples_per_day: 30}
alerts:
  - {kind: webhook, url: "http://127.0.0.1:9000/hook"}
"""


def load(folder: Path, text: str = GOOD, **environment: str) -> Config:
    for name in ("dev.jsonl", "h.jsonl", "c.yaml", "s.json"):
        (folder / name).touch()
    (folder / "genchi.yaml").write_text(text, encoding="utf-8")
    return load_config(folder / "genchi.yaml", {"USERS": "a secret of the tests"} | environment)


def test_the_configuration_of_the_house_is_read(tmp_path: Path) -> None:
    settings = load(tmp_path, KEY="k")
    assert settings.lake == tmp_path / "lake"
    assert settings.warehouse == tmp_path / "lake" / "warehouse.duckdb"
    assert settings.reports == tmp_path / "reports"
    assert settings.routes["triage"].holdout == tmp_path / "h.jsonl"
    assert settings.sources[0].path == str(tmp_path / "logs/{day}/*.jsonl*")
    assert [model.name for model in settings.all_models()] == ["openai/gpt-4-0314", "newer"]
    assert settings.models is not None
    assert settings.models.pinned.api_key == "k"
    assert settings.redact_paths[1] == "messages[*].name"
    assert settings.retention == {"interactions": 90, "quarantine": 84, "manifest": None}


def test_the_pages_of_a_night_are_at_their_address_or_else_in_their_folder(tmp_path: Path) -> None:
    day = date(2026, 3, 2)
    assert load(tmp_path, KEY="k").pages_of(day) == str(tmp_path / "reports" / "2026-03-02")
    served = load(tmp_path, f"{GOOD}report_url: https://pages.example/genchi/\n", KEY="k")
    assert served.pages_of(day) == "https://pages.example/genchi/2026-03-02"
    with pytest.raises(ConfigError, match=r"report_url.*begin it with https://"):
        load(tmp_path, f"{GOOD}report_url: javascript:alert(1)\n", KEY="k")


def test_a_secret_is_not_shown_where_a_configuration_is_printed(tmp_path: Path) -> None:
    assert "hush" not in repr(load(tmp_path, KEY="hush", USERS="hush, said the user"))
    with pytest.raises(ConfigError, match="`user_key_secret`: string should have at least 16") as caught:
        load(tmp_path, GOOD.replace("${USERS}", "hush"), KEY="k")
    assert "hush" not in str(caught.value)
    settings = load(tmp_path, GOOD + "storage: {key: '${KEY}', secret: '${KEY}', token: '${KEY}'}", KEY="hush")
    assert settings.storage.secret == "hush"
    assert "hush" not in repr(settings)


def test_what_a_machine_keeps_of_a_lake_in_an_object_store_lies_beside_the_configuration(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD.replace("lake: lake", "lake: s3://bucket/a/lake/"), KEY="k")
    assert settings.lake == "s3://bucket/a/lake"
    assert settings.warehouse == tmp_path / "warehouse.duckdb"
    assert settings.state == tmp_path / ".genchi"


def test_a_single_threshold_takes_the_place_of_the_one_of_the_risk(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD + "thresholds: {min_calls: 5}\n", KEY="k")
    assert settings.limits == thresholds("strict") | {"min_calls": 5.0}


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("dev_set:", "devset:", "unknown key `devset`; did you mean `dev_set`?"),
        ("repeats:", "repeat:", "unknown key `repeat` in `routes.triage`; did you mean `repeats`?"),
        ("usd: 20", "dollars: 20", "unknown key `dollars` in `budget`"),
        ("name: newer", "nmae: newer", "unknown key `nmae` in `models.candidates.0`; did you mean `name`?"),
        ("format: litellm", "format: litelm", "`sources.0.format`: unknown log format; use one of "),
        ("Europe/Berlin", "Europe/Atlantis", "`timezone`: 'Europe/Atlantis' is not a known time zone"),
        ("app: support-triage", "", "the key `app` is missing"),
        ("repeats: 3", "repeats: none", "`routes.triage.repeats`: input should be a valid integer"),
        ("holdout: h.jsonl", "holdout: gone.jsonl", "routes.triage.holdout: no such file: "),
        ("criteria: c.yaml, ", "", "routes.triage: has no `criteria`"),
        ("name: newer", "name: openai/gpt-4-0314", "duplicate name 'openai/gpt-4-0314'"),
        (
            "interactions: 90d",
            "interaction: 90d",
            "`retention`: the lake has no table `interaction`; did you mean `interactions`?",
        ),
        (
            "quarantine: 12w",
            "quarantine: 12",
            "`retention.quarantine`: is not a valid period; write days or weeks such as 90d or 12w",
        ),
        ("quarantine: 12w", "quarantine: 0d", "`retention.quarantine`: is not a valid period"),
        ("messages[*].name", "messages[", "`redact_paths.1`: 'messages[' is not a valid field path; write one such as"),
        ("iban, ip]", "iban, ipv4]", "`redact.5`: input should be 'email', 'phone', 'card', 'secret', 'iban' or 'ip'"),
        (
            "name: newer",
            "price: {inputs: 1}",
            "unknown key `inputs` in `models.candidates.0.price`; did you mean `input`",
        ),
        ("format: litellm", "fromat: litellm", "unknown key `fromat` in `sources.0`; did you mean `format`?"),
        ('path: "logs', 'pth: "logs', "unknown key `pth` in `sources.0`; did you mean `path`?"),
        ("app: support-triage", "app: a\npath: b", "unknown key `path`"),
        ("risk: strict", "embedding: {modl: m}", "unknown key `modl` in `embedding`; did you mean `model`?"),
        ("risk: strict", "embedding: {max_texts_per_day: 0}", "`embedding.max_texts_per_day`: input should be greater"),
        ("risk: strict", "embedding: {params: {a: 2026-03-02}}", "write dates in quotes"),
        ("lake: lake", "lake: hdfs://bucket/lake", "`lake`: hdfs:// is not a supported store; use s3://bucket/prefix"),
        ("lake: lake", "lake: s3://b", "`lake`: 'b' is not a valid bucket name"),
        ("lake: lake", "lake: [lake]", "`lake`: should be a path"),
        ("logs/{day}", "ftp://logs/{day}", "`sources.0.path`: ftp:// is not a supported store"),
        ("risk: strict", "storage: {secrt: hush, key: k}", "unknown key `secrt` in `storage`; did you mean `secret`?"),
        ("risk: strict", "storage: {secret: hush}", "`storage`: `key` and `secret` go together"),
        ("risk: strict", "storage: {key: k, secret: [hush]}", "`storage.secret`: input should be a valid string"),
        ("risk: strict", "storage: {endpoint_url: 127.0.0.1}", "`storage.endpoint_url`: string should match"),
        ("app: support-triage", "app: [", "not valid YAML: "),
        (
            "risk: strict",
            "thresholds: {min_call: 5}",
            "`thresholds`: no threshold 'min_call'; did you mean `min_calls`?",
        ),
        (
            "risk: strict",
            "mute: [{until: 2026-03-01, reason: r}]",
            "`mute.0`: a mute has either a `subject` or a `cause`",
        ),
        ("risk: strict", "mute: [{subject: s, reason: r}]", "the key `mute.0.until` is missing"),
        (
            "risk: strict",
            "mute: [{subject: s, until: soon, reason: r}]",
            "`mute.0.until`: input should be a valid date",
        ),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, before: str, after: str, complaint: str) -> None:
    assert before in GOOD
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD.replace(before, after), KEY="k")
    assert complaint in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "genchi.yaml"))
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)


def test_an_unset_variable_stops_what_needs_it_and_nothing_else(tmp_path: Path) -> None:
    settings = load(tmp_path)
    settings.require_for_ingest()
    with pytest.raises(UnsetVariableError) as stopped:
        settings.require_evaluation()
    where = f"{tmp_path / 'genchi.yaml'}: models.pinned.api_key"
    assert str(stopped.value) == f"{where}: the environment variable KEY is not set; evaluation needs it: set it"


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ("lake: lake", 'lake: "${NOWHERE}/lake"', "lake"),
        ("usd: 20", 'usd: "${NOWHERE}"', "budget.usd"),
        ("dev_set: dev.jsonl", 'dev_set: "${NOWHERE}/dev.jsonl"', "dev_set"),
    ],
)
def test_an_unset_variable_that_everything_needs_is_named_with_its_key(
    tmp_path: Path, before: str, after: str, key: str
) -> None:
    with pytest.raises(ConfigError, match=f"{key}: the environment variable NOWHERE is not set; set it"):
        load(tmp_path, GOOD.replace(before, after), KEY="k")


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ("model: openai/gpt-4-0314", 'model: "${NOWHERE}", batch: true', "pinned.model"),
        ("temperature: 0", 'user: "${NOWHERE}"', "pinned.params.user"),
    ],
)
def test_an_unset_variable_of_the_pinned_model_stops_the_evaluation_only(
    tmp_path: Path, before: str, after: str, key: str
) -> None:
    settings = load(tmp_path, GOOD.replace(before, after), KEY="k")
    settings.require_for_ingest()
    with pytest.raises(UnsetVariableError, match=rf"models\.{key}: .* NOWHERE is not set; evaluation needs it"):
        settings.require_evaluation()


def test_an_unset_variable_of_a_candidate_or_the_judge_does_not_stop_the_evaluation(tmp_path: Path) -> None:
    judged = GOOD.replace("  candidates", '  judge: {model: "openai/${NOWHERE}"}\n  candidates')
    settings = load(tmp_path, judged.replace("name: newer", 'name: "${NOWHERE}"'), KEY="k")
    settings.require_evaluation()
    with pytest.raises(UnsetVariableError, match=r"models\.candidates\.0\.name: .* NOWHERE is not set"):
        settings.require_evaluation(candidates=True)


def test_an_unset_variable_of_the_embedding_stops_the_topics_only(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD + 'embedding: {model: openai/e, api_key: "${NOWHERE}"}\n', KEY="k")
    settings.require_for_ingest()
    settings.require_evaluation()
    with pytest.raises(UnsetVariableError, match=r"embedding\.api_key: .* embedding texts needs it"):
        settings.require_for_semantics()


def test_a_secret_that_is_not_set_is_no_short_secret(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD.replace("${USERS}", "${SALT}"), KEY="k")
    with pytest.raises(UnsetVariableError, match="user_key_secret: the environment variable SALT is not set; reading"):
        settings.require_for_ingest()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("app: a\nlake: lake\napp: b\n", "the key `app` stands in lines 1 and 3; remove one of them"),
        ("app: a\nlake: lake\nbudget: {usd: 1, usd: 2}\n", "the key `usd` stands twice in line 3; remove one of them"),
        (
            "app: a\nlake: lake\nroutes:\n  triage: {}\n  'triage': {repeats: 3}\n",
            "the key `triage` stands in lines 4 and 5; remove one of them",
        ),
        ("app: a\nlake: lake\nalerts:\n- kind: slack\n  url: x\n  kind: webhook\n", "the key `kind` stands in lines 4"),
    ],
)
def test_a_key_that_stands_twice_is_named_with_both_lines(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'genchi.yaml'}: {complaint}")


def test_a_merged_mapping_may_set_a_key_again(tmp_path: Path) -> None:
    shared = "app: a\nlake: lake\nroutes:\n  one: &one {repeats: 2, margin: 0.1}\n  two: {<<: *one, repeats: 3}\n"
    settings = load(tmp_path, shared)
    assert (settings.routes["two"].repeats, settings.routes["two"].margin) == (3, 0.1)


def test_a_missing_file_says_how_to_get_a_first_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="genchi init"):
        load_config(tmp_path / "nowhere.yaml", {})


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{name: a, format: litellm}", "a source has one of `path` (files), `dsn`"),
        ("{name: a, format: litellm, path: x, dsn: y}", "a source has one of `path`"),
        ("{name: a, format: litellm, path: x, query: y}", "`query` needs a `dsn`"),
        ("{name: a, format: genchi, dsn: 'postgresql://u:secret@h/db'}", "`dsn` needs a `query`"),
    ],
)
def test_a_source_is_files_or_a_database(tmp_path: Path, source: str, problem: str) -> None:
    path = tmp_path / "genchi.yaml"
    path.write_text(f"app: x\nlake: lake\nsources: [{source}]\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_config(path, {})
    assert problem in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)
