"""What a run of a project for acoustic units will use, leave out and judge: lines of ``ossicle new`` and ``check``."""

from collections import Counter
from collections.abc import Collection, Iterator

from ossicle.app.project.load import Project
from ossicle.app.steps.acoustic_units.segments import given_segments, table_file
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.app.steps.pipeline.preview.detector import channel_findings, input_preview, name_findings
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
        subject = "rows of words" if notice.what == "used annotations" else notice.what
        yield Finding(subject, notice.level != "lost", notice.message, blocks=False, warns=notice.level == "warning")
    for problem in problems:
        if problem.severity != "note" and problem.code not in LOSSES and problem.code not in _OF_LEARNING:
            where = f"{problem.where}: " if problem.where else ""
            message = f"{where}{problem.message}; {problem.remedy}"
            yield Finding(problem.code.replace("_", " "), True, message, warns=True)
    yield from channel_findings(project, index)
    seconds = sum(recording.duration_s for recording in index.recordings)
    yield Finding("sound", True, f"{seconds / 3600:.2f} h in {counted(len(index.recordings), 'recording')}")
    yield _words_finding(project, index)
    yield from _groups(project, index)
    yield from _normalisation(project, index)
    yield _segments(project, index)
    yield from vocoder_findings(project, index)


def _words_finding(project: Project, index: CorpusIndex) -> Finding:
    """Return how many words judge the units; silences are none."""
    counts = Counter(annotation.label for annotation in index.annotations)
    word_counts = Counter({label: count for label, count in counts.items() if is_word(label)})
    silent = counts.total() - word_counts.total()
    silences = ""
    if silent:
        are = "is no word" if silent == 1 else "are no words"
        silences = f"; {counted(silent, 'row')} of silence ({', '.join(sorted(counts - word_counts))}) {are}"
    left_out = f"agreement with words, ABX and word boundaries are left out{silences}"
    if not word_counts and (table := project.annotation_folder) is not None:
        return Finding(
            "words", False, f"none of {table} is a word in one of these recordings: {left_out}", blocks=False
        )
    if not word_counts:
        return Finding("words", True, f"none: {left_out}")
    named = ", ".join(f"{label} ({count})" for label, count in word_counts.most_common(5)) + "..." * (
        len(word_counts) > 5
    )
    kinds = f"{word_counts.total()} of {counted(len(word_counts), 'kind')} ({named}){silences}"
    return Finding("words", True, f"{kinds}; they judge the units, which never learn from them")


def _groups(project: Project, index: CorpusIndex) -> Iterator[Finding]:
    group = project.settings.split.group
    names = sorted({recording.fields.get(group, "") for recording in index.recordings})
    if names == [""]:
        message = f"no recording has the field {group!r}: set split.group, or a name_template that reads it"
        yield Finding("groups", False, f"{message} ({project.origin('split', 'group')})", blocks=False)
        return
    yield from name_findings(index)
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
        message = (
            f"{len(short)} of {counted(len(lengths_s), 'group')} by {group} are shorter than {_LEAST_GROUP_S:g} s (the "
            f"shortest {min(short):.2g} s), too short for a mean and scale of their own: let split.group name the "
            f'speakers, or set quantiser.normalisation = "{SEGMENT}"'
        )
        yield Finding("normalisation", True, message, warns=True)


def _segments(project: Project, index: CorpusIndex) -> Finding:
    message, table = project.settings.segments.in_words, table_file(project)
    if table is None:
        return Finding("segments", True, message)
    if not table.is_file():
        return Finding("segments", False, f"[segments] table: {table} is not a file; correct the path")
    try:
        table_segments = given_segments(project, index.recordings)
    except OssicleError as problem:
        return Finding("segments", False, str(problem))
    used, missing = sum(map(len, table_segments.by_recording.values())), len(table_segments.unmatched)
    names = f"{counted(missing, 'name')} in it, first {table_segments.unmatched[0]}" if missing else ""
    if not used:
        message = f"[segments] table: none of {table} is of a recording of this project"
        return Finding("segments", False, f"{message}{f' ({names})' * bool(names)}; correct the names in it")
    message = (
        f"{used} of {table}, in {len(table_segments.by_recording)} of {counted(len(index.recordings), 'recording')}"
    )
    if missing:
        return Finding("segments", False, f"{message}; no recording has {names}: correct them", blocks=False)
    return Finding("segments", True, message)
