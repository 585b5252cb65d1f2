"""Find the recording that an annotation file, or one of its rows, belongs to.

Tables are matched by stem (``<stem>.Table.1.selections.txt``, ``<stem>.selections.txt``, ``<stem>.txt`` and similar,
where the stem may be the audio file's full name), first with the recording in the same folder, then with the only
recording of that stem anywhere. A table in a folder below the top that contains recordings is matched with these only:
the table of a missing recording never goes to a recording of the same name elsewhere. Rows that name their file are
matched by the longest common end of the two paths.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath, PureWindowsPath

from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import normal_path
from ossicle.core.errors import FormatError
from ossicle.corpus.naming.name_template import stem_of
from ossicle.corpus.naming.table_names import stem_without_word, table_stems


class Pairing:
    """The paths of the recordings below the audio folder, looked up by the names that annotation files use for them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = tuple(paths)
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_case: dict[str, list[str]] = defaultdict(list)
        self._folders: set[PurePosixPath] = set()
        for path in self.paths:
            self._folders.add(PurePosixPath(normal_path(path)).parent)
            name = normal_path(PurePosixPath(path).name)
            for key in {_folded(name), stem_of(name, SUFFIXES)}:
                self._by_name[key].append(path)
            self._by_case[stem_of(name, SUFFIXES).casefold()].append(path)

    def of_table(self, table: str) -> str | None:
        """Return the recording that a table (its path below the annotation folder) is named after, or None.

        Raises
        ------
        FormatError
            If several recordings have that name and it is not exactly one that lies in the table's own folder.
        """
        table_path = PurePosixPath(normal_path(table))
        for stem in table_stems(table_path.name):
            candidates = self.named(stem)
            beside = [path for path in candidates if PurePosixPath(normal_path(path)).parent == table_path.parent]
            if not beside and table_path.parent != PurePosixPath(".") and table_path.parent in self._folders:
                continue
            if len(beside or candidates) == 1:
                return (beside or candidates)[0]
            if candidates:
                raise FormatError(
                    f"{table}: could belong to {' or '.join(beside or candidates)}; put the table into the folder of "
                    "the same name as its recording, or name it after the full file name with its suffix"
                )
        return None

    def of_table_with_word(self, table: str) -> str | None:
        """Return the only recording that a table is named after with a word such as ``_labels`` behind it, or None.

        Parameters
        ----------
        table
            The path of the table below the annotation folder.

        Returns
        -------
        str or None
            None also if several recordings have that name.
        """
        table_path = PurePosixPath(normal_path(table))
        stem = stem_without_word(table_path.name)
        try:
            return self.of_table(str(table_path.with_name(f"{stem}{table_path.suffix}"))) if stem else None
        except FormatError:
            return None

    def of_path(self, stated: str, where: str) -> str | None:
        """Return the recording that a row calls ``stated`` (any absolute or relative path), or None.

        Raises
        ------
        FormatError
            If several recordings match equally well.
        """
        wanted_parts = _path_parts(stated)
        if not wanted_parts:
            return None
        ranked = sorted(
            # All have the stated name, perhaps without its suffix or with another one: folders decide.
            ((_common_end(_path_parts(path)[:-1], wanted_parts[:-1]), path) for path in self.named(wanted_parts[-1])),
            key=lambda pair: (-pair[0], pair[1]),
        )
        best = [path for shared, path in ranked if shared == ranked[0][0]]
        if len(best) > 1:
            raise FormatError(f"{where}: {stated!r} could be {' or '.join(best)}; add its folder to the name")
        return best[0] if best else None

    def unambiguous(self, stated: str) -> str | None:
        """Return the recording of :meth:`of_path`, or None if several match equally well."""
        try:
            return self.of_path(stated, "")
        except FormatError:
            return None

    def by_folders(self, stated: str, where: str) -> str | None:
        """Return the recording whose path ends with ``stated``, or whose whole path is the end of ``stated``; None if
        none does.

        Whole folders are compared: ``a/x.ogg`` matches ``audio/a/x.ogg``, but neither ``b/x.ogg`` nor ``aa/x.ogg``.

        Raises
        ------
        FormatError
            If several recordings match equally well.
        """
        *wanted_folders, name = _path_parts(stated) or ("",)
        fitting: dict[int, list[str]] = defaultdict(list)
        for path in self.named(name) if name else ():
            have = list(_path_parts(path)[:-1])
            shared = min(len(have), len(wanted_folders))
            if have[len(have) - shared :] == wanted_folders[len(wanted_folders) - shared :]:
                fitting[shared].append(path)
        best = sorted(fitting[max(fitting)]) if fitting else []
        if len(best) > 1:
            raise FormatError(f"{where}: {stated!r} could be {' or '.join(best[:3])}; add its folder to the name")
        return best[0] if best else None

    def named(self, name: str) -> list[str]:
        """Return recordings with this full name, else this stem, else the stem of the name without an audio suffix."""
        for key in (_folded(name), name, stem_of(name, SUFFIXES)):
            if key in self._by_name:
                return self._by_name[key]
        return []

    def like(self, name: str) -> str:
        """Return a hint at the only recording whose name differs from this one in upper and lower case; else ""."""
        parts = _path_parts(name)
        alike = self._by_case.get(stem_of(parts[-1], SUFFIXES).casefold(), []) if parts else []
        return f" (there is {alike[0]!r}: upper and lower case count; rename one)" if len(alike) == 1 else ""


def same_file_name(stated: str, path: str) -> bool:
    """Return whether a row's file has the name of a recording, ignoring suffixes."""
    ends = [stem_of(parts[-1], SUFFIXES) for parts in (_path_parts(stated), _path_parts(path)) if parts]
    return len(ends) == 2 and ends[0] == ends[1]


def _folded(name: str) -> str:
    """Return a full name with its audio suffix in lower case; the slash distinguishes it from stems."""
    stem = stem_of(name, SUFFIXES)
    return "/" + stem + name[len(stem) :].lower() if stem != name else "/" + name


def _path_parts(path: str) -> tuple[str, ...]:
    posix = PureWindowsPath(path).as_posix() if "\\" in path else path
    return tuple(part for part in PurePosixPath(normal_path(posix)).parts if part != "/")


def _common_end(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    shared = 0
    for part, other in zip(reversed(a), reversed(b), strict=False):
        if part.casefold() != other.casefold():
            break
        shared += 1
    return shared
