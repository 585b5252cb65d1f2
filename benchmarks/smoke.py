"""Smoke mode: a benchmark's own code on tiny synthetic inputs, in seconds, without a claim of speed.

Every `bench_*.py` parses its command line with :func:`parsed` and gets its recordings from :func:`recordings`. With
`--smoke`, nothing is written but into a temporary folder, which is removed at the end.
"""

import atexit
import shutil
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from commands import share_process
from machine import data_folder
from stand_ins import STAND_INS


def parsed(parser: ArgumentParser, arguments: Sequence[str] | None = None, **tiny: object) -> Namespace:
    """Parse the command line; with ``--smoke``, ``tiny`` are the defaults of the options.

    The result always has ``smoke`` (bool). In smoke mode it has ``scratch``, a temporary folder; options called
    ``out`` and ``work`` name folders in it, and `ossicle` commands run in this process.
    """
    parser.add_argument("--smoke", action="store_true", help="run in seconds on tiny synthetic inputs; keep no result")
    argv = sys.argv[1:] if arguments is None else list(arguments)
    args = parser.parse_args(argv)
    if not args.smoke:
        return args
    scratch = Path(tempfile.mkdtemp(prefix="ossicle-smoke-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    folders = {name: scratch / name for name in ("out", "work") if hasattr(args, name)}
    for folder in folders.values():
        folder.mkdir()
    parser.set_defaults(**folders, **tiny)
    args = parser.parse_args(argv)
    args.scratch = scratch
    share_process()
    print("smoke run: tiny inputs; its times and figures mean nothing", flush=True)
    return args


def require(holds: bool, claim: str) -> None:
    """End the script with exit code 1 and the ``claim`` that does not hold."""
    if not holds:
        raise SystemExit(f"does not hold: {claim}")


def recordings(name: str, args: Namespace) -> Path | None:
    """The folder of the real recordings ``name``, or None where they are missing; in smoke mode a small stand-in."""
    if args.smoke:
        folder: Path = args.scratch / "recordings" / name
        if not folder.exists():
            STAND_INS[name](folder)
        return folder
    folder = data_folder() / name
    if folder.is_dir():
        return folder
    print(f"skipped: {folder} does not exist; set OSSICLE_TEST_DATA")
    return None
