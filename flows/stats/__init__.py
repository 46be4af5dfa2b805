"""Pure mathematics: intervals, paired comparisons and the false discovery rate.

Imports no other room. No input or output, no clock, no Prefect, no pandas in signatures. Each method names its source.
"""
