"""Notes on the terminal: former names that a project file or an option uses, and the local file that is in force."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ossicle.app.cli.printable import printable
from ossicle.app.project.former_names import FormerNameWarning
from ossicle.app.project.local_file import LocalFileWarning

_SHOWN = (FormerNameWarning, LocalFileWarning)


@contextmanager
def warning_notes() -> Iterator[None]:
    """Print each of these warnings once, as a line on stderr; other warnings are shown as before."""
    with warnings.catch_warnings():
        for note_category in _SHOWN:
            warnings.simplefilter("always", note_category)
        show, printed = warnings.showwarning, set[str]()

        def show_note(message: Warning | str, category: type[Warning], *location: Any, **more: Any) -> None:
            if not issubclass(category, _SHOWN):
                show(message, category, *location, **more)
            elif str(message) not in printed:
                printed.add(str(message))
                print(printable(f"ossicle: note: {message}"), file=sys.stderr)

        warnings.showwarning = show_note
        yield
