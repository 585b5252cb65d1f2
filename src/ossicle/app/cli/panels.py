"""The headings of ``ossicle --help`` and the commands under each, in the order shown. Nothing is imported here."""

from collections.abc import Mapping
from types import MappingProxyType

PANELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Start": ("demo", "new", "presets", "fetch"),
        "Run": ("check", "run", "train", "status", "jobs"),
        "Use": ("predict", "stream", "export", "cutouts"),
        "Compare": ("score", "benchmark", "leaderboard", "ensemble"),
        "Data": ("dataset", "store", "convert", "review", "pseudo"),
        "Maintain": ("purge",),
    }
)


def command_names() -> list[str]:
    """Return the names of all commands in the order of ``ossicle --help``."""
    return [name for names in PANELS.values() for name in names]


def panel_of(command: str) -> str:
    """Return the heading of a command.

    >>> panel_of("predict")
    'Use'
    """
    return next(panel for panel, names in PANELS.items() if command in names)
