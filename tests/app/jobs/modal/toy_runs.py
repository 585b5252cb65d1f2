"""Runs of the toy pipeline on a double of Modal, for the tests of this folder."""

from pathlib import Path

from ...conftest import Commands

QUIET = ("--progress", "none", "--set", "jobs.poll_s=0.2")
TEXTS = {"a": "one two", "b": "three", "c": "four five six"}


def run(ossicle: Commands, project: Path, *more: object) -> tuple[int, str, str]:
    result = ossicle("run", "-p", project, *QUIET, *more)
    return result.code, result.out, result.err
