"""Step ``quantiser``: the centres of acoustic units, fitted to the frames of all segments."""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.filesystem.changes import remove_file
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.quantiser import QuantiserFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.audio.segmentation.hearing import Hearing
from ossicle.core.digest import digest
from ossicle.core.settings import digestible
from ossicle.core.text.counting import counted
from ossicle.units.frames import SegmentFrames
from ossicle.units.kmeans.state import Checkpoint
from ossicle.units.nearest import Screens
from ossicle.units.quantiser import Quantiser
from ossicle.units.quantiser_training import refuse_too_few, train_quantiser

STEP_VERSION = 2
_LONG_FRAME = 256


Chooses = Callable[[Context, SegmentFrames], SegmentFrames]
"""Returns those of the frames that centres are fitted to."""


def run(context: Context, chosen: Chooses = lambda context, frames: frames) -> None:
    """Fit the quantiser, then those of the sweep; each is kept once it is done, and its training in between.

    Parameters
    ----------
    context
        The inputs of the step.
    chosen
        Returns those of the frames that the centres are fitted to; all of them unless a vocoder holds groups out.
    """
    if find_spec("threadpoolctl") is None:
        # Matrix products have threads of their own then.
        _fit(context, chosen, 1)
        return
    # Only this step needs what it imports.
    from ossicle.training.quantiser.blas_threads import one_blas_thread

    with one_blas_thread():
        _fit(context, chosen, context.project.settings.project.workers)


def _fit(context: Context, chosen: Chooses, threads: int) -> None:
    output, features = context.own(QuantiserFolder), context.read(FeaturesFolder)
    settings, screens = context.project.settings.quantiser, _screens(features.spec.dim)
    frames = chosen(context, SegmentFrames.of_shards(features, groups_of(context.read(SegmentsFolder))))
    checkpoint = Checkpoint(output.checkpoint_file)
    numbers = sorted({settings.k, *settings.sweep})
    for k in (settings.k, *settings.sweep):
        # Before the first of them is trained for hours.
        refuse_too_few(frames, settings, k)
    rows = []
    for k in (settings.k, *(k for k in numbers if k != settings.k)):
        name = f"k={k}"
        row = context.journal.done(name)
        if row is None:

            def advance(passes: int, share: float, name: str = name) -> None:
                context.progress.advance(round(100 * share), 100, f"percent of pass {passes + 1}, {name}")

            quantiser = train_quantiser(
                frames,
                settings,
                features.spec,
                features.hop_s,
                features.origin_s,
                k=k,
                threads=threads,
                checkpoint=checkpoint,
                advance=advance,
                screens=screens,
            )
            if k == settings.k:
                replace(quantiser, heard=_hearing(context.project)).save(context.folder)
            row = _row(quantiser)
            context.journal.mark(name, **row)
        if k == settings.k:
            context.progress.say(in_words(row))
        rows.append({**row, "chosen": k == settings.k})
    if output.checkpoint_file.exists():
        remove_file(output.checkpoint_file)
    output.write_sweep(sorted(rows, key=lambda row: int(row["k"])))


def _hearing(project: Project) -> Hearing:
    return Hearing(project.settings.audio.name, project.settings.segments)


def _screens(dim: int) -> Screens | None:
    """Return the search in bfloat16 for long frames, if torch is there: it takes seconds to load."""
    if dim < _LONG_FRAME or find_spec("torch") is None:
        return None
    from ossicle.training.quantiser.bfloat16_screen import bfloat16_screen

    return bfloat16_screen


def groups_of(segments: SegmentsFolder) -> dict[str, str]:
    """Return the group of each segment."""
    table = segments.table()
    return dict(zip(table["segment_id"].to_list(), table["group"].to_list(), strict=True))


def in_words(row: dict[str, Any]) -> str:
    """Return how well a quantiser fits, from a row of the sweep.

    >>> in_words({"k": 100, "frames": 9000, "inertia": 12.9, "held_out_inertia": 13.5, "dead": 1})
    '100 units from 9000 frames, inertia 12.9, of held-out frames 13.5; 1 unit has no frame'
    """
    held_out = "" if row["held_out_inertia"] is None else f", of held-out frames {row['held_out_inertia']:.4g}"
    has = "has" if row["dead"] == 1 else "have"
    dead = f"; {counted(row['dead'], 'unit')} {has} no frame" if row["dead"] else ""
    units, frames = counted(row["k"], "unit"), counted(row["frames"], "frame")
    return f"{units} from {frames}, inertia {row['inertia']:.4g}{held_out}{dead}"


def _row(quantiser: Quantiser) -> dict[str, Any]:
    fit = quantiser.fit
    assert fit is not None
    return {
        "k": quantiser.k,
        "frames": fit.frames,
        "passes": fit.passes,
        "inertia": fit.inertia,
        "held_out_frames": fit.held_out_frames,
        "held_out_inertia": fit.held_out_inertia,
        "dead": len(fit.dead),
        "reseeded": fit.reseeded,
    }


def groups_read(segments: Path) -> str:
    """Return the digest of what a quantiser reads of the segments: their groups. Their sound is in the features."""
    return digest(sorted(groups_of(SegmentsFolder(segments)).items()))


STEP = Step(
    name=QuantiserFolder.step,
    version=STEP_VERSION,
    needs=(SegmentsFolder.step, FeaturesFolder.step),
    settings=lambda project: {
        "quantiser": digestible(project.settings.quantiser),
        "heard": _hearing(project).to_json(),
    },
    run=run,
    reads={SegmentsFolder.step: groups_read},
)
