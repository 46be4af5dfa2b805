"""From failed expectations to the people who must know: one digest a night to every configured target.

`digest` decides what is said, `messages` and `plain_text` how it looks to each kind of target, `notifiers` brings it
there, by `http_channels` and `service_channels`.
"""

from flows.alerts.by_hand import send_digest, send_test, why_not_sendable
from flows.alerts.ping import night_ended
from flows.alerts.watchdog import watch

__all__ = ["night_ended", "send_digest", "send_test", "watch", "why_not_sendable"]
