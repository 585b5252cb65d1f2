"""Names for clips that are written as files: class, quality, id, year, tape and times, as ANIMAL-SPOT reads them.

``target-Q3_1f09ab_2025_siteA-20250610-tape_0012340_0012870.wav``: ANIMAL-SPOT reads the class before the first ``-``,
and year and tape from the fourth and third parts from the end, between underscores. So year and tape must not contain
underscores. Names contain only letters, digits, dots and hyphens, whatever recordings and labels are called.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import digest, normal_path
from ossicle.core.records import Clip, Recording
from ossicle.corpus.naming.name_template import stem_of

NO_YEAR = "0000"
TARGET, NOISE = "target", "noise"
# The years that ANIMAL-SPOT accepts.
_YEARS = range(1950, 2200)
_DATE = re.compile(r"(?<!\d)(\d{4})([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_LONGEST_TAPE = 120
_ID_DIGITS = 6


@dataclass(frozen=True, slots=True)
class NamedClip:
    """A clip with the stem of its files, its id and its class (``target`` if the corpus has one label, otherwise made
    from the label; or ``noise``).
    """

    clip: Clip
    stem: str
    uid: str
    class_name: str
    year: str
    quality: int | None


def year_of(recording: Recording) -> str:
    """Return the year of a recording from its field ``year``, its ``start_time`` or ``date``, or a date in its name.

    :data:`NO_YEAR` if none of these holds a year.
    """
    for key in ("year", "start_time", "date"):
        for year in _YEAR.findall(recording.fields.get(key, "")) or _date_years(recording.fields.get(key, "")):
            if int(year) in _YEARS:
                return str(year)
    # The nearest folder with a date, for recorders that name files by time only.
    for part in reversed(normal_path(stem_of(recording.path, SUFFIXES)).split("/")):
        for date_year in _date_years(part):
            if int(date_year) in _YEARS:
                return date_year
    return NO_YEAR


def class_names(labels: Collection[str]) -> dict[str, str]:
    """Return a class for each label: ``target`` if there is only one, otherwise the label without unsupported
    characters.

    >>> class_names(["hum"]), class_names(["a_b", "a-b"])
    ({'hum': 'target'}, {'a-b': 'a.b', 'a_b': 'a.b.2'})
    """
    if len(labels) == 1:
        return dict.fromkeys(labels, TARGET)
    class_by_label: dict[str, str] = {}
    for label in sorted(labels):
        bare = _plain_characters(label, ".") or "label"
        name, number = bare, 2
        while name.lower() in {NOISE, *(class_name.lower() for class_name in class_by_label.values())}:
            name, number = f"{bare}.{number}", number + 1
        class_by_label[label] = name
    return class_by_label


def name_clips(
    clips: Sequence[Clip], recordings: Iterable[Recording], qualities: Sequence[int | None], labels: Collection[str]
) -> list[NamedClip]:
    """Return names of ``clips``, each with its quality (None: unknown, written ``Q0``).

    Names are unique even if case is ignored. An id is derived from the clip itself, so it is the same in every dataset.
    """
    by_id = {recording.id: recording for recording in recordings}
    classes = class_names(labels)
    years_and_tapes = {key: (year_of(by_id[key]), _tape(by_id[key])) for key in {clip.recording_id for clip in clips}}
    taken: set[str] = set()
    named_clips = []
    for clip, quality in zip(clips, qualities, strict=True):
        class_name, kind = (NOISE, "bg") if clip.role == "noise" else (classes[clip.label], f"Q{quality or 0}")
        year, tape = years_and_tapes[clip.recording_id]
        times = "_".join(f"{round(1000 * seconds):07d}" for seconds in (clip.start_s, clip.end_s))
        repeat, stem, uid = 0, "", ""
        while not stem or stem.lower() in taken:
            made_of = [clip.recording_id, repr(clip.start_s), repr(clip.end_s), clip.role, clip.label, repeat]
            uid = digest(made_of)[:_ID_DIGITS]
            stem, repeat = f"{class_name}-{kind}_{uid}_{year}_{tape}_{times}", repeat + 1
        taken.add(stem.lower())
        named_clips.append(NamedClip(clip, stem, uid, class_name, year, quality))
    return named_clips


def _tape(recording: Recording) -> str:
    name = _plain_characters(normal_path(stem_of(recording.path, SUFFIXES)).rpartition("/")[2], "-") or "tape"
    if len(name.encode()) > _LONGEST_TAPE:
        name = f"{name.encode()[: _LONGEST_TAPE - 9].decode(errors='ignore')}-{digest(recording.path)[:8]}"
    return name


def _plain_characters(text: str, stand_in: str) -> str:
    """Return letters and digits of any script and inner dots; other characters between them become one ``stand_in``."""
    return re.sub(r"[^\w.]+|_+", "\0", text.replace("_", "\0")).strip("\0.").replace("\0", stand_in)


def _date_years(text: str) -> list[str]:
    return [match.group(1) for match in _DATE.finditer(text)]
