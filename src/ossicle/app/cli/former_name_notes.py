"""Notes on the terminal about former names that a project file or an option uses."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ossicle.app.cli.printable import printable
from ossicle.app.project.former_names import FormerNameWarning


@contextmanager
def former_name_notes() -> Iterator[None]:
    """Print each warning about a former name once, as a line on stderr; other warnings are shown as before."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", FormerNameWarning)
        show, printed = warnings.showwarning, set[str]()

        def show_note(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if not issubclass(category, FormerNameWarning):
                show(message, category, *place, **more)
            elif str(message) not in printed:
                printed.add(str(message))
                print(f"ossicle: note: {printable(str(message))}", file=sys.stderr)

        warnings.showwarning = show_note
        yield
