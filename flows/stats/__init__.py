"""Pure mathematics: intervals, paired comparisons and the false discovery rate.

Imports no other package. No input or output, no clock, no Prefect, no pandas in signatures. Methods name their source.
"""
