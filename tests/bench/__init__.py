"""Benchmarks: scripts that print ratios of commands measured side by side, after their results were found equal."""
