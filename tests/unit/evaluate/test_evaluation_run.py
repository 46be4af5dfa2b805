"""A night's evaluation with fake models: asked once, resumable, within its budget, compared."""

import asyncio
import json
from collections import Counter
from datetime import date, timedelta

import pytest

from flows.config import load as configuration
from flows.evaluate import forecast_day
from flows.evaluate.generate.journal import read_journal
from flows.evaluate.generate.request_runner import RunBudget, ask_all, row_of
from flows.evaluate.generate.requests import requests_of_run
from flows.evaluate.setup import load_setup, read_tasks
from flows.lake.lake import Lake, from_rows
from flows.llm.client import Answer, FakeClient
from tests.evaluating import KilledError, evaluate_night, generate_night, score_night

DAY, RUN = date(2026, 5, 4), "nightly-2026-05-04"


class Scripted(FakeClient):
    """Says yes, or what a function of the question gives."""

    def __init__(self, say=lambda question: "yes", cost_usd=None):
        super().__init__(cost_usd=cost_usd)
        self.say = say

    async def ask(self, messages, params):
        self.queue.append(self.say(messages[-1]["content"]))
        return await super().ask(messages, params)


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "h.jsonl").write_text("{}")
    (tmp_path / "c.yaml").write_text("- {name: right, kind: exact, severity: critical, min_pass_rate: 0.8, need: cost}")
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\nroutes:\n  yes_no: {holdout: h.jsonl, criteria: c.yaml, repeats: 2, margin: 0.05}\n"
        "models:\n  pinned: {model: openai/old}\n  candidates:\n    - {model: openai/new}\n"
        "  canary: {prompts: 0}\n"
    )
    config = configuration.load_config(tmp_path / "genchi.yaml")
    freeze(config, [example(n) for n in range(24)])
    return config


def example(n):
    return {
        "set": "holdout",
        "route": "yes_no",
        "example_id": str(n),
        "version": "v1",
        "messages_json": json.dumps([{"role": "user", "content": f"q{n}"}]),
        "input_text": f"q{n}",
        "expected_json": '"yes"',
        "expected_text": "yes",
        "tags": json.dumps({"language": "de" if n < 12 else "en", "rare": n}),
    }


def freeze(config, rows):
    Lake(config.lake).write("examples", DAY, from_rows(rows, "examples"))


def evaluate(config, old=None, new=None):
    clients = {"openai/old": old or Scripted(), "openai/new": new or Scripted()}
    return evaluate_night(config, DAY, RUN, lambda model: clients[model.name]), clients


def rows(config, table):
    return Lake(config.lake).read(table, DAY, RUN).to_pylist()


def bad_at_german(question):
    return "no" if int(question[1:]) < 12 else "yes"


def test_every_model_is_asked_every_example_as_often_as_the_route_says(workspace):
    result, clients = evaluate(workspace)
    assert (result.generation.asked, result.scores, result.unscored, result.failed) == (96, 96, 0, 0)
    assert {name: len(client.asked) for name, client in clients.items()} == {"openai/old": 48, "openai/new": 48}
    assert not Lake(workspace.lake).journal(RUN).exists()
    assert "96 requests sent" in result.summary()


def test_a_second_run_of_the_night_asks_nothing_and_gives_the_same_files(workspace):
    evaluate(workspace, new=Scripted(bad_at_german))
    tables = ("completions", "scores", "estimates", "comparisons")
    files = {table: Lake(workspace.lake).partition(table, DAY, RUN) for table in tables}
    before = {table: file.read_bytes() for table, file in files.items()}
    result, clients = evaluate(workspace)
    assert (result.generation.asked, result.generation.reused) == (0, 96)
    assert not any(client.asked for client in clients.values())
    assert {table: file.read_bytes() for table, file in files.items()} == before


