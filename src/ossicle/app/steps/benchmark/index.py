"""Step ``benchmark-index``: index the benchmark corpus like a training corpus, and find what the two share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.benchmark.models import benchmark_models
from ossicle.app.steps.data import corpus, unlabelled
from ossicle.app.steps.data.unlabelled import teaching_rounds
from ossicle.app.steps.engine.step import Context, Progress, Step, run_steps
from ossicle.artefacts.filesystem.changes import remove_folder
from ossicle.artefacts.typed.index import BenchmarkIndexFolder, CorpusFolder, UnlabelledFolder
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.core.errors import UsageError
from ossicle.core.intervals import Intervals, as_intervals
from ossicle.core.records import Annotation, Recording, grouped
from ossicle.core.settings import digestible
from ossicle.corpus.health.corpus_overlap import Overlap, corpus_overlap, require_apart
from ossicle.corpus.indexing.corpus_index import STEP_VERSION as INDEX_VERSION
from ossicle.corpus.indexing.corpus_index import index_corpus
from ossicle.corpus.indexing.index_storage import read_index, write_index
from ossicle.evaluation.ground_truth import Times

STEP_VERSION = 3
NAME = BenchmarkIndexFolder.step
_FIELDS = ("animal", "tape")
OVERLAPS, UNCHECKED = "overlaps the training corpus", "overlap with the training corpus not checked"


def benchmark_view(project: Project) -> Project:
    """Return the project with the benchmark corpus in place of its own; raises UsageError if it has none."""
    settings = project.settings.benchmark
    if not settings.audio.strip():
        raise UsageError(
            f"{project.file}: [benchmark] audio is empty: set the folder of the benchmark's recordings there, or "
            "give it with --corpus and --annotations"
        )
    for key, stated in (("audio", settings.audio), ("annotations", settings.annotations)):
        path = project.folder / stated
        if stated and not path.exists():
            raise UsageError(f"{project.file}: [benchmark] {key}: {path} does not exist; correct the path")
    benchmark_corpus = settings.corpus(project.settings.corpus)
    return replace(project, settings=replace(project.settings, corpus=benchmark_corpus))


def run(context: Context) -> None:
    """Index the benchmark's recordings and annotations."""
    view = benchmark_view(context.project)
    index = index_corpus(
        view.audio_folder,
        view.annotation_folder,
        view.settings.corpus,
        group=context.project.settings.benchmark.tape,
        workers=view.settings.project.workers,
        progress=lambda done, total: context.progress.advance(done, total, "recordings of the benchmark"),
        channel=view.settings.audio.name,
        unfinished=context.own(BenchmarkIndexFolder).unfinished_folder,
    )
    write_index(index, context.own(BenchmarkIndexFolder))
    remove_folder(context.own(BenchmarkIndexFolder).unfinished_folder)


