"""The tree of errors a user can meet, each with the exit code of the command it ends.

Exit codes (invariant 7): 0 all good; 1 failed; 2 wrong usage or project file; 3 done, but inputs were left out or
partial; 4 a gate refused; 130 Ctrl-C; 143 SIGTERM. A message names the file, line or key and the remedy.
"""

from typing import ClassVar

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_GATE = 4


class OssicleError(Exception):
    """Base of every error that Ossicle raises on purpose; its text is meant for the user."""

    exit_code: ClassVar[int] = EXIT_FAILED


class UsageError(OssicleError):
    """A wrong command, option, path or project file: nothing was done."""

    exit_code = EXIT_USAGE


class ProjectError(UsageError):
    """The project file cannot be used: unknown key, wrong type, impossible value."""


class SplitError(UsageError):
    """A split that cannot be made without breaking the group rule, or for want of groups or targets."""


class AudioError(OssicleError):
    """One audio file cannot be read; the file is left out and the reason listed."""


class FetchError(OssicleError):
    """A file could not be fetched, or is not the one that was meant; the message names it and the remedy."""


class FormatError(OssicleError):
    """An annotation file is malformed; the message names the file and the line."""

    exit_code = EXIT_USAGE


class ArtefactError(OssicleError):
    """An artefact on disk is damaged, foreign or from an unsupported version."""


class BundleError(OssicleError):
    """A bundle is damaged, unsafe, of an unsupported version or does not fit the request."""

    exit_code = EXIT_USAGE


class LockedError(OssicleError):
    """Another process is writing to the same project."""


class GateRefused(OssicleError):
    """A gate refused a bundle; the message lists the reasons."""

    exit_code = EXIT_GATE
