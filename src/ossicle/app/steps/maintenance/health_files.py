"""Files of ``ossicle dataset health``: the earlier report to compare with, and the page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import read_json
from ossicle.artefacts.typed.results.recognised import refuse_other_file
from ossicle.core.errors import ArtefactError, UsageError
from ossicle.corpus.health.gates.comparison import EarlierReport, earlier_report

_SUFFIXES = (".html", ".htm")


def read_earlier(file: Path) -> EarlierReport:
    """Read the output of an earlier ``ossicle dataset health --json``.

    Raises
    ------
    UsageError
        The file is missing, is not JSON, or is no health report.
    """
    if not file.exists():
        raise UsageError(f"--compare {file}: there is no such file; write one with `ossicle dataset health --json`")
    try:
        content = read_json(file)
    except ArtefactError as problem:
        reason = str(problem).split(";", 1)[0]
        raise UsageError(f"--compare {reason}; give a file that `ossicle dataset health --json` printed") from None
    return earlier_report(content, f"--compare {file}")


def require_page(file: Path | None) -> None:
    """Raise UsageError, before anything is computed, if a page cannot be written under this name."""
    if file is not None and file.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"--html {file}: give an .html file")
    if file is not None:
        refuse_other_file(file, "give another name with --html")


def write_page(file: Path, title: str, report: Mapping[str, Any]) -> None:
    """Write the page of a health report: plain values, as ``--json`` prints them."""
    # Imported here: jinja2 and matplotlib are optional.
    from ossicle.report.pages.health_page import write_health_page

    write_health_page(file, title, report)
