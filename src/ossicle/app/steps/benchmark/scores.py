"""Step ``benchmark-scores``: score the whole benchmark with one model on one plan, for use at every threshold."""

import time
from functools import partial
from pathlib import Path

from ossicle.app.steps.benchmark.index import NAME as INDEX
from ossicle.app.steps.benchmark.index import benchmark_view, read_benchmark
from ossicle.app.steps.benchmark.models import Opened
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.score.scores import audio_digest
from ossicle.artefacts.array_files.blocks import TrackWriter
from ossicle.artefacts.typed.index import BenchmarkIndexFolder
from ossicle.artefacts.typed.scores import BenchmarkScoresFolder
from ossicle.core.digest import digest
from ossicle.core.errors import AudioError
from ossicle.core.settings import digestible
from ossicle.inference.batch import write_scores

STEP_VERSION = 1
NAME = BenchmarkScoresFolder.step


def scores_step(opened: Opened) -> Step:
    """Return the step that scores one reading; equal models on equal plans share its artefact under any names."""
    return Step(
        name=NAME,
        version=STEP_VERSION,
        needs=(INDEX,),
        settings=lambda project: {
            "model": opened.identity,
            "plan": digestible(opened.plan),
            "runtime": opened.runtime,
            "threads": project.settings.benchmark.threads,
        },
        run=partial(run, opened),
        reads={INDEX: judged_audio},
    )


def judged_audio(index: Path) -> str:
    """Return what the step reads of the index: paths and bytes of the recordings, and which of them are annotated."""
    return digest([audio_digest(index), sorted(read_benchmark(BenchmarkIndexFolder(index), "").ids)])


def run(opened: Opened, context: Context) -> None:
    """Score every annotated recording; an interrupted run continues after its finished recordings."""
    settings = context.project.settings.benchmark
    truth = read_benchmark(context.read(BenchmarkIndexFolder), settings.tape)
    output = context.own(BenchmarkScoresFolder)
    folder = benchmark_view(context.project).audio_folder
    predictor = opened.predictor(settings)
    left_out: dict[str, str] = {}
    total_s = sum(truth.recordings[key].duration_s for key in truth.ids)
    heard_s = 0.0
    for number, key in enumerate(truth.ids, start=1):
        began, record = time.monotonic(), context.journal.done(key)
        reused = record is not None and record["digest"] == output.track_digest(key)
        try:
            if not reused:
                with TrackWriter(output.track_path(key), opened.bundle.labels, opened.plan.hop_s) as writer:
                    write_scores(folder / truth.recordings[key].path, predictor, writer, settings.batch)
                context.journal.mark(key, digest=output.track_digest(key))
        except AudioError as problem:
            left_out[key] = str(problem).removeprefix(f"{folder / truth.recordings[key].path}: ")
        context.log.work_unit(NAME, key, "reused" if reused else "computed", time.monotonic() - began)
        heard_s += truth.recordings[key].duration_s
        note = f"s of sound, {opened.reading.name}, recording {number} of {len(truth.ids)}"
        context.progress.advance(int(heard_s), max(1, int(total_s)), note)
    output.write_left_out(left_out)
