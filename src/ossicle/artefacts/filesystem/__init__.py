"""The only module group that opens files for writing, moves or removes them, or opens files that others made."""
