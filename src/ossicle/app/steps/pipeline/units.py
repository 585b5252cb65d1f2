"""The pipeline ``units``: from long recordings to acoustic units, the motifs in them, and back to sound."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ossicle.app.project.load import Project
from ossicle.app.steps.acoustic_units import (
    features,
    motifs,
    quality,
    quantiser,
    report,
    segments,
    sequences,
)
from ossicle.app.steps.data import corpus, store
from ossicle.app.steps.engine.input_problems import LEFT_OUT, Loss, losses
from ossicle.app.steps.engine.step import Step
from ossicle.app.steps.pipeline.comparison.units import FIGURES
from ossicle.app.steps.pipeline.detector_inputs import missing_inputs
from ossicle.app.steps.pipeline.pipeline import Artefacts, Pipeline, Published, RunSummary
from ossicle.app.steps.pipeline.preflight.units import units_preflight
from ossicle.app.steps.pipeline.preview.units import units_preview
from ossicle.app.steps.vocoder import pitch, resynthesis, vocoder
from ossicle.app.steps.vocoder.held_out import QUANTISER
from ossicle.artefacts.typed.results.published import METRICS, MOTIFS, PAGE, RESYNTHESIS, RESYNTHESIS_PAGE, VOCODER
from ossicle.artefacts.typed.results.published import QUANTISER as QUANTISER_FOLDER
from ossicle.artefacts.typed.units.motifs import MotifsFolder
from ossicle.artefacts.typed.units.resynthesis import ResynthesisFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.artefacts.typed.units.unit_vocoder import UnitVocoderFolder
from ossicle.audio.encoders.frames.blocks import without_frames
from ossicle.audio.encoders.settings import WINDOWS_ONLY
from ossicle.audio.segmentation.settings import SILENCES
from ossicle.core.errors import UsageError
from ossicle.core.text.counting import counted
from ossicle.evaluation.units.resynthesis.missed import missed_in_words

# The copy holds every recording, annotated or not.
KEPT_AUDIO = replace(store.STEP, reads={corpus.STEP.name: segments.all_recordings_digest})


OF_VOCODER = (pitch.STEP, vocoder.STEP, resynthesis.STEP)


def _adapt(steps: tuple[Step, ...], project: Project) -> tuple[Step, ...]:
    """Return the steps of a project.

    The store is one of them only if the project keeps a copy of its recordings, those of a vocoder only if it has one.
    Raises UsageError for an encoder that gives no frames, before recordings are cut for it.
    """
    if project.settings.encoder.name in WINDOWS_ONLY:
        raise UsageError(f"{project.origin('encoder', 'name')}: {without_frames(project.settings.encoder.name)}")
    keeps, speaks = project.settings.segments.keep_audio, bool(project.settings.vocoder.preset)
    dropped = {id(step) for step in (() if keeps else (KEPT_AUDIO,)) + (() if speaks else OF_VOCODER)}
    kept_steps = [step for step in steps if id(step) not in dropped]
    return tuple(QUANTISER if speaks and step is quantiser.STEP else step for step in kept_steps)


def _refuse_missing(project: Project, name: str) -> None:
    """Raise UsageError for the store of a project that keeps none, and for a step of the vocoder of one without."""
    if name == KEPT_AUDIO.name:
        origin = project.origin("segments", "keep_audio")
        raise UsageError(f"{origin}: [segments] keep_audio = false: this project has no store; set it to true")
    origin = project.origin("vocoder", "preset")
    raise UsageError(
        f'{origin}: [vocoder] preset = "": this project has no vocoder, so no step {name}; set it to small or full'
    )


_REMEDY = "repair the file, copy it again from its source, or remove it"
_TIMES = "correct the times in the table, or leave the segment out of it"


def _losses(artefacts: Artefacts) -> Sequence[Loss]:
    all_losses = [*losses(artefacts[corpus.STEP.name])] if corpus.STEP.name in artefacts else []
    if segments.STEP.name in artefacts:
        summary = SegmentsFolder.among(artefacts).summary
        remedy = "add the recording, or correct its name in the table"
        without = f"{segments.remedy_without(summary['settings'].get('by', SILENCES))}, or remove the recording"
        all_losses += [
            Loss("unmatched_rows", name, "the table of segments names it, but it is not among the recordings", remedy)
            for name in summary["unmatched"]
        ]
        all_losses += [
            Loss(LEFT_OUT, path, reason, _REMEDY if path in summary["unreadable"] else without)
            for path, reason in sorted(summary["left_out"].items())
        ]
        all_losses += [
            Loss("lost_segments", path, "; ".join(lost), _TIMES)
            for path, lost in sorted(summary["lost"].items())
            if path not in summary["left_out"]
        ]
    if features.STEP.name in artefacts:
        all_losses += [Loss(LEFT_OUT, path, reason, _REMEDY) for path, reason in features.unreadable(artefacts).items()]
    if pitch.STEP.name in artefacts:
        all_losses += [Loss(LEFT_OUT, path, reason, _REMEDY) for path, reason in pitch.unreadable(artefacts).items()]
    return all_losses


def _status_notes(artefacts: Artefacts) -> Iterable[str]:
    """Yield how much sound there is in how many segments, and how many motifs were found in them."""
    if segments.STEP.name in artefacts:
        summary = SegmentsFolder.among(artefacts).summary
        count, recordings = counted(summary["segments"], "segment"), counted(summary["recordings"], "recording")
        sound_h, silence_h = summary["sound_s"] / 3600, summary["silence_s"] / 3600
        yield f"{count} in {recordings}: {sound_h:.2f} h, without {silence_h:.2f} h of silence"
        if summary["left_out"]:
            path, reason = next(iter(summary["left_out"].items()))
            without = counted(len(summary["left_out"]), "recording")
            yield f"{without} without segments, first {path}: {reason}"
    if motifs.STEP.name in artefacts:
        yield MotifsFolder.among(artefacts).in_words
    if vocoder.STEP.name in artefacts:
        trained = UnitVocoderFolder.among(artefacts).about
        yield f"vocoder: epoch {trained['fit']['best_epoch']} of {trained['fit']['epochs']}; {trained['in_words']}"
    if resynthesis.STEP.name in artefacts:
        yield from missed_in_words(ResynthesisFolder.among(artefacts).metrics["vocoder"]["verdict"])


def _summary(artefacts: Artefacts) -> RunSummary | None:
    """Return figures, page, quantiser and motifs of a finished run."""
    if quality.STEP.name not in artefacts:
        return None
    results = (METRICS, PAGE, QUANTISER_FOLDER, MOTIFS, VOCODER, RESYNTHESIS, RESYNTHESIS_PAGE)
    return RunSummary(METRICS, (), results)


PIPELINE = Pipeline(
    name="units",
    steps=(
        corpus.STEP,
        KEPT_AUDIO,
        segments.STEP,
        features.STEP,
        quantiser.STEP,
        sequences.STEP,
        motifs.STEP,
        quality.STEP,
        report.STEP,
        *OF_VOCODER,
    ),
    adapt=_adapt,
    refuse_missing=_refuse_missing,
    published=(
        Published(METRICS, (resynthesis.STEP.name, quality.STEP.name)),
        Published(PAGE, (report.STEP.name,)),
        Published(QUANTISER_FOLDER, (quantiser.STEP.name,), whole=True),
        Published(MOTIFS, (motifs.STEP.name,)),
        Published(VOCODER, (vocoder.STEP.name,)),
        Published(RESYNTHESIS, (resynthesis.STEP.name,)),
        Published(RESYNTHESIS_PAGE, (resynthesis.STEP.name,)),
    ),
    summary=_summary,
    losses=_losses,
    status_notes=_status_notes,
    preflight=units_preflight,
    preview=units_preview,
    missing_inputs=missing_inputs,
    pulled={"segments": segments.STEP.name, "sequences": sequences.STEP.name},
    leaderboard=FIGURES,
    front_end=lambda project: False,
    learns_labels=False,
    instead="`ossicle leaderboard`, `ossicle units encode` and `ossicle units export` (docs/units.md)",
    checked={corpus.STEP.name: "index", segments.STEP.name: "segments"},
)
