"""Why worker processes of a Python script end at once: each of them reads the script again."""

import sys
from pathlib import Path


def script_hint() -> str:
    """Return what a script of the user must look like, "" if the program is a command such as ``ossicle``.

    A new process imports the main script. If that starts the work again, the process ends before it does anything.
    """
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    if file is None or Path(file).suffix != ".py" or getattr(main, "__spec__", None) is not None:
        return ""
    return f'; in {Path(file).name}, keep calls of Ossicle below `if __name__ == "__main__":` (workers import it)'
