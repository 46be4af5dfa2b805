"""Python functions of a workspace, found by the path of their file: how they are named, called and limited.

Belongs here: one function in one file, run in a process of its own. Does not: what it is for (criteria, alerts and
embedding are the stages').
"""

from flows.functions.function_names import FunctionName, is_function, parse_function
from flows.functions.python_file import (
    FUNCTION_S,
    FunctionError,
    PythonFile,
    TimeLimitError,
    UnusableFunctionError,
)

__all__ = [
    "FUNCTION_S",
    "FunctionError",
    "FunctionName",
    "PythonFile",
    "TimeLimitError",
    "UnusableFunctionError",
    "is_function",
    "parse_function",
]
