"""Fuzzing of every parser of annotations with atheris (libFuzzer): a crash or a hang is a defect, FormatError is not.

Not part of the tests; see CONTRIBUTING. In an environment of its own:

    python3.11 -m venv VENV && VENV/bin/pip install atheris -e .
    VENV/bin/python tests/fuzz/fuzz_formats.py -max_total_time=300
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ossicle.corpus"]):
    from ossicle.core.errors import FormatError
    from ossicle.corpus.formats.dcase import read_durations
    from ossicle.corpus.formats.registry import FORMATS, ReadOptions, guess

PLACE = Path(tempfile.mkdtemp(prefix="ossicle-fuzz-"))
SUFFIXES = (".txt", ".csv", ".tsv")


def one(content: bytes) -> None:
    """Let every reader of text look at ``content``; its first byte picks the suffix."""
    if not content:
        return
    path = PLACE / f"x{SUFFIXES[content[0] % len(SUFFIXES)]}"
    path.write_bytes(content[1:])
    readers = [format.read for format in FORMATS.values() if format.read is not None and path.suffix in format.suffixes]
    for read in [guess, read_durations, *(lambda place, f=f: f(place, ReadOptions()) for f in readers)]:
        said = str(path)
        try:
            read(path)
        except FormatError as problem:
            said = str(problem)
        assert str(path) in said, said


atheris.Setup(sys.argv, one)
atheris.Fuzz()