def test_a_candidate_that_is_worse_on_a_slice_shows_there(workspace):
    evaluate(workspace, new=Scripted(bad_at_german))
    found = {row["slice"]: row for row in rows(workspace, "comparisons")}
    assert set(found) == {"*", "language=de", "language=en"}
    assert (found["language=de"]["delta"], found["language=en"]["delta"], found["*"]["delta"]) == (-1, 0, -0.5)
    assert (found["*"]["n_regressed"], found["*"]["n_repaired"], found["*"]["margin"]) == (12, 0, 0.05)
    assert found["*"]["ci_high"] < 0
    assert found["*"]["q_value"] <= 0.05
    estimate = next(row for row in rows(workspace, "estimates") if row["slice"] == "*" and row["arm"] == "candidate")
    assert (estimate["pass_rate"], estimate["n_examples"], estimate["n_repeats"]) == (0.5, 24, 2)
    assert (estimate["severity"], estimate["min_pass_rate"], estimate["need"]) == ("critical", 0.8, "cost")


def fails_on(picks, failure):
    """Says yes, but gives the answer `failure` to the questions that a function picks."""
    return Scripted(lambda question: failure if picks(question) else "yes")


TIMEOUT = Answer("error", error_type="Timeout", error_class="timeout")


def is_german(question):
    return int(question[1:]) < 12


def test_a_candidate_that_times_out_on_a_slice_is_not_known_to_be_as_good(workspace):
    evaluate(workspace, new=fails_on(is_german, TIMEOUT))
    found = {row["slice"]: row for row in rows(workspace, "comparisons")}
    assert (found["*"]["delta"], found["*"]["n_examples"], found["*"]["n_unanswered"]) == (0, 12, 12)
    assert found["*"]["ci_low_worst"] < -0.5 < found["*"]["ci_low"]
    assert found["*"]["ci_high_worst"] >= found["*"]["ci_high"]
    silent = found["language=de"]
    assert (silent["n_examples"], silent["n_unanswered"], silent["delta"]) == (0, 12, None)
    assert silent["ci_low_worst"] < -0.7
    assert (found["language=en"]["n_unanswered"], found["language=en"]["ci_low_worst"]) == (
        0,
        found["language=en"]["ci_low"],
    )
    (variant,) = (row for row in rows(workspace, "model_variants") if row["arm"] == "candidate")
    assert (variant["n_unanswered"], variant["pass_rate"]) == (12, 1.0)


def test_one_open_answer_of_several_leaves_its_example_unanswered(workspace):
    once = fails_on(lambda question: question == "q3" and len(once.asked) < 24, TIMEOUT)
    evaluate(workspace, new=once)
    (overall,) = (row for row in rows(workspace, "comparisons") if row["slice"] == "*")
    assert (overall["n_examples"], overall["n_unscored"], overall["n_unanswered"]) == (24, 1, 1)
    assert overall["ci_low_worst"] <= overall["ci_low"]


@pytest.mark.parametrize("error_class", ["context_length", "content_filter", "refused_request", "repetition"])
def test_what_a_candidate_fails_by_itself_is_wrong_and_the_providers_words_are_stored(workspace, error_class):
    failure = Answer("error", error_type="BadRequestError", error_class=error_class, error_message="no: too long")
    evaluate(workspace, new=fails_on(is_german, failure))
    (overall,) = (row for row in rows(workspace, "comparisons") if row["slice"] == "*")
    assert (overall["delta"], overall["n_unanswered"], overall["n_unscored"]) == (-0.5, 0, 0)
    stored = {(row["error_class"], row["error_message"]) for row in rows(workspace, "completions")}
    assert stored == {(None, None), (error_class, "no: too long")}
    reasons = {row["reason"] for row in rows(workspace, "scores") if row["passed"] is False}
    assert reasons == {f"not answered: {error_class}: no: too long"}