@dataclass(frozen=True)
class BenchmarkTruth:
    """The annotated recordings of the benchmark by id, in the order of ``ids``; ``tapes`` names the tape of each.

    ``known`` holds the examined stretches, (n, 2) in seconds, of recordings that were not annotated as a whole, such as
    the labelled clips of a tape. Only these stretches of such recordings are evaluated.
    """

    ids: tuple[str, ...]
    recordings: dict[str, Recording]
    annotations: tuple[Annotation, ...]
    tapes: dict[str, str]
    known: dict[str, Intervals]

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the annotated labels, sorted."""
        return tuple(sorted({annotation.label for annotation in self.annotations}))

    def references(self, labels: Sequence[str]) -> Times:
        """Return the annotated times, (n, 2) in seconds, of each recording and label, in the order of :meth:`notes`."""
        return {
            key: {
                label: as_intervals([(note.start_s, note.end_s) for note in self.notes(key, label)]) for label in labels
            }
            for key in self.ids
        }

    def notes(self, recording_id: str, label: str) -> list[Annotation]:
        """Return the annotations of a recording and label."""
        return self._notes.get((recording_id, label), [])

    @cached_property
    def _notes(self) -> dict[tuple[str, str], list[Annotation]]:
        return grouped(self.annotations, lambda annotation: (annotation.recording_id, annotation.label))

    def without(self, left_out: Mapping[str, str]) -> "BenchmarkTruth":
        """Return the truth without the recordings (ids) that could not be scored."""
        return replace(
            self,
            ids=tuple(key for key in self.ids if key not in left_out),
            annotations=tuple(annotation for annotation in self.annotations if annotation.recording_id not in left_out),
        )

    def seconds(self, recording_id: str) -> float:
        """Return how much of a recording is evaluated, in seconds."""
        if recording_id in self.known:
            return float(np.diff(self.known[recording_id]).sum())
        return self.recordings[recording_id].duration_s

    @property
    def hours(self) -> float:
        """Return how much is evaluated, in hours."""
        return float(np.sum([self.seconds(key) for key in self.ids])) / 3600


def read_benchmark(index: BenchmarkIndexFolder, tape: str) -> BenchmarkTruth:
    """Read the truth from the artefact; raises UsageError if no recording, and no stretch of one, is annotated."""
    corpus_index = read_index(index)
    partly = corpus_index.partly
    judged = {
        recording.id: recording
        for recording in corpus_index.recordings
        if (recording.reviewed or recording.id in partly) and recording.status != "left_out"
    }
    if not judged:
        raise UsageError(
            "[benchmark] annotations: no recording of the benchmark is annotated (an empty table means that nothing "
            "was found); set the folder of its tables, and check that their names match those of the recordings"
        )
    return BenchmarkTruth(
        ids=tuple(sorted(judged)),
        recordings=judged,
        annotations=tuple(annotation for annotation in corpus_index.annotations if annotation.recording_id in judged),
        tapes={key: recording.fields.get(tape) or recording.path for key, recording in judged.items()},
        known={key: as_intervals(times) for key, times in partly.items() if key in judged},
    )


def training_overlap(
    project: Project, index: BenchmarkIndexFolder, progress: Progress, overrides: Sequence[str] = ()
) -> tuple[Overlap, str]:
    """Return what the benchmark shares with the training data, and the mark for its results.

    The benchmark is compared with the training corpus of the project and of each evaluated variant. A training corpus
    that is not on this machine cannot be compared, and the mark says so.

    Parameters
    ----------
    project
        The project with a ``[benchmark]`` table.
    index
        The index of the benchmark corpus.
    progress
        Where the comparison reports how far it is.
    overrides
        The ``--set`` options that the project was loaded with.

    Returns
    -------
    tuple[Overlap, str]
        The shared recordings, and a mark in words. The mark is empty if all corpora were compared and share nothing.

    Raises
    ------
    UsageError
        The corpora share something, and ``allow_overlap`` is off.
    """
    settings, benchmark = project.settings, read_index(index)
    overlap = Overlap()
    mark = ""
    for trained_project in _trained_on(project, overrides):
        if not trained_project.audio_folder.is_dir():
            mark = UNCHECKED
            continue
        training = [read_index(CorpusFolder.among(run_steps((corpus.STEP,), trained_project, progress).artefacts))]
        fields = (*_FIELDS, settings.benchmark.tape, trained_project.settings.split.group)
        if teaching_rounds(trained_project):
            # Training heard these recordings too, whoever labelled them.
            heard = run_steps((unlabelled.INDEX,), trained_project, progress).artefacts
            training.append(read_index(UnlabelledFolder.among(heard)))
        for index_of in training:
            here = corpus_overlap(index_of, benchmark, fields)
            overlap = Overlap(
                (*overlap.shared, *(new for new in here.shared if new not in overlap.shared)),
                (*overlap.unchecked, *(new for new in here.unchecked if new not in overlap.unchecked)),
            )
    if overlap and not settings.benchmark.allow_overlap:
        require_apart(overlap)
    return overlap, OVERLAPS if overlap else mark


def _trained_on(project: Project, overrides: Sequence[str]) -> list[Project]:
    """Return the project and the variants among its models, each training corpus once."""
    variants = [model.variant for model in benchmark_models(project, overrides) if model.variant]
    loaded = [load_project(project.file, tuple(overrides), project.data_root, name) for name in variants]
    distinct: dict[str, Project] = {}
    for trained_project in (project, *loaded):
        distinct.setdefault(
            repr(
                (trained_project.settings.corpus, trained_project.settings.split.group, trained_project.settings.pseudo)
            ),
            trained_project,
        )
    return list(distinct.values())


STEP = Step(
    name=NAME,
    version=STEP_VERSION,
    needs=(),
    settings=lambda project: {
        "corpus": digestible(benchmark_view(project).settings.corpus),
        "tape": project.settings.benchmark.tape,
        "index": INDEX_VERSION,
        "decoders": decoder_versions(),
        **digestible(project.settings.audio),
    },
    run=run,
    extra=lambda project: corpus.listing(benchmark_view(project)),
)
