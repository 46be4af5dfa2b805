"""From failed expectations to the people who must know: one digest a night to every configured target.

`digest` decides what is said, `messages` how it looks to each kind of target, `notifiers` brings it there.
"""

from flows.alerts.by_hand import send_digest, send_test

__all__ = ["send_digest", "send_test"]