def test_a_candidate_with_an_unset_variable_is_left_out_and_the_others_are_evaluated(workspace, caplog):
    text = workspace.path.read_text()
    more = "    - {model: openai/new}\n    - {model: openai/keyless, api_key: '${NO_SUCH_KEY}'}\n"
    workspace.path.write_text(text.replace("    - {model: openai/new}\n", more))
    with caplog.at_level("INFO", logger="genchi"):
        evaluate(configuration.load_config(workspace.path))
    why = "not sent: the environment variable NO_SUCH_KEY is not set; set it"
    assert [line for line in caplog.messages if "NO_SUCH_KEY" in line] == [f"  openai/keyless is left out: {why}"]
    stored = Counter((row["model"], row["status"], row["error_class"], row["error_message"])
                     for row in rows(workspace, "completions"))  # fmt: skip
    assert stored == {
        ("openai/old", "ok", None, None): 48,
        ("openai/new", "ok", None, None): 48,
        ("openai/keyless", "error", "not_sent", why): 48,
    }
    found = {row["candidate"]: row for row in rows(workspace, "comparisons") if row["slice"] == "*"}
    assert (found["openai/new"]["n_examples"], found["openai/keyless"]["n_examples"]) == (24, 0)
    assert found["openai/keyless"]["n_unanswered"] == 24


def test_what_a_provider_left_unscored_is_asked_first_on_the_next_run_and_the_next_night(workspace):
    late = {"q20", "q21"}
    evaluate(workspace, new=fails_on(lambda question: question in late, TIMEOUT))
    _, clients = evaluate(workspace, new=fails_on(lambda question: question in late, TIMEOUT))
    assert {messages[-1]["content"] for messages, _ in clients["openai/new"].asked} == late
    tomorrow = DAY + timedelta(days=1)
    Lake(workspace.lake).write("examples", tomorrow, from_rows([example(n) for n in range(24)], "examples"))
    clients = {name: Scripted() for name in ("openai/old", "openai/new")}
    evaluate_night(workspace, tomorrow, f"nightly-{tomorrow}", lambda model: clients[model.name])
    for client in clients.values():
        asked = [messages[-1]["content"] for messages, _ in client.asked]
        assert (set(asked[:4]), len(asked)) == (late, 48)


def test_a_candidate_that_is_worse_on_a_topic_shows_there(workspace):
    lake = Lake(workspace.lake)
    named = [{"route": "yes_no", "topic_id": topic, "label": "refunds"} for topic in ("t1", "t2")]
    lake.write("topic_catalog", DAY, from_rows(named, "topic_catalog"))
    about = {"side": "input", "origin": "holdout", "route": "yes_no"}
    topics = [
        {**about, "call_id": str(n), "topic_id": "t1" if n < 12 else "t2", "is_novel": n == 23} for n in range(24)
    ]
    elsewhere = [{**row, "origin": "production"} for row in topics] + [{**row, "route": "other"} for row in topics]
    lake.write("topics", DAY, from_rows([*elsewhere, *topics], "topics"))
    evaluate(workspace, new=Scripted(bad_at_german))
    found = {row["slice"]: (row["n_examples"], row["delta"]) for row in rows(workspace, "comparisons")}
    assert found["topic=refunds (t1)"] == (12, -1)
    assert found["topic=refunds (t2)"] == (11, 0)


def test_what_fails_now_and_then_is_counted(workspace):
    def flaky(question, seen=Counter()):  # noqa: B006 - it is to remember
        seen[question] += 1
        return "no" if question == "q3" and seen[question] == 2 else "yes"

    evaluate(workspace, new=Scripted(flaky))
    estimate = next(row for row in rows(workspace, "estimates") if row["slice"] == "*" and row["arm"] == "candidate")
    assert (estimate["n_flaky"], estimate["pass_hat_k"], estimate["pass_at_k"]) == (1, 23 / 24, 1)
    assert estimate["spread"] > 0
    compared = next(row for row in rows(workspace, "comparisons") if row["slice"] == "*")
    assert (compared["n_repeats"], compared["n_regressed"]) == (2, 1)
    assert 0 < compared["repeat_share"] <= 1
    assert compared["standard_error"] > 0


