"""Which audio files of a folder are recordings of a corpus: all of them, or those that ``include`` and ``exclude`` say.

What ``exclude`` names is not used in any way. What ``include`` does not name is no recording, but may still say
something: a labelled clip says which stretch of its tape somebody looked at.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import digest
from ossicle.core.errors import UsageError
from ossicle.corpus.naming.file_listing import files_below, shown
from ossicle.corpus.naming.globs import Globs


@dataclass(frozen=True, slots=True)
class AudioFiles:
    """Audio files by their paths below the folder, sorted.

    ``listed`` are all, ``usable`` those not excluded, ``chosen`` those of them that are included: the recordings.
    ``idle`` holds ``(key, glob)`` of the globs that fit nothing.
    """

    listed: tuple[str, ...]
    usable: tuple[str, ...]
    chosen: tuple[str, ...]
    idle: tuple[tuple[str, str], ...] = ()


def audio_files(
    folder: Path,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    segments: Path | None = None,
    most: int = 0,
) -> AudioFiles:
    """The audio files below ``folder``; what lies below ``segments``, a folder of cut-outs, is none of them.

    ``most``: choose no more than so many, see :func:`sliver`; 0 chooses all.
    Raises UsageError where the folder is missing or holds no audio, where the globs leave nothing, and where the
    cut-outs have no folder of their own.
    """
    if not folder.is_dir():
        raise UsageError(f"corpus.audio: the folder {folder} does not exist; correct the path or connect the disk")
    listed = files_below(folder, SUFFIXES)
    if segments is not None:
        apart = _below(segments, folder)
        if apart == ".":
            raise UsageError(
                f"corpus.annotations: {segments} is the folder of the recordings, or holds it; give the cut-out "
                "segments a folder of their own"
            )
        listed = [path for path in listed if apart is None or not path.startswith(f"{apart}/")]
    if not listed:
        raise UsageError(
            f"corpus.audio: the folder {folder} holds no audio files (looked for {', '.join(sorted(SUFFIXES))})"
        )
    into, out = Globs(include), Globs(exclude)
    excluded = {path: out.match(path) for path in listed}
    included = {path: into.match(path) for path in listed}
    usable = [path for path in listed if excluded[path] is None]
    chosen = [path for path in usable if not include or included[path] is not None]
    if not chosen:
        raise UsageError(
            f"corpus.include = {list(include)} and corpus.exclude = {list(exclude)} leave none of the {len(listed)} "
            f"audio files below {folder}, such as {shown(listed[0])!r}; globs are matched against such paths"
        )
    idle = [("include", glob) for glob in include if glob not in included.values() and not _fits(glob, listed)]
    idle += [("exclude", glob) for glob in exclude if glob not in excluded.values() and not _fits(glob, listed)]
    return AudioFiles(tuple(listed), tuple(usable), tuple(sliver(chosen, most) if most else chosen), tuple(idle))


def sliver(paths: Sequence[str], most: int) -> list[str]:
    """At most ``most`` of the paths, sorted: as many of every folder as can be, by a hash of the path within it.

    >>> sliver(["a/1.wav", "a/2.wav", "a/3.wav", "b/1.wav"], 2)
    ['a/2.wav', 'b/1.wav']
    """
    seen: Counter[str] = Counter()
    order = []
    for path in sorted(paths, key=digest):
        folder = path.rpartition("/")[0]
        order.append((seen[folder], folder, path))
        seen[folder] += 1
    return sorted(path for _, _, path in sorted(order)[:most])


def _fits(glob: str, paths: Sequence[str]) -> bool:
    """Whether a glob fits any path; of several that fit a path, only the first was told."""
    alone = Globs([glob])
    return any(alone.match(path) is not None for path in paths)


def _below(inner: Path, outer: Path) -> str | None:
    """Where ``inner`` lies below ``outer``, ``.`` where it is or holds ``outer``, None where they lie apart."""
    real_inner, real_outer = Path(os.path.realpath(inner)), Path(os.path.realpath(outer))
    if real_outer.is_relative_to(real_inner):
        return "."
    return real_inner.relative_to(real_outer).as_posix() if real_inner.is_relative_to(real_outer) else None
