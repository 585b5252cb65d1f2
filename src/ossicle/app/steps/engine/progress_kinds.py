"""The kinds of progress that ``make_progress`` makes, for the option ``--progress``. Nothing is imported here."""

PROGRESS_KINDS = ("auto", "rich", "plain", "none")
