"""What must hold after a night, as Great Expectations suites in code, and the one run that checks them.

`landed_logs` guards what arrived, `holdout` the test sets, `eval_outputs` what the models answered, `verdicts`
what the marts concluded. A suite module has a `frame(config, day)`, the small pandas table with one row a subject,
and a `suite()`. To add an expectation is to add one line to a `suite()` and, where needed, a column to its `frame`.
"""
