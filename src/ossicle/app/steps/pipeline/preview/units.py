"""What a run of a project for acoustic units will use, leave out and judge: lines of ``ossicle new`` and ``check``."""

from collections import Counter
from collections.abc import Collection, Iterator

from ossicle.app.project.load import Project
from ossicle.app.steps.acoustic_units.segments import given_segments, table_file
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.app.steps.pipeline.preview.detector import channel_findings, input_preview
from ossicle.app.steps.pipeline.preview.vocoder import vocoder_findings
from ossicle.core.errors import OssicleError
from ossicle.core.text.counting import counted
from ossicle.corpus.health.findings import LOSSES
from ossicle.corpus.health.preview import annotation_notices, recording_notices
from ossicle.corpus.health.report import health
from ossicle.corpus.health.sound_problems import without_front_end
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.metadata_table import ungrouped
from ossicle.evaluation.units.words import is_word
from ossicle.units.normalisation import GROUP, SEGMENT

RECORDING = "recording"
_MOST_NAMED = 12
# Some seconds hold most sounds of a language, so their mean is that of the voice.
_LEAST_GROUP_S = 3.0
# Problems of labels that models learn from; words only judge, and most of them are rare.
_OF_LEARNING = (
    *("no_annotations", "no_negatives", "not_judged"),
    *("label_twins", "label_list", "label_nothing", "label_garbled"),
)


def units_preview(project: Project) -> Iterator[Finding]:
    """Yield what a run will use and leave out; one finding that blocks if the files cannot be listed."""
    yield from input_preview(project, _findings)


def _findings(
    project: Project, index: CorpusIndex, paths: Collection[str], reported: Collection[str] = ()
) -> Iterator[Finding]:
    settings = project.settings
    problems = without_front_end(health(index, rate=settings.frontend.rate, group=settings.split.group).problems)
    notices = list(recording_notices(index, paths, reported, labels_needed=False))
    if project.annotation_folder is not None:
        notices += annotation_notices(index, problems)
    for notice in notices:
        what = "rows of words" if notice.what == "used annotations" else notice.what
        yield Finding(what, notice.level != "lost", notice.message, blocks=False, warns=notice.level == "warning")
    for problem in problems:
        if problem.severity != "note" and problem.code not in LOSSES and problem.code not in _OF_LEARNING:
            where = f"{problem.where}: " if problem.where else ""
            words = f"{where}{problem.message}; {problem.remedy}"
            yield Finding(problem.code.replace("_", " "), True, words, warns=True)
    yield from channel_findings(project, index)
    seconds = sum(recording.duration_s for recording in index.recordings)
    yield Finding("sound", True, f"{seconds / 3600:.2f} h in {counted(len(index.recordings), 'recording')}")
    yield _words(project, index)
    yield from _groups(project, index)
    yield from _normalisation(project, index)
    yield _segments(project, index)
    yield from vocoder_findings(project, index)


def _words(project: Project, index: CorpusIndex) -> Finding:
    """Return how many words judge the units; silences are none."""
    counts = Counter(annotation.label for annotation in index.annotations)
    words = Counter({label: count for label, count in counts.items() if is_word(label)})
    silent = counts.total() - words.total()
    silences = ""
    if silent:
        are = "is no word" if silent == 1 else "are no words"
        silences = f"; {counted(silent, 'row')} of silence ({', '.join(sorted(counts - words))}) {are}"
    left_out = f"agreement with words, ABX and word boundaries are left out{silences}"
    if not words and (table := project.annotation_folder) is not None:
        return Finding(
            "words", False, f"none of {table} is a word in one of these recordings: {left_out}", blocks=False
        )
    if not words:
        return Finding("words", True, f"none: {left_out}")
    named = ", ".join(f"{label} ({count})" for label, count in words.most_common(5)) + "..." * (len(words) > 5)
    kinds = f"{words.total()} of {counted(len(words), 'kind')} ({named}){silences}"
    return Finding("words", True, f"{kinds}; they judge the units, which never learn from them")


def _groups(project: Project, index: CorpusIndex) -> Iterator[Finding]:
    group = project.settings.split.group
    names = sorted({recording.fields.get(group, "") for recording in index.recordings})
    if names == [""]:
        words = f"no recording has the field {group!r}: set split.group, or a name_template that reads it"
        yield Finding("groups", False, f"{words} ({project.origin('split', 'group')})", blocks=False)
        return
    for note in index.notes:
        if note.kind == "name_template":
            yield Finding("name", True, f"{note.where} {note.message}", warns=True)
    if group == RECORDING:
        each = "the only recording" if len(names) == 1 else f"each of the {len(names)} recordings by itself"
        yield Finding("groups", True, f"{each}; with split.group the speakers can be held out")
        return
    alone = {ungrouped(recording, group) for recording in index.recordings} - {""}
    names = [name for name in names if name not in alone]
    named = ", ".join(names[:_MOST_NAMED]) + f" and {len(names) - _MOST_NAMED} more" * (len(names) > _MOST_NAMED)
    if len(names) + len(alone) == 1:
        yield Finding("groups", True, f"only one by {group}: {named}; nothing can be held out", warns=True)
        return
    # A note of the corpus says what to do about them.
    rest = f"; {counted(len(alone), 'recording')} without a {group}, each by itself" if alone else ""
    yield Finding("groups", True, f"{len(names)} by {group}{': ' * bool(names)}{named}{rest}", warns=bool(alone))


def _normalisation(project: Project, index: CorpusIndex) -> Iterator[Finding]:
    """Warn of groups that are too short for a mean and scale of their own."""
    if project.settings.quantiser.normalisation != GROUP:
        return
    group = project.settings.split.group
    lengths_s: dict[str, float] = {}
    for recording in index.recordings:
        key = recording.fields.get(group) or recording.path
        lengths_s[key] = lengths_s.get(key, 0.0) + recording.duration_s
    short = [length_s for length_s in lengths_s.values() if length_s < _LEAST_GROUP_S]
    if short:
        words = (
            f"{len(short)} of {counted(len(lengths_s), 'group')} by {group} are shorter than {_LEAST_GROUP_S:g} s (the "
            f"shortest {min(short):.2g} s), too short for a mean and scale of their own: let split.group name the "
            f'speakers, or set quantiser.normalisation = "{SEGMENT}"'
        )
        yield Finding("normalisation", True, words, warns=True)


def _segments(project: Project, index: CorpusIndex) -> Finding:
    words, table = project.settings.segments.in_words, table_file(project)
    if table is None:
        return Finding("segments", True, words)
    if not table.is_file():
        return Finding("segments", False, f"[segments] table: {table} is not a file; correct the path")
    try:
        given = given_segments(project, index.recordings)
    except OssicleError as problem:
        return Finding("segments", False, str(problem))
    used, missing = sum(map(len, given.by_recording.values())), len(given.unmatched)
    names = f"{counted(missing, 'name')} in it, first {given.unmatched[0]}" if missing else ""
    if not used:
        words = f"[segments] table: none of {table} is of a recording of this project"
        return Finding("segments", False, f"{words}{f' ({names})' * bool(names)}; correct the names in it")
    words = f"{used} of {table}, in {len(given.by_recording)} of {counted(len(index.recordings), 'recording')}"
    if missing:
        return Finding("segments", False, f"{words}; no recording has {names}: correct them", blocks=False)
    return Finding("segments", True, words)
