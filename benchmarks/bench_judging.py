"""How long judging takes as annotations grow: the steps decision, evaluation and report on made-up scores.

The project is that of ``judged_project.py``: 17 labels, five hits a second, frames of 10 ms. Seconds are processor
time of the functions of the steps in this process, after a first small project has loaded all libraries. PSDS is left
out: its work depends on the frames and not on the annotations (``bench_psds.py``). Growth is that of a project
(`--grown` recordings) with twice the annotations, in recordings twice as long (`twice the sound`) and in the same sound
(`twice as dense`). The step `decision` tries 18 decisions for each label.
The baseline is a loop over recordings and labels (``judging_oracle.py``) that counts the same figures. Run it with
nothing else on the machine:

    python benchmarks/bench_judging.py --recordings 2000 --hits 150
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from judged_project import LABELS, Size, make_project
from judging_oracle import counts_of_metrics, counts_one_by_one
from machine import RESULTS, described, table, write_result
from smoke import parsed, require

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Context, Silent
from ossicle.app.steps.judge import calibration, decision, evaluation, second_stage
from ossicle.app.steps.release import report
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.logs.runlog import RunLog
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import EvaluationFolder, NoiseGateFolder
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.evaluation.figures import scores as score_figures
from ossicle.evaluation.gates.noise_gate import firings_on_recordings, noise_gate_figures
from ossicle.evaluation.ground_truth import read_truth
from ossicle.metrics.frames import FrameScores
from ossicle.metrics.noise.noise_gate import judge
from ossicle.metrics.psds.score import Psds
from ossicle.metrics.psds.settings import PsdsSettings

HITS_A_SECOND = 5
LIMIT_S, MOST_GROWTH = 60.0, 2.2
JUDGED = ("evaluation", "report")


@dataclass(frozen=True, slots=True)
class Measured:
    """Processor seconds of each step on one project, and the peak memory of the process so far."""

    size: Size
    cpu_s: Mapping[str, float]
    peak_mib: int

    @property
    def judging_s(self) -> float:
        """Evaluation and report together."""
        return sum(self.cpu_s[name] for name in JUDGED)


def without_psds(
    tracks: Iterable[tuple[str, FrameScores]],
    references: Mapping[str, object],
    durations_s: Mapping[str, float],
    labels: Sequence[str],
    criteria: Sequence[PsdsSettings],
) -> list[Psds]:
    """Read the tracks as PSDS does, and compute nothing."""
    for _ in tracks:
        pass
    return [Psds(criterion, float("nan"), dict.fromkeys(labels, float("nan")), {}) for criterion in criteria]


def noise_gate(context: Context) -> None:
    """Do the part of the step ``noise_gate`` that needs no model."""
    limits = context.project.settings.noise_gate
    truth = read_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    annotations = read_index(context.read(CorpusFolder)).annotations
    margin_s = context.project.settings.dataset.margin_s
    firings = firings_on_recordings(truth, evaluation.judged_events(context, truth), annotations, margin_s)
    gate = noise_gate_figures(judge(firings, limits), limits, "no model", second_stage=False)
    context.own(NoiseGateFolder).write_metrics({**context.read(EvaluationFolder).metrics, "gate": gate})


STEPS: Sequence[tuple[str, Callable[[Context], None]]] = (
    *((step.name, step.run) for step in (decision.STEP, calibration.STEP, second_stage.STEP, evaluation.STEP)),
    ("noise_gate", noise_gate),
    (report.STEP.name, report.STEP.run),
)


def context_of(step: str, project: Project, artefacts: Mapping[str, Path]) -> Context:
    """Return the inputs of a step, with an empty folder of its own."""
    out = project.folder / "made" / step
    out.mkdir()
    return Context(project, artefacts, out, Silent(), RunLog(out / "run.jsonl"), Journal(out / "journal.jsonl"), {})


def judged(folder: Path, size: Size) -> tuple[Measured, Context]:
    """Make a project of this size and run the steps; return what they took, and the inputs of the last."""
    project, artefacts = make_project(folder, size)
    cpu_s = {}
    for name, run in STEPS:
        context = context_of(name, project, artefacts)
        artefacts[name] = context.folder
        began = time.process_time()
        run(context)
        cpu_s[name] = time.process_time() - began
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    shown = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in cpu_s.items())
    print(f"{size.annotations} annotations: {shown}", flush=True)
    return Measured(size, cpu_s, peak_mib), context


def one_by_one(context: Context) -> float:
    """Count the same figures in loops, require that they are equal, and return the processor seconds."""
    truth = read_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    run = evaluation.judged_run(context, truth)
    began = time.process_time()
    counts = counts_one_by_one(run, context.project.settings.evaluation)
    spent = time.process_time() - began
    expected = counts_of_metrics(context.read(EvaluationFolder).metrics)
    for name, value in expected.items():
        require(counts[name] == value, f"{name} of the loops equals that of metrics.json")
    return spent


@contextmanager
def project_folder(work: Path) -> Iterator[Path]:
    """Give a folder for a project and remove it afterwards."""
    with tempfile.TemporaryDirectory(dir=work) as name:
        yield Path(name) / "project"


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=2000)
    parser.add_argument("--hits", type=int, default=150, help="annotations of a recording")
    parser.add_argument("--grown", type=int, default=2000, help="recordings of the projects that grow")
    parser.add_argument("--looped", type=int, default=100, help="recordings of the project for the loops")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), help="folder for the projects")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, recordings=40, hits=50, grown=40, looped=40)
    score_figures.psds = without_psds
    seconds = args.hits / HITS_A_SECOND
    rows = []
    with project_folder(args.work) as folder:
        judged(folder, Size(40, 50, 10.0))
    with project_folder(args.work) as folder:
        small, context = judged(folder, Size(args.looped, args.hits, seconds))
        loops_s = one_by_one(context)
    judged_sizes = []
    for size in (
        Size(args.recordings, args.hits, seconds),
        *(() if args.grown == args.recordings else (Size(args.grown, args.hits, seconds),)),
        Size(args.grown, 2 * args.hits, 2 * seconds),
        Size(args.grown, 2 * args.hits, seconds),
    ):
        with project_folder(args.work) as folder:
            judged_sizes.append(judged(folder, size)[0])
    whole, once, doubled = judged_sizes[0], judged_sizes[-3], judged_sizes[-2:]
    names = {id(doubled[0]): "twice the sound", id(doubled[1]): "twice as dense"}
    for judged_size in judged_sizes:
        name = names.get(id(judged_size), f"{judged_size.size.recordings} recordings")
        growth = [
            f"{judged_size.cpu_s[step] / once.cpu_s[step]:.2f}" if judged_size in doubled else "–" for step in JUDGED
        ]
        cells = [f"{judged_size.cpu_s[step]:.1f}" for step in ("decision", "noise_gate", *JUDGED)]
        rows.append((name, str(judged_size.size.annotations), *cells, *growth, str(judged_size.peak_mib)))
    head = (
        "project",
        "annotations",
        "decision",
        "noise gate",
        *JUDGED,
        *(f"growth of {s}" for s in JUDGED),
        "peak MiB",
    )
    ratio = loops_s / small.cpu_s["evaluation"]
    met = whole.judging_s <= LIMIT_S and all(
        judged_size.cpu_s[step] <= MOST_GROWTH * once.cpu_s[step] for judged_size in doubled for step in JUDGED
    )
    text = (
        f"# Judging many annotations\n\n{described(('numpy', 'scipy', 'polars'))}\n\n"
        f"{len(LABELS)} labels, {seconds:g} s and {args.hits} annotations a recording. Processor seconds.\n\n"
        f"{table(head, rows)}\n\n"
        f"Evaluation and report together: {whole.judging_s:.1f} s (bar: {LIMIT_S:g} s; growth at most {MOST_GROWTH}): "
        f"{'met' if met else 'missed'}.\n\n"
        f"{small.size.annotations} annotations in {args.looped} recordings: the loops over recordings and labels take "
        f"{loops_s:.1f} s for the counts alone, `evaluation` {small.cpu_s['evaluation']:.1f} s for all its figures "
        f"({ratio:.1f} times as fast); all counts are equal.\n"
    )
    write_result("judging", text, args.out)


if __name__ == "__main__":
    main()
