"""The errors that a user can meet, each with the exit code of the command that it ends.

Exit codes (invariant 7): 0 success; 1 failed; 2 wrong usage or project file; 3 finished, but some inputs were left out
or partial; 4 refused by a gate; 130 Ctrl-C; 143 SIGTERM. A message names the file, line or key, and what to do.
"""

from typing import ClassVar

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_GATE = 4


class OssicleError(Exception):
    """Base class of every error that Ossicle raises on purpose; its text is meant for the user."""

    exit_code: ClassVar[int] = EXIT_FAILED


class UsageError(OssicleError):
    """A wrong command, option, path or project file; nothing was done."""

    exit_code = EXIT_USAGE


class ProjectError(UsageError):
    """The project file cannot be used: an unknown key, a wrong type or an impossible value."""


class SplitError(UsageError):
    """A split cannot be made: it would break the group rule, or there are too few groups or targets."""


class AudioError(OssicleError):
    """An audio file cannot be read; it is left out and the reason is listed."""


class FetchError(OssicleError):
    """A file could not be fetched or is not the expected one; the message names the file and what to do."""


class FormatError(OssicleError):
    """An annotation file is malformed; the message names the file and the line."""

    exit_code = EXIT_USAGE


class ArtefactError(OssicleError):
    """An artefact on disk is damaged, was not written by Ossicle, or has an unsupported version."""


class BundleError(OssicleError):
    """A bundle is damaged, unsafe, has an unsupported version or does not fit the request."""

    exit_code = EXIT_USAGE


class LockedError(OssicleError):
    """Another process is writing to the same project."""


class GateRefused(OssicleError):
    """A gate refused a bundle; the message lists the reasons."""

    exit_code = EXIT_GATE
