"""Transcripts of recordings for music programs: MIDI files and lists of onsets."""
