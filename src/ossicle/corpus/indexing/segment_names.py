"""Annotations in the names of cut-out segments: clip, start, end and quality.

``Luna_20250610_cut.wav_110_125_12.5_12.9Q2.wav`` matches ``{clip:*}_{start:#}_{end:#}Q{quality:1|2|3|4}``: a call from
12.5 to 12.9 s in the clip of that name, of quality 2. The sound in the segment is not read. Unusable names are noted
with the reason, once per file, or once per clip if the clip is the reason.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import normal_path
from ossicle.core.errors import FormatError, UsageError
from ossicle.corpus.formats.cells.rows import RawSelection, check_times, parse_quality
from ossicle.corpus.indexing.placement import cut_at, shifted
from ossicle.corpus.naming.audio_listing import beside_recordings
from ossicle.corpus.naming.clip_name_template import ClipNames, Tapes, TapeStretch, lies_within
from ossicle.corpus.naming.file_listing import files_below, shown
from ossicle.corpus.naming.name_template import Template, stem_of
from ossicle.corpus.naming.table_pairing import Pairing
from ossicle.corpus.notes import Note

_NEEDED = {"clip", "start", "end"}
_ALLOWED = _NEEDED | {"quality", "label"}


@dataclass(frozen=True, slots=True)
class Segment:
    """Content of a segment's name: the clip's name, and the call in seconds of the clip."""

    clip: str
    row: RawSelection


@dataclass(slots=True)
class Segments:
    """The calls of a folder of segments: (path of the clip or tape, row in its time) pairs, and notes.

    ``stretches`` are missing clips of existing tapes: the parts of the tapes that their segments describe.
    """

    rows: list[tuple[str, RawSelection]] = field(default_factory=list)
    stretches: list[TapeStretch] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class SegmentNames:
    """Templates of segment names, of which the first match counts; raises UsageError for an invalid template.

    ``default_label`` labels segments whose template has no ``{label}``.
    """

    def __init__(self, templates: Sequence[str], default_label: str | None) -> None:
        self._label = default_label
        self._templates = [Template(text, "segment_names") for text in templates]
        for template in self._templates:
            names = set(template.names)
            if not _NEEDED <= names <= _ALLOWED or template.folders:
                raise UsageError(
                    f"segment_names {template.text!r}: write {{clip:*}}, {{start:#}} and {{end:#}}, and if the names "
                    "contain them {quality:1|2|3|4} and {label}; other fields and folders are not allowed"
                )
            if "label" not in names and not default_label:
                raise UsageError(
                    f"segment_names {template.text!r} has no {{label}}: set corpus.default_label to the label of the "
                    "segments"
                )

    def parse(self, path: str) -> tuple[Segment, int] | None:
        """Return the content of a segment's name, and the number of the matching template; None if none matches.

        Raises FormatError for invalid times or qualities.
        """
        stem = stem_of(PurePosixPath(normal_path(path)).name, SUFFIXES)
        for number, template in enumerate(self._templates):
            values = template.parse(stem)
            if values is not None:
                return self._segment(values, path), number
        return None

    def _segment(self, values: Mapping[str, str], where: str) -> Segment:
        try:
            start_s, end_s = float(values["start"]), float(values["end"])
        except ValueError:
            raise FormatError(f"{where}: its times are not numbers") from None
        check_times(start_s, end_s, where)
        if end_s == start_s:
            raise FormatError(f"{where}: it starts and ends at {start_s:g} s")
        label = values.get("label", self._label or "")
        quality = parse_quality(values.get("quality", ""), where)
        return Segment(values["clip"], RawSelection(start_s, end_s, label, quality=quality))

    def text(self, number: int) -> str:
        """Return the template of this number as written."""
        return self._templates[number].text


def read_segments(
    files: Sequence[str],
    names: SegmentNames,
    clip_names: ClipNames,
    usable: Sequence[str],
    excluded: Sequence[str],
    tapes: Mapping[str, float],
) -> Segments:
    """Return the calls in the names of ``files`` (below the folder of segments).

    Parameters
    ----------
    files
        The segments.
    names, clip_names
        Templates of segment and clip names.
    usable
        Audio files that may be their clips.
    excluded
        Audio files that the project does not use; their segments are returned all the same.
    tapes
        Lengths in seconds of the recordings. A segment of a missing clip is read in the time of the tape in the clip's
        name, if that tape is a recording.

    Raises
    ------
    UsageError
        If a name matches several clips.
    """
    segments = Segments()
    known, unused, whole = Tapes(usable), Pairing(excluded), Tapes(tapes)
    variants: Counter[int] = Counter()
    gone: dict[str, list[RawSelection]] = defaultdict(list)
    for file in files:
        try:
            parsed = names.parse(file)
        except FormatError as problem:
            segments.notes.append(Note("segment_values", shown(file), str(problem).removeprefix(f"{file}: "), 1))
            continue
        if parsed is None:
            segments.notes.append(Note("segment_name", shown(file), "its name matches none of corpus.segment_names", 1))
            continue
        segment, number = parsed
        variants[number] += 1
        clip = known.named(segment.clip, file, "corpus.segment_names")
        clip = clip or min(unused.named(normal_path(segment.clip)), default=None)
        if clip is None:
            gone[segment.clip].append(segment.row)
        else:
            segments.rows.append((clip, segment.row))
    for name, rows in sorted(gone.items()):
        _without_clip(name, rows, clip_names, whole, tapes, segments)
    for number, count in sorted(variants.items()):
        if number:
            segments.notes.append(
                Note("segment_variant", names.text(number), f"{count} segments were read by this template")
            )
    return segments


def _without_clip(
    name: str,
    rows: Sequence[RawSelection],
    clip_names: ClipNames,
    whole: Tapes,
    tapes: Mapping[str, float],
    segments: Segments,
) -> None:
    says = clip_names.parse(name)
    tape = None if says is None else whole.named(says.tape, name, "corpus.clip_names")
    if says is None or tape is None:
        reason = "is not there" if says is None else f"is missing, and so is its tape {says.tape!r}"
        segments.notes.append(
            Note("segments_without_clip", name, f"{reason}; its {len(rows)} segments were skipped", len(rows))
        )
        return
    stretch = clip_names.stretch(says, tape, None)
    if not lies_within(stretch, tapes[tape]):
        reason = f"would lie at {stretch.start_s:g} to {stretch.end_s:g} s of {tape}, which ends at {tapes[tape]:g} s"
        segments.notes.append(
            Note("segments_without_clip", name, f"{reason}; its {len(rows)} segments were skipped", len(rows))
        )
        return
    message = f"is missing; its {len(rows)} segments were placed in {tape} by its name"
    segments.notes.append(Note("clip_by_name", name, message))
    segments.stretches.append(stretch)
    length_s = stretch.end_s - stretch.start_s
    for row in rows:
        cut, note = cut_at(row, length_s, name)
        segments.notes += [note] if note is not None else []
        segments.rows += [(tape, shifted(cut, stretch.start_s))] if cut is not None else []


CutOuts = tuple[SegmentNames, list[str]]
"""How cut-out segments are named, and their paths below the folder of annotations."""


def find_cut_outs(folder: Path | None, templates: Sequence[str], default_label: str) -> CutOuts | None:
    """Return how the cut-out segments below a folder are named, and their paths; None if the corpus has none.

    Raises
    ------
    UsageError
        There are templates of segment names, but no folder with audio files.
    """
    if not templates:
        return None
    names = SegmentNames(templates, default_label or None)
    if folder is None:
        raise UsageError("corpus.segment_names: corpus.annotations is empty; name the folder of the cut-out segments")
    if not folder.is_dir():
        raise UsageError(f"corpus.annotations: {folder} is not a folder; name the folder of the cut-out segments")
    below = files_below(folder, SUFFIXES)
    cut_outs = sorted({*below} - {*beside_recordings(below)})
    if not cut_outs:
        raise UsageError(f"corpus.annotations: {folder} contains no audio files; corpus.segment_names needs them")
    return names, cut_outs
