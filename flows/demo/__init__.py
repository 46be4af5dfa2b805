"""A simulated support desk, its logs and its simulated models: for the first five minutes, and for tests.

No model and no customer is real, and everything is labelled as simulated. `incidents.py` declares the incidents;
`simulator.py` writes them into the logs, `desk.py` and `provider.py` into the models' answers, and `verify.py` checks
whether a night found them.
`reviewer.py` has the simulated judge, and the labels of a simulated reviewer.
"""

from flows.demo.incidents import DAYS
from flows.demo.reviewer import labels, measured
from flows.demo.verify import results, unexpected
from flows.demo.workspace import write_workspace

__all__ = ["DAYS", "labels", "measured", "results", "unexpected", "write_workspace"]
