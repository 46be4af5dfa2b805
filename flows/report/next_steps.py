"""What a person does next about an incident: one plain line by the kind of its cause. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from flows.report.incident_rows import Incident
from flows.words import joined

# By kind, or by kind and the side that moved. `{cause}` and `{routes}` are of the incident; what stands in backticks is
# shown as code.
STEPS = {
    "release": "Read what {cause} changed on {routes}. If this was meant, leave it: it is told as settled once the new"
    " level has lasted. If not, roll it back.",
    "prompt_version": "Compare the two versions of the prompt with the calls below. If the change was not meant, go"
    " back to the version before {cause}.",
    "model_name": "The application asks for another model since then. If nobody decided that, look for the setting that"
    " changed; else run `genchi compare` with the old and the new name on {routes}.",
    "model_under_name": "Compare today's answers with the ones before, below. If you rely on the old behavior, pin a"
    " dated model name.",
    "model_under_name:dated": "Compare today's answers with the ones before, below. A name with a date should stay one"
    " model: look for what changed beside it, such as a gateway, a fallback or a setting of the request, then ask the"
    " provider.",
    "pinned_model": "Your holdout is answered by a model that changed under its name, so older pass rates do not hold"
    " for it: read the pass rates of tonight, and pin a dated name or switch to a candidate.",
    "language": "Read the calls below in their language. If these users are wanted, add examples of them to the"
    " holdout; if not, look who sends them.",
    "language:output": "Read the answers below. If nobody asked for another language, look at what the prompt says"
    " about it, and whether a fallback, an error or another model answers; then pin the language in the prompt.",
    "topic": "Read the calls below: is this what the application is for? If so, add some of them to the holdout, which"
    " does not test them yet; if not, find out which client sends them.",
    "user": "One user or client sends most of what moved. Find out who it is, by its calls, and whether the use is"
    " meant; a limit on its rate protects the others.",
    "log_format": "Look at what writes the logs, not at the model: the texts are logged in another form. Put the logger"
    " right, then read the days again with `genchi backfill`.",
    "outage": "Look at the errors below and at the provider's status page. The users of {routes} had no answer then:"
    " consider a retry, a longer time-out or a fallback model.",
    "canned_answer": "Read the repeated text below. If it is a fallback of your own, find out what triggers it; if not,"
    " treat it as an outage: these users got no answer.",
    "volume": "Ask who sends the calls of {routes}: a client that stopped, a retry loop, a new customer, a holiday. If"
    " no logs arrived, the checks below say which.",
    "criterion": "Read answers that fail it, and look for what changed before them: a prompt, a model, a topic."
    " `genchi show` with a call's id says which criterion failed and why.",
    "cost": "Look which of tokens, model and price moved, below. If it is output tokens, set a maximum; if it is input"
    " tokens, look for a context that grows.",
    "latency": "Look at the provider's status page, and at the hours of the slow calls below. If it lasts, set a"
    " time-out, or compare a faster model with `genchi compare`.",
    "candidate": "Nothing is broken: it answers whether you may switch. Look at the examples that got worse before you"
    " do.",
    "end_of_life": "Choose a successor before the provider shuts the model down: name it among `candidates`, and each"
    " night says whether it is as good.",
    "unknown": "None of the causes that were tried explains it. Read the calls below beside the one from before; print"
    " a whole one with `genchi show`. If it is harmless, silence it for some weeks with `mute`.",
}

_EVALUATED = " Run `genchi evaluate` to see what still passes your criteria."
_NOT_EVALUATED = " A holdout and criteria for {routes} in genchi.yaml would say what still passes."
_ASKS_FOR_QUALITY = ("prompt_version", "model_under_name")  # an evaluation says what it costs
_DATED = re.compile(
    r"(?<!\d)(?:20\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])"  # 2025-04-14, 20250414
    r"|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|2\d(?:0[1-9]|1[0-2]))(?!\d)"  # 0613, 2407
)


@dataclass(frozen=True)
class Words:
    """A part of a line; `is_code` for what is typed or written into a file."""

    text: str
    is_code: bool = False


def next_step(incident: Incident, evaluated: Collection[str] = ()) -> tuple[Words, ...]:
    """The line for an incident; for a kind that is not known, that of `unknown`. `evaluated` are routes."""
    about = {"cause": incident.cause or "the change", "routes": joined(incident.routes) or "this application"}
    side = incident.changes[0].side if incident.changes else ""
    variant = "dated" if _DATED.search(incident.cause or "") else side
    line = STEPS.get(f"{incident.cause_kind}:{variant}") or STEPS.get(incident.cause_kind, STEPS["unknown"])
    if incident.cause_kind in _ASKS_FOR_QUALITY:
        line += _EVALUATED if set(incident.routes) & set(evaluated) else _NOT_EVALUATED
    parts = enumerate(line.split("`"))  # before the names are put in: a backtick in a name is a backtick
    return tuple(Words(part if n % 2 else part.format(**about), bool(n % 2)) for n, part in parts if part)
