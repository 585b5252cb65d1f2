"""What commands print goes through one of these functions; ``tests/house/test_prints.py`` checks it."""

from ossicle.core.text.printable import json_text, printable, printable_line, printable_message

__all__ = ["json_text", "printable", "printable_line", "printable_message"]
