"""The incidents of the demo, as data: the simulator produces them, and `verify.py` checks whether they were found."""

from dataclasses import dataclass

DAYS = 30
"""How many days of logs the demo has."""


@dataclass(frozen=True)
class Incident:
    """One planted incident, and the incident that a night reports for it.

    `first` and `last` are days before the last day of logs (0 is the last day itself). It counts as found when
    marts.fct_incidents has one that begins on one of its days, with this kind of cause and a cause that contains
    `cause`.
    """

    name: str
    story: str
    first: int
    last: int
    cause_kind: str
    cause: str = ""
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
    cause_kind="prompt_version",
    cause="v8",
    share=0.4,
)
MOBILE_RELEASE = Incident(
    name="a change in how users write",
    story="from the last day on a mobile release makes 45 % of messages lower case, fragments and typos",
    first=0,
    last=0,
    cause_kind="release",
    cause="mobile",
    share=0.45,
)
OUTAGE = Incident(
    name="an outage of the provider",
    story="for three hours of one morning the provider answers no call",
    first=13,
    last=13,
    cause_kind="outage",
    cause="ServiceUnavailableError",
)
OUTAGE_HOURS = range(9, 12)
"""The hours of the day, in UTC."""
SWAPPED_MODEL = Incident(
    name="another model under the same name",
    story="for two days another model answers as support-desk-1: its replies are two sentences longer",
    first=5,
    last=4,
    cause_kind="model_under_name",
    cause="support-desk-1",
)
CANDIDATE_SLICE = Incident(
    name="a candidate that is worse on one slice",
    story="support-desk-2 is as good as the pinned model on the whole, and worse on German messages",
    first=0,
    last=0,
    cause_kind="candidate",
    cause="support-desk-2",
    share=0.4,
)
# Too small to change a structural feature: only the meaning of the texts shows it.
LOYALTY_POINTS = Incident(
    name="a new topic",
    story="for three days 4 % of messages ask about gift cards and loyalty points, of which nobody wrote before",
    first=2,
    last=0,
    cause_kind="topic",
    share=0.04,
)

INCIDENTS = (OUTAGE, LIST_OUTPUTS, SWAPPED_MODEL, LOYALTY_POINTS, MOBILE_RELEASE, CANDIDATE_SLICE)
