"""Folders of drum hits in another order than group/class/file: refused with the options that read them."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from ossicle.core.errors import UsageError
from ossicle.corpus.transcription.drum_names import drum_name

_MOST_NAMED, _MOST_CLASSES = 3, 30
_DRUMS, _NONE = 0.5, 0.1
"""Folders of one level are drums if half of the files lie in a folder named like one; the last ones are not if hardly
any file does."""


def require_class_folders(parts: Sequence[Sequence[str]], audio: object) -> None:
    """Refuse hits whose last folders are no drums while those above them are, or whose first folder is all there is.

    Parameters
    ----------
    parts
        The paths of files in at least two folders below the audio folder, divided at their slashes.
    audio
        The audio folder, for messages.

    Raises
    ------
    UsageError
        With the options that read such folders.
    """
    if _drums_at(parts, 2) < _NONE:
        deepest = max(len(path_parts) for path_parts in parts)
        for level in range(3, deepest + 1):
            if _drums_at(parts, level) >= _DRUMS:
                raise UsageError(_other_level(parts, level, audio))
    groups = {path_parts[0] for path_parts in parts}
    if len(groups) == 1 and all(len(path_parts) > 3 for path_parts in parts):
        (only,) = groups
        raise UsageError(
            f"--audio {audio}: all files are in one group, {only!r}, so none can be held out; the folders in it may be "
            f"the groups ({_some({path_parts[1] for path_parts in parts})}): give --audio '{audio}/{only}'"
        )


def without_class_folders(paths: Sequence[str]) -> str:
    """Return the options that read hits of which none lies in two folders, for a message.

    Parameters
    ----------
    paths
        Paths of the recordings below the audio folder, with forward slashes; may be empty.

    Examples
    --------
    >>> without_class_folders(["Kit A/BD_01.wav"])
    "--name-template '{kit}/{class}_*' --group kit"
    >>> without_class_folders(["kick/001.wav", "snare/001.wav"])
    "--name-template '{class:*}/*' --group recording (no groups: similar hits may be trained on and held out)"
    >>> without_class_folders(["Kit A/BD01.wav", "Kit A/SD1.wav"])
    "--name-template '{kit}/{class:BD|SD}*' --group kit"
    """
    held = [path.split("/") for path in sorted(paths) if "/" in path]
    if held and sum(bool(drum_name(path_parts[0])) for path_parts in held) >= _DRUMS * len(held):
        return (
            "--name-template '{class:*}/*' --group recording (no groups: similar hits may be trained on and held out)"
        )
    name = _class_of_names([PurePosixPath(path).stem for path in sorted(paths)])
    return f"--name-template '{{kit}}/{name}' --group kit" if held or not paths else f"--name-template '{name}'"


def _class_of_names(stems: Sequence[str]) -> str:
    """Return the part of a template that reads the drum from the beginning of names; those of the first decide."""
    if not stems:
        return "{class} *"
    if divided := re.match(r"[^\W\d_]+([ _.-])", stems[0]):
        return f"{{class}}{divided[1]}*"
    # BD01 and BD02 are one drum: its letters are named, because no placeholder ends before a number.
    first_words = {match[0] for stem in stems if (match := re.match(r"[^\W\d_]+", stem))}
    if 0 < len(first_words) <= _MOST_CLASSES:
        return f"{{class:{'|'.join(sorted(first_words, key=lambda word: (-len(word), word)))}}}*"
    return "{class:*}"


def _drums_at(parts: Sequence[Sequence[str]], place: int) -> float:
    """Return the share of the files whose folder at ``place`` from the end of their path is named like a drum."""
    return sum(len(of) >= place and bool(drum_name(of[-place])) for of in parts) / len(parts)


def _other_level(parts: Sequence[Sequence[str]], place: int, audio: object) -> str:
    drums = {of[-place] for of in parts if len(of) >= place and drum_name(of[-place])}
    below = "/".join("*" for _ in range(place - 1))
    if any(len(of) > place for of in parts):
        remedy = f"--name-template '{{class:*}}/{below}' --group folder"
    else:
        remedy = f"--name-template '{{class:*}}/{{kit:*}}/{below[2:]}' --group kit"
    return (
        f"--audio {audio}: the last folders are not named like drums ({_some({of[-2] for of in parts})}), but folders "
        f"above them are ({_some(drums)}); read labels from those: {remedy}. If the last folders are the labels, say "
        "so: --name-template '*/{class:*}/*' --group folder"
    )


def _some(names: set[str]) -> str:
    listed = sorted(names)
    more = len(listed) - _MOST_NAMED
    return ", ".join(listed[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
