"""What a run of a detector will use, leave out, hold out and cost: the lines of ``ossicle new`` and ``ossicle check``.

The index is that of the last run if it is current; otherwise headers and tables are read, and no recording is decoded.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ossicle.app.project.load import Project
from ossicle.app.project.scaffolding.folds import MANY_GROUPS, USUAL_FOLDS
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.input_problems import LEFT_OUT, header_loss
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline.preflight.disk import detector_needs, disk_finding, feature_needs
from ossicle.app.steps.pipeline.preflight.finding import Finding
from ossicle.app.steps.pipeline.preview.hand_labels import hand_label_findings
from ossicle.app.steps.train.training_cost import trainings_in_words
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.audio.decoding.channels import cancel_words
from ossicle.bundle.manifest import label_fault
from ossicle.core.errors import OssicleError, SplitError, UsageError
from ossicle.core.model_input.channel import MEAN
from ossicle.corpus.clips.holdout_split import place_recordings
from ossicle.corpus.clips.settings import clip_weight, possible_targets
from ossicle.corpus.health.channel_sample import sample_channels
from ossicle.corpus.health.judging_problems import unjudged_labels
from ossicle.corpus.health.sound_problems import without_front_end
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.file_selection import audio_files, skipped_audio, unread_audio
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.splits.folds import BUILT_IN_GROUPS
from ossicle.corpus.splits.split_kinds import NEVER_HELD_OUT
from ossicle.models.model_kinds import EMBEDDINGS

if TYPE_CHECKING:
    from ossicle.corpus.health.report import LabelHealth

_MOST_NAMED = 12
RECORDING, FOLDER = BUILT_IN_GROUPS

IndexFindings = Callable[[Project, CorpusIndex, Collection[str], Collection[str]], Iterator[Finding]]
"""Yields findings about an index: the arguments of :func:`index_findings`."""


def detector_preview(project: Project) -> Iterator[Finding]:
    """Yield what a run will use and leave out; one finding that blocks if the files cannot be listed."""
    yield from input_preview(project, index_findings)


def input_preview(project: Project, index_findings: IndexFindings) -> Iterator[Finding]:
    """Yield the audio files with what is wrong with them, and the findings of ``index_findings`` about their index."""
    if project.manifest is not None:
        corpus_path = find_steps((corpus.STEP,), project)[corpus.STEP.name] if project.manifest.is_file() else None
        if corpus_path is None:
            # Imported here: other projects and `ossicle status` read no manifest.
            from ossicle.app.steps.pipeline.preview.manifest import manifest_preview

            yield from manifest_preview(project)
        else:
            index = read_index(CorpusFolder(corpus_path))
            yield Finding("manifest", True, str(project.manifest))
            yield from index_findings(project, index, {recording.path for recording in index.recordings}, ())
        return
    try:
        paths = chosen(project)
    except OssicleError as problem:
        yield Finding("recordings", False, str(problem))
        return
    folder = project.audio_folder
    with ThreadPoolExecutor(project.settings.project.workers) as pool:
        lost = [loss for loss in pool.map(lambda path: header_loss(folder, path), paths) if loss is not None]
    unread = sum(loss.code == LEFT_OUT for loss in lost)
    message = f"{len(paths)} audio files below {folder}"
    if unread:
        message += f", {unread} of them cannot be read"
    yield Finding("recordings", len(paths) > unread, message)
    if others := unread_audio(folder, project.settings.corpus.exclude):
        yield Finding("not read", False, others, blocks=False)
    if beside := skipped_audio(folder, project.settings.corpus.exclude):
        yield Finding("skipped", True, beside)
    for loss in lost:
        yield Finding("recording", False, loss.line, blocks=False)
    # A missing folder of annotations has a finding of its own.
    tables = project.annotation_folder
    if len(paths) == unread or (tables is not None and not tables.exists()):
        return
    try:
        index = present_index(project)
    except (OssicleError, OSError) as problem:
        yield Finding("used recordings", False, str(problem))
        return
    yield from index_findings(project, index, paths, {loss.path for loss in lost})


def chosen(project: Project) -> tuple[str, ...]:
    """Return the audio files that the project selects; raises UsageError if there are none."""
    settings = project.settings.corpus
    segments = project.annotation_folder if settings.segment_names else None
    return audio_files(project.audio_folder, settings.include, settings.exclude, segments, settings.most).chosen


def present_index(project: Project) -> CorpusIndex:
    """Return the index of the last run if it is current, else one from headers and tables alone."""
    corpus_path = find_steps((corpus.STEP,), project)[corpus.STEP.name]
    return corpus.index_of(project, decode=False) if corpus_path is None else read_index(CorpusFolder(corpus_path))


def index_findings(
    project: Project, index: CorpusIndex, paths: Collection[str], reported: Collection[str] = ()
) -> Iterator[Finding]:
    """Yield the findings about an index.

    Parameters
    ----------
    project
        The project.
    index
        Its index, decoded or not.
    paths
        The audio files that the project selects.
    reported
        Paths of left-out recordings that are reported elsewhere.
    """
    from ossicle.corpus.health.preview import Heard, preview
    from ossicle.corpus.health.report import health

    settings = project.settings
    hop_s = settings.plan.hop_s
    report = health(index, rate=settings.frontend.rate, group=settings.split.group, hop_s=hop_s)
    problems = list(report.problems)
    heard: Heard | None = Heard(settings.frontend, hop_s, project.origin("frontend", "rate"))
    if settings.kind.reads == EMBEDDINGS:
        problems, heard = without_front_end(problems), None
    for notice in preview(index, problems, report.by_label, heard, paths, reported):
        yield Finding(
            notice.what, notice.level != "lost", notice.message, blocks=False, warns=notice.level == "warning"
        )
    if settings.training.onset_s == 0:
        yield from _points(report.by_label)
    labels = list(possible_targets(index.annotations, settings.dataset).label_counts())
    yield from _refused_labels(labels)
    yield from hand_label_findings(project, index, labels)
    yield from channel_findings(project, index)
    yield from _weights(project, index)
    yield from _split(project, index)
    needs = feature_needs if settings.kind.reads == EMBEDDINGS else detector_needs
    yield disk_finding(project, needs(project, index))


def name_findings(index: CorpusIndex) -> Iterator[Finding]:
    """Yield a warning for each name that matches no template, with the place where it fails.

    Parameters
    ----------
    index
        The index of the corpus.
    """
    for note in index.notes:
        if note.kind == "name_template":
            yield Finding("name", True, f"{note.where} {note.message}", warns=True)


def channel_findings(project: Project, index: CorpusIndex) -> Iterator[Finding]:
    """Warn of channels that cancel each other; an index that was decoded has them among its problems.

    Parameters
    ----------
    project
        The project.
    index
        Its index, decoded or not.
    """
    if index.levels or project.settings.audio.name != MEAN:
        return
    sample = sample_channels(project.roots, index.recordings)
    if sample.cancelling:
        path, cancel_db = sample.cancelling[0]
        message = (
            f"{len(sample.cancelling)} of {sample.looked_at} recordings with several channels that were listened into "
            f"({path} first): {cancel_words(cancel_db)}; set [audio] channel"
        )
        yield Finding("channels cancel", True, message, warns=True)


def _points(labels: Sequence["LabelHealth"]) -> Iterator[Finding]:
    """Yield the labels all of whose annotations are points in time, as Audacity sets them without a selection."""
    points = [label.label for label in labels if label.zero_length == label.annotations > 0]
    if points:
        named = ", ".join(map(repr, points[:_MOST_NAMED])) + (" and more" if len(points) > _MOST_NAMED else "")
        message = (
            f"no annotation of {named} has a length, so a model cannot learn what sounds there; draw starts and ends, "
            'or train and judge starts alone: [training] onset_s = 0.1 and [evaluation] criterion = "onsets"'
        )
        yield Finding("points", len(points) < len(labels), message, warns=len(points) < len(labels))


def _refused_labels(labels: Iterable[str]) -> Iterator[Finding]:
    """Yield the labels that the dataset of a run refuses, as one of two lines that a spreadsheet makes."""
    faults = list(filter(None, map(label_fault, labels)))
    for fault in faults[:_MOST_NAMED]:
        yield Finding("label text", False, fault)
    if len(faults) > _MOST_NAMED:
        yield Finding("label text", False, f"and {len(faults) - _MOST_NAMED} more labels that no bundle can contain")


def _weights(project: Project, index: CorpusIndex) -> Iterator[Finding]:
    """Check the field that weights the recordings."""
    settings = project.settings.dataset
    if not settings.weight_field:
        return
    try:
        for recording in index.recordings:
            clip_weight(recording, settings)
    except UsageError as problem:
        yield Finding("weights", False, str(problem))
    if not any(recording.fields.get(settings.weight_field) for recording in index.recordings):
        message = (
            f"dataset.weight_field = {settings.weight_field!r}: no recording has a value of this field, so all count "
            "the same; correct the name, or leave weight_field out"
        )
        yield Finding("weights", True, message, warns=True)


def _split(project: Project, index: CorpusIndex) -> Iterator[Finding]:
    """Check that the recordings can be split, and say how, with the number and the time of the trainings."""
    settings = project.settings
    split, stated = settings.split, index.annotations if index.stated is None else index.stated
    used = possible_targets(stated, settings.dataset)
    try:
        placed = place_recordings(index.recordings, stated, used, index.partly, split)
    except SplitError as problem:
        yield Finding("split", False, str(problem))
        return
    groups = sorted({entry.group for entry in (placed.judged or placed.folds).values()})
    named = ", ".join(groups[:_MOST_NAMED]) + (f" and {len(groups) - _MOST_NAMED} more" * (len(groups) > _MOST_NAMED))
    folds = {entry.fold for entry in placed.judged.values()}
    held_out = split.kind.held_out_in_words(len(folds - {NEVER_HELD_OUT}))
    yield Finding("groups", True, f"{len(groups)} by {split.group}: {named}; held out: {held_out}")
    yield from _folders_that_are_divided(project, index)
    for unjudged in unjudged_labels(placed.judged, used):
        yield Finding(unjudged.code.replace("_", " "), True, f"{unjudged.message}; {unjudged.remedy}", warns=True)
    models = split.kind.models(entry.fold for entry in placed.judged.values())
    labels = used.label_counts()
    n_clips = len(used) + len(index.recordings)
    message = trainings_in_words(project, len(models), len(labels), n_clips)
    many = not split.folds and not split.fold_field and not split.kind.holds_out_once and len(groups) >= MANY_GROUPS
    if many:
        message += f"; [split] folds = {USUAL_FOLDS} needs {USUAL_FOLDS + 1} trainings"
    yield Finding("trainings", True, message, warns=many)


def _folders_that_are_divided(project: Project, index: CorpusIndex) -> Iterator[Finding]:
    """Warn where recordings of one folder may be trained on and held out, as those of one site would be."""
    settings = project.settings
    if settings.split.group != RECORDING or FOLDER in (settings.corpus.label_field, settings.split.fold_field):
        return
    folders = Counter(recording.fields[FOLDER] for recording in index.recordings)
    shared = sum(count for count in folders.values() if count > 1)
    if len(folders) > 1 and shared:
        message = (
            f"the recordings lie in {len(folders)} folders, and those of one folder may be both trained on and held "
            f'out; if a folder is a site, an animal or a day, set [split] group = "{FOLDER}", or the figures may be '
            "too good"
        )
        yield Finding("folders", True, message, warns=True)
