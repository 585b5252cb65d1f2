"""Formats that consist of chunks, each with its size: RIFF and its relatives, AIFF, CAF, Wave64, ASF; and AU."""
