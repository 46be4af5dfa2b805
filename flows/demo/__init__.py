"""A simulated support desk, its logs and its simulated models: for the first five minutes, and for tests.

Nothing here is a real model or a real customer, and everything says so. What goes wrong in it is declared in
`incidents.py`; `simulator.py` writes it into the logs, `desk.py` and `provider.py` into the models' answers, and
`verify.py` looks whether a night found it.
"""

from flows.demo.incidents import DAYS
from flows.demo.verify import findings, unexpected
from flows.demo.workspace import write_workspace

__all__ = ["DAYS", "findings", "unexpected", "write_workspace"]
