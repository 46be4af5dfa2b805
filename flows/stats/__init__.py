"""Pure mathematics: intervals, paired comparisons and the false discovery rate.

Knows nobody: no input or output, no clock, no Prefect, no pandas in signatures. Each method names its source.
"""
