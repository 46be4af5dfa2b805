"""What every test stands on: quiet libraries, and one Prefect server a session for those that run flows."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from flows import outgoing
from flows.cli import library_settings

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GENCHI_SHARED", ROOT.parent / "shared"))

# The same examples on each run, however slow the machine: a failure is of the change. `pytest --hypothesis-profile
# explore` draws others.
ANY_SPEED = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("same", derandomize=True, **ANY_SPEED)
hypothesis.settings.register_profile("explore", **ANY_SPEED)
hypothesis.settings.load_profile("same")

library_settings.configure_environment()
library_settings.collect_rarely()
outgoing.end_clean()


# The umask that the tests were started with; a configuration's lake narrows that of the process.
UMASK = os.umask(0o022)
os.umask(UMASK)


@pytest.fixture(autouse=True)
def the_umask_of_before() -> Iterator[None]:
    """Each test begins with the umask of the first."""
    os.umask(UMASK)
    yield
    os.umask(UMASK)


@pytest.fixture(autouse=True)
def no_secrets_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process masks the secrets of every configuration that it has loaded: those of other tests are words here."""
    monkeypatch.setattr(outgoing, "_secrets", set())


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"the real data are not at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """A Prefect server of its own for this session, in a folder that is thrown away."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield
