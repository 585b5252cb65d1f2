"""Which columns of a table name the recording of each row: it goes to no other one."""

import re
from collections.abc import Callable, Sequence

from ossicle.audio.probe import SUFFIXES as AUDIO_SUFFIXES
from ossicle.core.errors import FormatError
from ossicle.corpus.formats.cells.delimited import Delimited, heading_key, unescape_cell
from ossicle.corpus.formats.columns.headings import END, FILE, PERHAPS_FILE, RAVEN_LABEL, START, label_keys
from ossicle.corpus.formats.session_times import NO_LENGTHS, FileLengths
from ossicle.corpus.naming.table_names import recording_name
from ossicle.corpus.naming.table_pairing import same_file_name

# In AudioSet's strong labels `segment_id` names the clip by its video and start; elsewhere it may number the rows.
_ALSO_FILE = {"segment_id": frozenset({"start_time_seconds", "end_time_seconds"})}
_AUDIOSET_CLIP = re.compile(r"[\w-]{11}_\d+")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
# Who annotated or was heard: a table may be named after one of them.
_WHO = frozenset(
    {"name", "annotator", "annotated_by", "analyst", "observer", "rater", "reviewer", "reviewed_by", "coder", "user"}
    | {"labeler", "labeller", "labeled_by", "author", "recordist", "individual", "individual_id", "animal", "animal_id"}
    | {"bird", "bird_id", "id", "speaker", "caller", "sender", "receiver", "emitter", "subject", "person"}
)


def file_columns(table: Delimited, lengths: FileLengths = NO_LENGTHS) -> tuple[int, ...]:
    """Return the columns that name the recording of each row, best first.

    Parameters
    ----------
    table
        The table.
    lengths
        The recordings, as far as they are known.

    Raises
    ------
    FormatError
        There is none, but another column names recordings: rows must not go to another one than they name. Or two
        columns name different recordings.
    """

    def is_recording(stated: str) -> bool:
        return lengths.seconds(stated) is not None

    known = tuple(column for key in FILE if (column := table.find([key])) is not None) or _clips(table, is_recording)
    for column, name in enumerate(table.header if not known else ()):
        texts = [text for _, cells in table.rows if (text := unescape_cell(cells[column]).strip())]
        if texts and _names_recordings(table, heading_key(name), texts, lengths):
            raise FormatError(
                f"{table.where}: the column {name!r} seems to name the recording of each row ({texts[0]!r}), but is "
                "not known to do so; rename it to 'file' if it does, else remove it"
            )
    for line, cells in table.rows if len(known) > 1 else ():
        named = {column: text for column in known if (text := unescape_cell(cells[column]).strip())}
        first, *others = named or (known[0],)
        for other in others:
            if not same_file_name(named[first], named[other]) and all(map(is_recording, (named[first], named[other]))):
                raise FormatError(
                    f"{table.path}, line {line}: {table.header[first]!r} is {named[first]!r} and "
                    f"{table.header[other]!r} is {named[other]!r}, and both are recordings; keep the column of the one "
                    "in which the times count"
                )
    return known


def _clips(table: Delimited, is_recording: Callable[[str], bool]) -> tuple[int, ...]:
    """Return the column that names the clips in a table of AudioSet's strong labels, if this is one.

    Its ids may also number the segments of the recording that the table is named after: if that one is known, and no
    clip of these names is, they do.
    """
    keys = {heading_key(name) for name in table.header}
    columns = [table.find([key]) for key, beside in _ALSO_FILE.items() if beside <= keys]
    is_of_one = is_recording(recording_name(table.path.name))

    def names_clips(column: int) -> bool:
        texts = {text for _, cells in table.rows if (text := unescape_cell(cells[column]).strip())}
        are_ids = bool(texts) and all(map(_AUDIOSET_CLIP.fullmatch, texts))
        return are_ids and (not is_of_one or any(map(is_recording, texts)))

    return tuple(column for column in columns if column is not None and names_clips(column))


def _names_recordings(table: Delimited, key: str, texts: Sequence[str], lengths: FileLengths) -> bool:
    """Return whether the texts of a column name recordings, other than the one that the table is named after."""
    if sum(map(is_audio_name, texts)) * 2 >= len(texts):
        return True
    if key in {*START, *END, *RAVEN_LABEL, *label_keys(table.header)}:
        return False
    own_name = recording_name(table.path.name)
    different = dict.fromkeys(texts)
    others = [text for text in different if not same_file_name(text, own_name)]
    if key in PERHAPS_FILE:
        return bool(others)
    if not others or any(map(_NUMBER.fullmatch, texts)):
        return False
    if lengths is NO_LENGTHS:
        # The name of the table among other words names its recording.
        return len(others) < len(different) and key not in _WHO
    return all(lengths.seconds(text) is not None for text in different)


def is_audio_name(text: str) -> bool:
    """Return whether a cell ends like the name of an audio file."""
    return text.lower().strip("\"'").endswith(tuple(AUDIO_SUFFIXES))
