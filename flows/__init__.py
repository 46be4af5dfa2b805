"""One package per stage of the nightly run; `nightly.py` runs them in order."""