def test_new_criteria_score_the_stored_answers_anew(workspace):
    evaluate(workspace)
    workspace.routes["yes_no"].criteria.write_text("- {name: short, kind: length, max_chars: 2}")
    result = score_night(workspace, DAY, RUN)
    assert {row["criterion"] for row in rows(workspace, "scores")} == {"short"}
    assert result.unscored == 0
    assert {row["pass_rate"] for row in rows(workspace, "estimates")} == {0}


def test_a_night_that_died_asks_only_for_what_the_journal_lacks(workspace):
    class Dies(Scripted):
        async def ask(self, messages, params):
            if len(self.asked) == 20:
                raise KilledError
            return await super().ask(messages, params)

    with pytest.raises(BaseException):  # noqa: B017, PT011 - a kill is no Exception, and may come in a group
        evaluate(workspace, new=Dies())
    journal = Lake(workspace.lake).journal(RUN)
    with journal.open("ab") as file:
        file.write(b'{"model": "openai/old", "rou')
    noted = len(list(read_journal(journal)))
    assert noted >= 20
    assert rows(workspace, "completions") == []
    result, clients = evaluate(workspace)
    assert result.generation.reused == noted
    assert sum(len(client.asked) for client in clients.values()) == 96 - noted
    keys = Counter((row["model"], row["example_id"], row["repeat"]) for row in rows(workspace, "completions"))
    assert len(keys) == 96
    assert set(keys.values()) == {1}


def test_an_answer_after_a_torn_line_is_kept(workspace):
    journal = Lake(workspace.lake).journal(RUN)
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b'{"torn')
    one = next(requests_of_run(RUN, read_tasks(load_setup(workspace), DAY)))
    client = Scripted()
    asyncio.run(ask_all([one], lambda question: client, row_of, journal, RunBudget(None), total=1))
    assert [row["output_text"] for row in read_journal(journal)] == ["yes"]


def test_a_forecast_counts_what_has_no_answer_yet_and_sends_nothing(workspace):
    frozen = Lake(workspace.lake).read("examples", DAY)
    setup, later = load_setup(workspace), DAY + timedelta(days=1)
    clients = {"openai/old": Scripted(cost_usd=0.01), "openai/new": Scripted()}

    def forecast():
        return forecast_day(setup, later, frozen, lambda model: clients[model.name])

    found = forecast()
    assert (found.requests, round(found.usd, 2), found.unpriced) == (24 * 2 * 2, 0.48, ("openai/new",))
    assert not any(client.asked for client in clients.values())
    assert Lake(workspace.lake).days("examples") == [DAY]
    evaluate(workspace, **{"old": clients["openai/old"], "new": clients["openai/new"]})
    assert forecast().requests == 0


def test_a_backfill_takes_what_another_night_has_answered_and_a_night_asks_anew(workspace):
    evaluate(workspace)
    tomorrow = date(2026, 5, 5)
    Lake(workspace.lake).write("examples", tomorrow, from_rows([example(n) for n in range(24)], "examples"))
    client = Scripted()
    done = generate_night(workspace, tomorrow, "nightly-2026-05-05", lambda model: client, other_nights=True)
    assert (done.asked, done.reused, done.spent_usd) == (0, 96, 0)
    landed = Lake(workspace.lake).read("completions", tomorrow).to_pylist()
    assert {row["run_id"] for row in landed} == {"nightly-2026-05-05"}
    Lake(workspace.lake).remove("completions", tomorrow, "nightly-2026-05-05")
    assert generate_night(workspace, tomorrow, "nightly-2026-05-05", lambda model: client).asked == 96


