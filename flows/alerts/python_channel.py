"""An alert that a function of the workspace brings: it is called with the digest as webhooks get it, and `args`."""

from collections.abc import Mapping
from typing import Any

from flows.alerts.http_channels import UndeliveredError
from flows.config import Alert
from flows.functions import FunctionError, PythonFile, TimeLimitError, UnusableFunctionError

SEND_S = 60.0


def call(target: Alert, digest: Mapping[str, Any]) -> None:
    """Call the function of an alert, in a process of its own. What it returns does not matter.

    Raises UndeliveredError, with file, function and exception, if there is no such function, if it raises, or if it
    does not end in time. It is not tried again: it may have sent something.
    """
    assert target.function is not None
    file, function = target.function
    try:
        with PythonFile(file, call_s=SEND_S) as python:
            python.check(function, 1, target.args)
            python.call(function, [digest], target.args, "nothing")
    except (FunctionError, TimeLimitError) as error:
        raise UndeliveredError(f"{file}: `{function}`: {error}", is_transient=False) from None
    except UnusableFunctionError as error:
        raise UndeliveredError(str(error), is_transient=False) from None


def problem_of(target: Alert) -> str:
    """Why the function of an alert cannot be called; empty where it can. The file is loaded, nothing is sent."""
    assert target.function is not None
    try:
        with PythonFile(target.function.file) as python:
            python.check(target.function.function, 1, target.args)
    except UnusableFunctionError as error:
        return str(error)
    return ""
