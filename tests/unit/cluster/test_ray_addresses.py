"""What is told where Ray is not installed or does not answer; tasks on a real Ray are in tests/ray."""

import sys

import pytest

from flows.cluster import open_tasks
from flows.errors import ConfigError


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'genchi\[ray\]'"):
        open_tasks("ray", "ray://127.0.0.1:9")


def test_one_process_opens_nothing() -> None:
    with open_tasks("threads", None) as tasks:
        assert tasks is None
