"""What a run of a project for states will use, leave out and hold out: the lines of ``ossicle new`` and ``check``."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from ossicle.app.project.load import Project
from ossicle.app.steps.pipeline.preflight.disk import disk_finding, feature_needs
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.app.steps.pipeline.preview.detector import channel_findings, input_preview, name_findings
from ossicle.core.decisions.states import UNKNOWN
from ossicle.core.errors import SplitError, UsageError
from ossicle.core.records import Recording, grouped
from ossicle.core.text.counting import counted
from ossicle.corpus.clips.holdout_split import place_recordings
from ossicle.corpus.health.preview import preview
from ossicle.corpus.health.report import health
from ossicle.corpus.health.sound_problems import without_front_end
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT
from ossicle.corpus.windows.label_combinations import missing_combinations
from ossicle.corpus.windows.window_truth import recording_states
from ossicle.evaluation.states.sufficiency import FEWEST_RECORDINGS

_MOST_NAMED = 12


def states_preview(project: Project) -> Iterator[Finding]:
    """Yield what a run will use and leave out; one finding that blocks if the files cannot be listed."""
    yield from input_preview(project, _findings)


def _findings(
    project: Project, index: CorpusIndex, paths: Collection[str], reported: Collection[str] = ()
) -> Iterator[Finding]:
    settings = project.settings
    report = health(index, rate=settings.frontend.rate, group=settings.split.group)
    problems = without_front_end(report.problems)
    for notice in preview(index, problems, report.by_label, None, paths, reported):
        yield Finding(
            notice.what, notice.level != "lost", notice.message, blocks=False, warns=notice.level == "warning"
        )
    yield from channel_findings(project, index)
    yield from name_findings(index)
    labels = sorted(
        {annotation.label for annotation in index.annotations}
        | {label for unknown_labels in index.unknown.values() for label in unknown_labels}
    )
    reviewed = [recording for recording in index.recordings if recording.reviewed]
    if not labels or not reviewed:
        yield Finding("labels", False, "no recording has a label that is on, so there is nothing to learn")
        return
    try:
        decision = settings.states.decision(labels)
        hidden = "; ".join(
            f"{label} hides {', '.join(hidden_labels)}" for label, hidden_labels in decision.masks.items()
        )
        yield Finding("states", True, f"{' before '.join(decision.priority)}{f'; {hidden}' * bool(hidden)}")
    except UsageError as problem:
        yield Finding("states", False, str(problem))
    yield from _combinations(index, reviewed, labels, settings.split.group)
    yield _windows(project, reviewed)
    yield disk_finding(project, feature_needs(project, index))
    yield from _split(project, index)


def _combinations(
    index: CorpusIndex, reviewed: Sequence[Recording], labels: Sequence[str], group: str
) -> Iterator[Finding]:
    notes = grouped(index.annotations, lambda annotation: annotation.recording_id)
    states = [
        (
            recording.fields.get(group, recording.path),
            recording_states(
                recording.duration_s, notes.get(recording.id, []), labels, index.unknown.get(recording.id, ())
            ),
        )
        for recording in reviewed
    ]
    doubtful = Counter(
        label for _, recording_states in states for label, state in recording_states.items() if state == UNKNOWN
    )
    if doubtful:
        named = ", ".join(f"{label} in {counted(count, 'recording')}" for label, count in sorted(doubtful.items()))
        yield Finding("unknown", True, f"{named}: these count for no figure of the label")
    groups = {name for name, _ in states}
    if len(groups) == len(states) > 1:
        # Each recording is its own group, and holds one combination.
        return
    missing = missing_combinations(states, labels)
    for name, states_in in missing[:_MOST_NAMED]:
        message = ", ".join(f"{label} {state}" for label, state in states_in.items())
        yield Finding("combination", True, f"{group} {name}: no recording with {message}", warns=True)
    if len(missing) > _MOST_NAMED:
        yield Finding("combination", True, f"and {len(missing) - _MOST_NAMED} more that no recording has", warns=True)


def _windows(project: Project, reviewed: Sequence[Recording]) -> Finding:
    features = project.settings.features
    short = [recording.path for recording in reviewed if recording.duration_s < features.window_s]
    message = (
        f"{features.window_s:g} s every {features.hop_s:g} s, read by the encoder {project.settings.encoder.name!r}"
    )
    if short:
        message += f"; {counted(len(short), 'recording')} shorter than a window: nothing is judged on them ({short[0]})"
    return Finding("windows", True, message, warns=bool(short))


def _split(project: Project, index: CorpusIndex) -> Iterator[Finding]:
    """Check that the recordings can be split, and say how, and where there are too few for a claim."""
    split, stated = project.settings.split, index.annotations if index.stated is None else index.stated
    try:
        placed = place_recordings(index.recordings, stated, stated, index.partly, split)
    except SplitError as problem:
        yield Finding("split", False, str(problem))
        return
    folds = {entry.fold: entry.group for entry in placed.judged.values() if entry.fold != NEVER_HELD_OUT}
    named = ", ".join(dict.fromkeys(entry.group for entry in placed.judged.values()))
    held_out = split.kind.held_out_in_words(len(folds))
    yield Finding("groups", True, f"by {split.group}: {named}; held out: {held_out}")
    label_counts = Counter(
        annotation.label for annotation in {(note.label, note.recording_id): note for note in stated}.values()
    )
    for label, on in sorted(label_counts.items()):
        off = sum(recording.reviewed for recording in index.recordings) - on
        if min(on, off) < FEWEST_RECORDINGS * len(folds):
            few = f"{label}: {on} recordings with it on and {off} with it off"
            message = f"{few}; fewer than {FEWEST_RECORDINGS} a side and fold: figures are marked insufficient"
            yield Finding("insufficient", True, message, warns=True)
    yield Finding("heads", True, f"{counted(len(folds) + 1, 'head')}: one for each fold and one on all recordings")
