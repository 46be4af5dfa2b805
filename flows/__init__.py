"""The night: one room a stage, in the order of the night. `nightly.py` composes them."""
