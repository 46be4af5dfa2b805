"""The kinds of criteria: the keys of each, and the validation of a single criterion."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from flows.config import Severity
from flows.evaluate.criteria import time_limit
from flows.functions import is_function
from flows.lake import UNWRAPPED

OUTPUT_SCHEMA = "output_schema"
Need = Literal["reliability", "harmlessness", "factual_consistency", "usefulness", "scalability", "cost"]
"""What users need that a criterion is about, as in dbt's seeds."""


def _is_pattern(text: str) -> str:
    try:
        time_limit.compile_pattern(text)
    except (time_limit.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is not a valid pattern ({error})") from None
    return text


def _has_group(text: str) -> str:
    if time_limit.compile_pattern(_is_pattern(text)).groups == 0:
        raise ValueError("needs a capture group, `(...)`, around the part to compare")
    return text


Pattern = Annotated[str, AfterValidator(_is_pattern)]
Extract = Annotated[str, AfterValidator(_has_group)]


def _underscored(need: object) -> object:
    """`factual consistency` is how people write it."""
    return need.replace(" ", "_") if isinstance(need, str) else need


def _is_free(name: str) -> str:
    if name == OUTPUT_SCHEMA or name.endswith(UNWRAPPED):
        raise ValueError("is a reserved name; choose another")
    return name


class _Definition(BaseModel):
    """What all kinds have. `author` and `reason` say who wrote it and why; they are no part of its version."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: Annotated[str, Field(min_length=1), AfterValidator(_is_free)]
    severity: Severity = "warning"
    need: Annotated[Need, BeforeValidator(_underscored)] = "usefulness"
    min_pass_rate: float | None = Field(default=None, ge=0, le=1)
    author: str | None = None
    reason: str | None = None


class Exact(_Definition):
    """The answer equals `expected`."""

    kind: Literal["exact"]
    extract: Extract | None = None
    strict: bool = False


class Contains(_Definition):
    """The answer contains `expected`."""

    kind: Literal["contains"]
    extract: Extract | None = None
    strict: bool = False


class Regex(_Definition):
    """The pattern matches somewhere in the answer; case matters."""

    kind: Literal["regex"]
    pattern: Pattern


class Numeric(_Definition):
    """The first number of the answer differs from that of `expected` by at most `tolerance`."""

    kind: Literal["numeric"]
    extract: Extract | None = None
    tolerance: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class JsonValid(_Definition):
    """The whole answer is JSON."""

    kind: Literal["json_valid"]


class JsonSchema(_Definition):
    """The whole answer is JSON valid under `schema` (a path relative to the criteria file), or the route's schema."""

    kind: Literal["json_schema"]
    file: str | None = Field(default=None, alias="schema")


class Length(_Definition):
    """The length of the answer is within these limits, in characters and words."""

    kind: Literal["length"]
    min_chars: int | None = Field(default=None, ge=0)
    max_chars: int | None = Field(default=None, ge=0)
    min_words: int | None = Field(default=None, ge=0)
    max_words: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _says_something(self) -> "Length":
        if {self.min_chars, self.max_chars, self.min_words, self.max_words} == {None}:
            raise ValueError("needs one of min_chars, max_chars, min_words, max_words")
        return self


class Latency(_Definition):
    """The answer took at most `max_ms` milliseconds."""

    kind: Literal["latency"]
    max_ms: float = Field(gt=0, allow_inf_nan=False)


class Cost(_Definition):
    """The answer cost at most `max_usd` USD."""

    kind: Literal["cost"]
    max_usd: float = Field(ge=0, allow_inf_nan=False)


class Python(_Definition):
    """A function of the workspace returns the result: `checks.py:function`. `args` are further arguments, by name."""

    kind: Literal["python"]
    function: Annotated[str, AfterValidator(is_function)]
    args: dict[str, JsonValue] = Field(default_factory=dict)


def _as_word(value: object) -> object:
    """Undo YAML's reading of unquoted yes and no as true and false."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


class Judge(_Definition):
    """An LLM judge decides. `binary`: it answers the question about an answer with yes or no, and `pass_if` passes.
    `pairwise`: it says which answer the question favours, the candidate's or the pinned model's.

    `prompt` is a template of the workspace, `prompts/judge/<prompt>.md`; without it, one named as the criterion.
    At most `samples_per_day` production answers per day and route are sent to the judge.
    """

    kind: Literal["judge"]
    question: str = Field(min_length=1)
    mode: Literal["binary", "pairwise"] = "binary"
    pass_if: Annotated[Literal["yes", "no"] | None, BeforeValidator(_as_word)] = None
    prompt: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][\w.-]*$")] | None = None
    samples_per_day: int = Field(default=50, ge=0)

    @model_validator(mode="after")
    def _passes_by_one_rule(self) -> "Judge":
        if self.mode == "pairwise" and self.pass_if is not None:
            raise ValueError("`pass_if` is for `mode: binary`; pairwise asks which answer is better")
        if self.mode == "pairwise" and self.min_pass_rate is not None:
            raise ValueError(
                "remove `min_pass_rate`: it binds the pinned model, which has 0.5 by definition in `mode: pairwise`;"
                " a candidate that is worse is a breach without it"
            )
        return self


Definition = Exact | Contains | Regex | Numeric | JsonValid | JsonSchema | Length | Latency | Cost | Python | Judge
KINDS: dict[str, type[Definition]] = {
    str(kind.model_fields["kind"].annotation.__args__[0]): kind  # type: ignore[union-attr]  # each is a Literal of one
    for kind in (Exact, Contains, Regex, Numeric, JsonValid, JsonSchema, Length, Latency, Cost, Python, Judge)
}
