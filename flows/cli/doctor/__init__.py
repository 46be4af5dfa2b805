"""`genchi doctor`: whether everything that a night needs is there, line by line."""

from flows.cli.doctor.check_result import Finding, exit_code
from flows.cli.doctor.examination import examine

__all__ = ["Finding", "examine", "exit_code"]
