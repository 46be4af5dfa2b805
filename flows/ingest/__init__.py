"""From the logs that people have to the lake: every record is landed, or quarantined whole with its reason.

`sources/<format>.sql` says what a log format means, one SELECT a format. Drop a file there to add one.
"""
