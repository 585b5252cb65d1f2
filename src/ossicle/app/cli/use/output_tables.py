"""Tables of the user in the folder for results: ``predict`` does not overwrite what it did not write.

Raven names its tables ``NAME.Table.1.selections.txt`` as ``predict`` does. With the folder of the recordings as
``--out``, annotations made by hand would be replaced by what a model found, and so would tables that were corrected in
Raven. So ``predict`` notes each table that it writes, with its digest.
"""

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from ossicle.app.api.predictions.hit_answers import FILE as HITS_FILE
from ossicle.app.api.predictions.hit_answers import HITS
from ossicle.app.api.predictions.transcripts import ENDINGS
from ossicle.app.cli.printable import printable
from ossicle.app.cli.use.prediction_summary import SUMMARY
from ossicle.artefacts.logs.noted_files import BACKUP, NotedFiles
from ossicle.core.errors import UsageError
from ossicle.corpus.formats.registry import FORMATS
from ossicle.corpus.naming.table_names import table_places

NOTES = "predictions.tables.jsonl"
"""The tables that ``predict`` wrote to a folder, with their digests."""


class OutputTables:
    """The tables that one call of ``predict`` writes to a folder.

    Parameters
    ----------
    out
        The folder, which exists and whose lock is held.
    names
        The recordings.
    endings
        The endings of tables that stay as they are while their recording is not scored again.
    rewritten
        The endings of tables that are always written.
    files
        Names of files about all recordings, which are always written.

    Raises
    ------
    ArtefactError
        The notes are damaged.
    UsageError
        There is a table that no call of ``predict`` wrote.
    """

    def __init__(
        self,
        out: Path,
        names: Sequence[str] = (),
        endings: Collection[str] = (),
        rewritten: Collection[str] = (),
        files: Collection[str] = (),
    ) -> None:
        self._out, self._files, self._endings, self._rewritten = out, tuple(files), tuple(endings), tuple(rewritten)
        self._places = table_places(names)
        self._noted = NotedFiles(out, NOTES, _say_kept)
        others = self._noted.others(self._replaced(kept=()))
        if others:
            raise UsageError(
                f"{_listed(out, others)} would be overwritten, and no earlier predict noted that it wrote it: "
                "annotations made by hand would be lost; give another folder with -o, or move what is there"
            )

    def refuse_changed(self, kept: Collection[str] = ()) -> None:
        """Check that no table would be replaced that was changed after ``predict`` wrote it.

        Parameters
        ----------
        kept
            The recordings that are not scored again.

        Raises
        ------
        UsageError
            There is such a table.
        """
        changed = self._noted.changed(self._replaced(kept))
        if changed:
            raise UsageError(
                f"{_listed(self._out, changed)} would be replaced, and was changed after predict wrote it: corrections "
                "would be lost; move or rename what you changed, give another folder with -o, or use --force, which "
                f"keeps it as NAME{BACKUP}"
            )

    def of_earlier_calls(self, kept: Collection[str] = ()) -> str:
        """Return which tables of earlier calls stay in the folder and are not of this one, in words; empty if none.

        Parameters
        ----------
        kept
            The recordings that were not scored again, whose tables in other formats are valid.
        """
        own = set(self._replaced(kept=()))
        valid = tuple(f"{self._places[recording].as_posix()}." for recording in kept)
        left = [name for name in self._noted.present() if name not in own and not name.startswith(valid)]
        if not left:
            return ""
        is_what = "is from an earlier predict" if len(left) == 1 else "are from earlier calls of predict"
        return (
            f"{_listed(self._out, left)} {is_what} with other recordings, formats or another model; remove what you no "
            "longer need, because commands that read the folder read it too"
        )

    def writing(self, path: Path) -> AbstractContextManager[Path]:
        """Return a block that writes one of the tables; one that was changed meanwhile is kept as a copy."""
        return self._noted.writing(path)

    def remove(self, recording: str) -> None:
        """Remove the tables of a recording; those that were changed are kept as copies."""
        for name in self._tables(recording, (*self._endings, *self._rewritten)):
            self._noted.remove(name)

    def _replaced(self, kept: Collection[str]) -> Iterator[str]:
        for recording in self._places:
            always = () if recording in kept else self._endings
            yield from self._tables(recording, (*always, *self._rewritten))
        yield from self._files

    def _tables(self, recording: str, endings: Sequence[str]) -> list[str]:
        place = self._places[recording]
        return [place.with_name(place.name + ending).as_posix() for ending in endings]


def tables_of_events(out: Path, names: Sequence[str], formats: Collection[str]) -> OutputTables:
    """Return the tables that ``predict`` writes with a bundle that finds events.

    Parameters
    ----------
    out
        The folder, which exists and whose lock is held.
    names
        The recordings.
    formats
        The formats that the user chose.

    Returns
    -------
    OutputTables
        The tables in these formats, and the summary.

    Raises
    ------
    ArtefactError
        The notes are damaged.
    UsageError
        There is a table that no call of ``predict`` wrote.
    """
    forms = [FORMATS[name] for name in formats if name in FORMATS]
    return OutputTables(
        out,
        names,
        [form.ending for form in forms if form.shape != "table"],
        [ENDINGS[name] for name in formats if name in ENDINGS],
        [f"events{form.ending}" for form in forms if form.shape == "table"]
        + ([HITS_FILE, SUMMARY] if HITS in formats else [SUMMARY]),
    )


def _listed(out: Path, names: Sequence[str]) -> str:
    return f"{out / names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}"


def _say_kept(file: Path, copy: Path) -> None:
    print(printable(f"{file} was changed after predict wrote it; kept as {copy.name}"), file=sys.stderr)
