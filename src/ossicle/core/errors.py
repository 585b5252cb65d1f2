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
    """Base class of every error that Ossicle raises on purpose; its text is meant for the user.

    Attributes
    ----------
    exit_code
        1: the command failed.

    Examples
    --------
    >>> error = OssicleError("tape.wav: cannot be read")
    >>> str(error), error.exit_code
    ('tape.wav: cannot be read', 1)
    """

    exit_code: ClassVar[int] = EXIT_FAILED


class UsageError(OssicleError):
    """A wrong command, option, path or project file; nothing was done.

    Attributes
    ----------
    exit_code
        2: wrong usage or input; nothing was computed.

    Examples
    --------
    >>> UsageError("audio: does not exist").exit_code
    2
    """

    exit_code = EXIT_USAGE


class ProjectError(UsageError):
    """The project file cannot be used: an unknown key, a wrong type or an impossible value.

    Attributes
    ----------
    exit_code
        2: wrong usage or input; nothing was computed.

    Examples
    --------
    >>> issubclass(ProjectError, UsageError), ProjectError.exit_code
    (True, 2)
    """


class SplitError(UsageError):
    """A split cannot be made: it would break the group rule, or there are too few groups or targets.

    Attributes
    ----------
    exit_code
        2: wrong usage or input; nothing was computed.

    Examples
    --------
    >>> issubclass(SplitError, UsageError), SplitError.exit_code
    (True, 2)
    """


class AudioError(OssicleError):
    """An audio file cannot be read; it is left out and the reason is listed.

    Attributes
    ----------
    exit_code
        1: the command failed.

    Examples
    --------
    >>> AudioError("tape.wav: is empty").exit_code
    1
    """


class FetchError(OssicleError):
    """A file could not be fetched or is not the expected one; the message names the file and what to do.

    Attributes
    ----------
    exit_code
        1: the command failed.

    Examples
    --------
    >>> FetchError("tapes.zip: the server does not answer").exit_code
    1
    """


class FormatError(OssicleError):
    """An annotation file is malformed; the message names the file and the line.

    Attributes
    ----------
    exit_code
        2: wrong usage or input; nothing was computed.

    Examples
    --------
    >>> FormatError("calls.txt, line 3: the end is before the start").exit_code
    2
    """

    exit_code = EXIT_USAGE


class ArtefactError(OssicleError):
    """An artefact on disk is damaged, was not written by Ossicle, or has an unsupported version.

    Attributes
    ----------
    exit_code
        1: the command failed.

    Examples
    --------
    >>> ArtefactError("scores.npy: is damaged; delete it and run again").exit_code
    1
    """


class BundleError(OssicleError):
    """A bundle is damaged, unsafe, has an unsupported version or does not fit the request.

    Attributes
    ----------
    exit_code
        2: wrong usage or input; nothing was computed.

    Examples
    --------
    >>> BundleError("bundle.json: has version 9").exit_code
    2
    """

    exit_code = EXIT_USAGE


class LockedError(OssicleError):
    """Another process is writing to the same project.

    Attributes
    ----------
    exit_code
        1: the command failed.

    Examples
    --------
    >>> LockedError("the data root is in use by process 17").exit_code
    1
    """


class GateRefused(OssicleError):
    """A gate refused a bundle; the message lists the reasons.

    Attributes
    ----------
    exit_code
        4: a gate refused.

    Examples
    --------
    >>> GateRefused("the noise gate refused the bundle").exit_code
    4
    """

    exit_code = EXIT_GATE
