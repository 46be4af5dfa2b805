"""The expectations on a night, as Great Expectations suites in code, and the run that checks them.

`landed_logs` checks the landed calls, `holdout` the test sets, `eval_outputs` the models' answers, `verdicts` the
results in the marts, `night_suite` the night's own running. A suite module has a `frame(config, day)`, a small pandas
table with one row per subject, and a `suite()`. To add an expectation, add one line to a `suite()` and, if needed, a
column to its `frame`. Each suite runs as a Checkpoint (`checkpoints.py`). A workspace has suites of its own in its
folder `expectations` (`workspace_suites.py`).
"""