def test_a_reused_answer_names_the_run_that_asked_and_costs_nothing_again(workspace):
    workspace.path.write_text(workspace.path.read_text() + "budget: {usd: 0.97}\n")
    config = configuration.load_config(workspace.path)
    evaluate(config, Scripted(cost_usd=0.01), Scripted(cost_usd=0.01))
    tomorrow, run = date(2026, 5, 5), "nightly-2026-05-05"
    Lake(config.lake).write("examples", tomorrow, from_rows([example(n) for n in range(25)], "examples"))
    for asked, spent in ((1, 0.01), (0, 0)):
        client = Scripted(cost_usd=0.01)
        done = generate_night(config, tomorrow, run, lambda model, client=client: client, other_nights=True)
        assert (done.asked, done.spent_usd) == (4 * asked, pytest.approx(4 * spent))
    landed = Lake(config.lake).read("completions", tomorrow).to_pylist()
    assert Counter(row["reused_from"] for row in landed) == {RUN: 96, None: 4}


def test_changed_parameters_are_a_new_question(workspace):
    evaluate(workspace)
    text = workspace.path.read_text().replace("{model: openai/new}", "{model: openai/new, params: {temperature: 0}}")
    workspace.path.write_text(text)
    result, clients = evaluate(configuration.load_config(workspace.path))
    assert (len(clients["openai/old"].asked), len(clients["openai/new"].asked)) == (0, 48)
    assert result.generation.reused == 48


def test_an_error_is_unscored_and_asked_again_the_next_time(workspace):
    def down(question):
        return Answer("error", error_type="ServiceUnavailableError")

    result, _ = evaluate(workspace, new=Scripted(down))
    assert (result.failed, result.unscored) == (48, 48)
    overall = next(row for row in rows(workspace, "comparisons") if row["slice"] == "*")
    assert (overall["n_examples"], overall["delta"], overall["q_value"], overall["n_unscored"]) == (0, None, None, 48)
    silent = next(row for row in rows(workspace, "estimates") if row["slice"] == "*" and row["arm"] == "candidate")
    assert (silent["pass_rate"], silent["ci_low"], silent["n_examples"], silent["n_unscored"]) == (None, None, 0, 48)
    again, clients = evaluate(workspace)
    assert len(clients["openai/new"].asked) == 48
    assert again.unscored == 0


def test_a_budget_stops_the_asking_and_is_kept_to(workspace):
    workspace.path.write_text(workspace.path.read_text() + "budget: {usd: 0.3, concurrency: 4}\n")
    config = configuration.load_config(workspace.path)
    result, _ = evaluate(config, Scripted(cost_usd=0.01), Scripted(cost_usd=0.01))
    assert result.generation.budget_ran_out
    assert result.generation.asked == 30
    assert result.generation.spent_usd == pytest.approx(0.3)
    errors = Counter(row["error_type"] for row in rows(config, "completions"))
    assert errors == {None: 30, "budget": 66}
    again, _ = evaluate(config, Scripted(cost_usd=0.01), Scripted(cost_usd=0.01))
    assert (again.generation.asked, again.generation.spent_usd) == (0, 0)


class Estimated(Scripted):
    """Estimated at a dime for an answer that costs a cent; `flight` counts how many are in flight, now and at most."""

    def __init__(self, flight):
        super().__init__(cost_usd=0.01)
        self.flight = flight

    async def ask(self, messages, params):
        self.flight["now"] += 1
        self.flight["most"] = max(self.flight["most"], self.flight["now"])
        await asyncio.sleep(0.001)
        self.flight["now"] -= 1
        return await super().ask(messages, params)

    def estimate_usd(self, messages, params):
        return 0.1


def test_what_does_not_fit_beside_what_is_in_flight_waits_for_it(workspace):
    workspace.path.write_text(workspace.path.read_text() + "budget: {usd: 1.2, concurrency: 32}\n")
    config = configuration.load_config(workspace.path)
    flight = Counter()
    result, _ = evaluate(config, Estimated(flight), Estimated(flight))
    assert (result.generation.asked, result.generation.budget_ran_out) == (96, False)
    assert result.generation.spent_usd == pytest.approx(0.96)
    assert 1 < flight["most"] <= 12


