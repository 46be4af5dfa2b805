"""`genchi doctor`: whether everything that a night needs is there, line by line."""

from flows.cli.doctor.examination import examine
from flows.cli.doctor.finding import Finding, exit_code

__all__ = ["Finding", "examine", "exit_code"]
