"""The incidents of the demo, as data: the simulator produces them, and `verify.py` checks whether they were found."""

from dataclasses import dataclass
from typing import Literal

DAYS = 30
"""How many days of logs the demo has."""


@dataclass(frozen=True)
class Incident:
    """One planted incident, and the breach that a night reports for it.

    `first` and `last` are days before the last day of logs (0 is the last day itself). It counts as found when
    marts.fct_breaches has, on one of its days, a row of one of `kinds` whose subject begins with one of
    `subjects`. `explains` are subject prefixes of further, expected breaches that it causes.
    """

    name: str
    story: str
    first: int
    last: int
    kinds: tuple[Literal["drift", "skew", "slice_worse", "topic", "new_topic", "two_sample"], ...]
    subjects: tuple[str, ...]
    explains: tuple[str, ...] = ()
    share: float = 1.0
    """The share of the day's calls that it affects; for a model, the share of the slice that it gets wrong."""

    def covers(self, days_before: int) -> bool:
        """Whether it is active that many days before the last day."""
        return self.last <= days_before <= self.first


LIST_OUTPUTS = Incident(
    name="a prompt that broke the answer's structure",
    story="prompt v8 went out to 40 % of calls for two days and wrapped every answer in a JSON list",
    first=10,
    last=9,
    kinds=("drift", "skew", "two_sample"),
    subjects=("triage/output/json_is_object", "triage/output/json_is_list"),
    explains=("triage/output/", "triage/pair/"),
    share=0.4,
)
MOBILE_RELEASE = Incident(
    name="a change in how users write",
    story="from the last day on a mobile release makes 45 % of messages lower case, fragments and typos",
    first=0,
    last=0,
    kinds=("drift", "skew", "two_sample", "topic", "new_topic"),
    subjects=("triage/input/lower_case", "triage/input/fragment", "triage/input/typo_share", "triage/input/"),
    explains=("triage/pair/",),
    share=0.45,
)
CANDIDATE_SLICE = Incident(
    name="a candidate that is worse on one slice",
    story="support-desk-2 is as good as the pinned model on the whole, and worse on German messages",
    first=0,
    last=0,
    kinds=("slice_worse",),
    subjects=("triage/right_category/simulated/support-desk-2/language=de",),
    share=0.4,
)
# Too small to change a structural feature: only the meaning of the texts shows it.
LOYALTY_POINTS = Incident(
    name="a new topic",
    story="for three days 4 % of messages ask about gift cards and loyalty points, of which nobody wrote before",
    first=2,
    last=0,
    kinds=("topic", "new_topic", "two_sample"),
    subjects=("triage/input/topic:", "triage/input/new_topic", "triage/input/two_sample"),
    share=0.04,
)

INCIDENTS = (LIST_OUTPUTS, MOBILE_RELEASE, CANDIDATE_SLICE, LOYALTY_POINTS)