def test_a_budget_that_ends_while_others_wait_leaves_whole_pairs(workspace):
    workspace.path.write_text(workspace.path.read_text() + "budget: {usd: 0.5, concurrency: 32}\n")
    config = configuration.load_config(workspace.path)
    result, _ = evaluate(config, Estimated(Counter()), Scripted(cost_usd=0.001))
    assert result.generation.budget_ran_out
    answered = [
        {
            (row["example_id"], row["repeat"])
            for row in rows(config, "completions")
            if row["status"] == "ok" and row["arm"] == arm
        }
        for arm in ("pinned", "candidate")
    ]
    assert len(answered[0]) == len(answered[1]) > 20
    assert answered[0] == answered[1]


def test_what_is_free_or_has_no_price_is_asked_whatever_the_budget(workspace):
    workspace.path.write_text(workspace.path.read_text() + "budget: {usd: 0.1}\n")
    for cost in (None, 0.0):
        Lake(workspace.lake).remove("completions", DAY, RUN)
        result, clients = evaluate(
            configuration.load_config(workspace.path), Scripted(cost_usd=0.01), Scripted(cost_usd=cost)
        )
        assert {name: len(client.asked) for name, client in clients.items()} == {"openai/old": 10, "openai/new": 48}
        assert result.generation.budget_ran_out


def test_what_it_may_cost_is_said_before_the_first_question(workspace, caplog):
    workspace.path.write_text(workspace.path.read_text() + "budget: {usd: 0.3}\n")
    config = configuration.load_config(workspace.path)

    class Listening(Scripted):
        async def ask(self, messages, params):
            assert said(caplog) == [
                f"{RUN}: 96 requests to send, estimated cost 0.96 USD",
                "the budget has 0.30 USD left: when it is used up, the remaining requests are not sent",
            ]
            return await super().ask(messages, params)

    result, _ = evaluate(config, Listening(cost_usd=0.01), Listening(cost_usd=0.01))
    assert result.generation.asked == 30


def test_a_model_without_a_price_is_named_where_there_is_a_budget(workspace, caplog):
    workspace.path.write_text(workspace.path.read_text() + "budget: {usd: 0.3}\n")
    evaluate(configuration.load_config(workspace.path), Scripted(), Scripted(cost_usd=0.001))
    assert said(caplog) == [
        f"{RUN}: 96 requests to send, estimated cost 0.05 USD, without openai/old, whose price is unknown",
        "the budget does not limit openai/old: set a `price` for it",
    ]


def said(caplog):
    return [record.getMessage().strip() for record in caplog.records if record.name == "genchi"]


def test_a_route_without_examples_has_unknown_rates(workspace):
    freeze(workspace, [])
    result, _ = evaluate(workspace)
    assert result.scores == 0
    assert [(row["slice"], row["pass_rate"], row["n_examples"]) for row in rows(workspace, "estimates")] == [
        ("*", None, 0),
        ("*", None, 0),
    ]
    assert [(row["delta"], row["q_value"]) for row in rows(workspace, "comparisons")] == [(None, None)]


def test_a_models_own_prompt_takes_the_system_messages_place(workspace):
    (workspace.workspace / "p.txt").write_text("Answer in {{language}}: {{ example_id }}")
    workspace.path.write_text(workspace.path.read_text().replace("openai/new}", "openai/new, prompt: p.txt}"))
    _, clients = evaluate(configuration.load_config(workspace.path))
    assert clients["openai/new"].asked[0][0][0] == {"role": "system", "content": "Answer in de: 0"}
    assert len(clients["openai/old"].asked[0][0]) == 1
    versions = {row["arm"]: row["prompt_version"] for row in rows(workspace, "completions")}
    assert versions["pinned"] is None
    assert len(versions["candidate"]) == 12
