"""The pipeline ``units``: from long recordings to acoustic units and the motifs in them."""

from collections.abc import Iterable, Sequence

from ossicle.app.steps.acoustic_units import features, quantiser, segments
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.input_problems import LEFT_OUT, Loss, losses
from ossicle.app.steps.pipeline.detector_inputs import missing_inputs
from ossicle.app.steps.pipeline.pipeline import Artefacts, Pipeline
from ossicle.app.steps.pipeline.preflight.units import units_preflight
from ossicle.app.steps.pipeline.preview.units import units_preview
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.core.text.counting import counted


def _losses(artefacts: Artefacts) -> Sequence[Loss]:
    found = [*losses(artefacts[corpus.STEP.name])] if corpus.STEP.name in artefacts else []
    if segments.STEP.name in artefacts:
        summary = SegmentsFolder.among(artefacts).summary
        remedy = "add the recording, or correct its name in the table"
        found += [
            Loss("unmatched_rows", name, "the table of segments names it, but it is not among the recordings", remedy)
            for name in summary["unmatched"]
        ]
        remedy = "repair the file, copy it again from its source, or remove it"
        found += [Loss(LEFT_OUT, path, reason, remedy) for path, reason in sorted(summary["unreadable"].items())]
    return found


def _status_notes(artefacts: Artefacts) -> Iterable[str]:
    """Yield how much sound there is in how many segments."""
    if segments.STEP.name in artefacts:
        summary = SegmentsFolder.among(artefacts).summary
        count, recordings = counted(summary["segments"], "segment"), counted(summary["recordings"], "recording")
        sound_h, silence_h = summary["sound_s"] / 3600, summary["silence_s"] / 3600
        yield f"{count} in {recordings}: {sound_h:.2f} h, without {silence_h:.2f} h of silence"
        if summary["left_out"]:
            path, reason = next(iter(summary["left_out"].items()))
            without = counted(len(summary["left_out"]), "recording")
            yield f"{without} without segments, first {path}: {reason}"


PIPELINE = Pipeline(
    name="units",
    # Each owner adds a step here as it lands: sequences, motifs, quality, report.
    steps=(corpus.STEP, segments.STEP, features.STEP, quantiser.STEP),
    losses=_losses,
    status_notes=_status_notes,
    preflight=units_preflight,
    preview=units_preview,
    missing_inputs=missing_inputs,
    front_end=lambda project: False,
    checked={corpus.STEP.name: "index", segments.STEP.name: "segments"},
)
