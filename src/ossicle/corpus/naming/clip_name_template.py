"""Names of labelled clips that were cut out of tapes: the tape, the start and the end.

``Luna_20250610_cut.wav_110_125.wav`` matches ``{tape:*}.wav_{start:#}_{end:#}`` and is the stretch from 110 to 125 of
the tape ``Luna_20250610_cut``. Such a name does not say whether these are minutes or seconds: the project defines the
unit, and the lengths of the clips must agree.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import normal_path
from ossicle.core.errors import UsageError
from ossicle.corpus.naming.name_template import Template, stem_of
from ossicle.corpus.naming.table_pairing import Pairing
from ossicle.corpus.notes import Note

UNITS_S = {"s": 1.0, "min": 60.0}
"""Seconds of each possible unit of offsets in names."""

_PLACEHOLDERS = {"tape", "start", "end"}
# Names are rounded by up to one in the last digit written, but for short clips never by more than this share.
_ROUNDED_SHARE = 0.1
_SLACK_S = 0.05
# A clip may be cut a sample beyond the end of its tape, because tables and headers are rounded.
_END_TOLERANCE_S = 0.1
_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class ClipName:
    """Content of a name: the tape's name without suffix, and the stretch in the unit of the name.

    ``step`` is one in the last digit of the end as written.
    """

    tape: str
    start: float
    end: float
    step: float

    def length_s(self, unit: str) -> float:
        """Return the expected length of the clip in seconds if the name counts in ``unit``."""
        return (self.end - self.start) * UNITS_S[unit]

    def agrees(self, duration_s: float, unit: str) -> bool:
        """Return whether a clip of ``duration_s`` seconds can have this name if it counts in ``unit``."""
        rounding_s = min(self.step * UNITS_S[unit], _ROUNDED_SHARE * self.length_s(unit))
        return abs(duration_s - self.length_s(unit)) <= rounding_s + _SLACK_S


@dataclass(frozen=True, slots=True)
class TapeStretch:
    """A stretch of a tape (its path below the audio folder), in seconds of the tape."""

    tape: str
    start_s: float
    end_s: float


class ClipNames:
    """Templates of clip names, of which the first match counts; raises UsageError for an invalid template.

    >>> names = ClipNames(["{tape:*}.wav_{start:#}_{end:#}"], "min")
    >>> names.parse("b/Luna_20250610_05.23_cut.wav_110_125.wav")
    ClipName(tape='Luna_20250610_05.23_cut', start=110.0, end=125.0, step=1.0)
    """

    def __init__(self, templates: Sequence[str], unit: str) -> None:
        self.unit = unit
        self._templates = [Template(text, "clip_names") for text in templates]
        for template in self._templates:
            if set(template.names) != _PLACEHOLDERS or template.folders:
                raise UsageError(
                    f"clip_names {template.text!r}: write {{tape:*}}, {{start:#}} and {{end:#}}, each once and "
                    "without folders, as in {tape:*}.wav_{start:#}_{end:#}"
                )

    def parse(self, path: str) -> ClipName | None:
        """Return the content of an audio file's name; None if it is not a clip's name (the end must come after the
        start).
        """
        stem = stem_of(PurePosixPath(normal_path(path)).name, SUFFIXES)
        for template in self._templates:
            values = template.parse(stem)
            if values is not None:
                start, end = _number(values["start"], template), _number(values["end"], template)
                if end > start:
                    step = 10.0 ** -len(values["end"].partition(".")[2])
                    return ClipName(stem_of(values["tape"], SUFFIXES), start, end, step)
        return None

    def stretch(self, name: ClipName, tape: str, duration_s: float | None) -> TapeStretch:
        """Return the stretch of a tape that a clip covers; as long as the clip, or as stated in its name if that is
        unknown.
        """
        start_s = name.start * UNITS_S[self.unit]
        length_s = name.length_s(self.unit) if duration_s is None else duration_s
        return TapeStretch(tape, round(start_s, 6), round(start_s + length_s, 6))

    def check_unit(self, clips: Mapping[str, ClipName], durations_s: Mapping[str, float]) -> list[Note]:
        """Check whether the lengths of clips agree with their names; both by path, durations if known.

        A clip that is shorter than its name says, in any unit, may have been cut at the end of its tape; a note reports
        it. Raises UsageError for a unit that another unit contradicts, and for clips longer than their names say.
        """
        notes: list[Note] = []
        wrong: list[str] = []
        for path, name in sorted(clips.items()):
            if path not in durations_s or name.agrees(durations_s[path], self.unit):
                continue
            lasts, says = durations_s[path], name.length_s(self.unit)
            others = [unit for unit in UNITS_S if name.agrees(lasts, unit)]
            if not others and lasts < says:
                notes.append(Note("clip_shorter", path, f"lasts {lasts:g} s, but its name says {says:g} s"))
                continue
            remedy = f'set offset_unit = "{others[0]}"' if others else "correct the name, or exclude the clip"
            wrong.append(f'{path} lasts {lasts:g} s, but in "{self.unit}" its name says {says:g} s; {remedy}')
        if wrong:
            more = len(wrong) - _MOST_TOLD
            lines = wrong[:_MOST_TOLD] + [f"and {more} more"] * (more > 0)
            raise UsageError(
                f'corpus.offset_unit = "{self.unit}" contradicts {len(wrong)} of {len(durations_s)} clips:\n  '
                + "\n  ".join(lines)
            )
        return notes


class Tapes:
    """Recordings, looked up by the names that clips and segments use for them."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._pairing = Pairing(paths)

    def named(self, name: str, where: str, key: str) -> str | None:
        """Return the recording of this name, with or without its suffix; None if there is none.

        Of several, the one whose folders are most similar to those of ``where`` is chosen; raises UsageError if none
        is.
        """
        candidates = self._pairing.named(normal_path(name))
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        shared = {path: _common_start(path, where) for path in candidates}
        best = [path for path in candidates if shared[path] == max(shared.values())]
        if len(best) > 1:
            raise UsageError(
                f"{key}: {where} names {name!r}, which could be {' or '.join(sorted(best))}; exclude all but one"
            )
        return best[0]


def lies_within(stretch: TapeStretch, duration_s: float) -> bool:
    """Return whether a stretch lies in a tape of ``duration_s`` seconds."""
    return stretch.end_s <= duration_s + _END_TOLERANCE_S


def _number(text: str, template: Template) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(
            f"clip_names {template.text!r}: reads {text!r} as a time; write {{start:#}} and {{end:#}}"
        ) from None


def _common_start(path: str, other: str) -> int:
    shared = 0
    for folder, two in zip(normal_path(path).split("/")[:-1], normal_path(other).split("/")[:-1], strict=False):
        if folder != two:
            break
        shared += 1
    return shared
