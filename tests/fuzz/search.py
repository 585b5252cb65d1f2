"""Search for bytes on which a reader fails, with atheris (libFuzzer); see ``targets.py`` for what counts as a failure.

Not part of the tests. In an environment of its own (atheris has wheels for Python 3.11 to 3.13 on Linux):

    python3.11 -m venv VENV && VENV/bin/pip install atheris -e .
    VENV/bin/python tests/fuzz/search.py tables CORPUS -max_total_time=300 -timeout=10 -rss_limit_mb=2048

``CORPUS`` is a folder of examples that the search extends; ``tests/fuzz/search.py tables`` alone begins with nothing. A
failing input is written as ``crash-...`` into the current folder: put it into ``tests/fuzz/seeds/TARGET``.
"""

import sys
import tempfile
from pathlib import Path
from types import ModuleType

import atheris

# As pytest imports it, whatever else that is installed calls itself so.
sys.modules["tests"] = tests = ModuleType("tests")
tests.__path__ = [str(Path(__file__).resolve().parents[1])]

with atheris.instrument_imports(include=["ossicle"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz the target that the first argument names; the others are libFuzzer's."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: search.py TARGET [CORPUS] [OPTIONS OF LIBFUZZER]; targets: {', '.join(TARGETS)}")
    target = TARGETS[sys.argv.pop(1)]
    with tempfile.TemporaryDirectory(prefix="ossicle-fuzz-") as folder:
        atheris.Setup(sys.argv, lambda content: target(content, Path(folder)))
        atheris.Fuzz()


main()
