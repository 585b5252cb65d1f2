"""Step ``resynthesis``: what a vocoder makes of recordings that neither it nor the quantiser has heard."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.vocoder.held_out import paths_read, roles_of
from ossicle.app.steps.vocoder.unit_grid import lead_samples, of_units
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.results.published import METRICS, RESYNTHESIS, VOCODER
from ossicle.artefacts.typed.units.quality import QualityFolder
from ossicle.artefacts.typed.units.resynthesis import ResynthesisFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.artefacts.typed.units.sequences import SequenceRow, SequencesFolder
from ossicle.artefacts.typed.units.speech import SpeechFolder
from ossicle.artefacts.typed.units.unit_vocoder import UnitVocoderFolder
from ossicle.core.errors import UsageError
from ossicle.core.settings import digestible
from ossicle.core.text.counting import counted
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.naming.table_names import table_places
from ossicle.evaluation.units.resynthesis.missed import missed_in_words
from ossicle.evaluation.units.unit_figures import Resampling
from ossicle.evaluation.units.vocoder_roles import JUDGED, TRAINS, VocoderRoles

if TYPE_CHECKING:
    from ossicle.app.steps.vocoder.spoken_pairs import JudgedSource, SpokenPair
    from ossicle.evaluation.units.resynthesis.verdict import Verdict
    from ossicle.metrics.reports.event_report import Estimate
    from ossicle.models.vocoder.vocoder import Vocoder
    from ossicle.units.mean_spectrum import MeanSpectrum

STEP_VERSION = 3


def run(context: Context) -> None:
    """Synthesise judged segments, compare them with the recordings, and write figures, sounds and the page."""
    # Imported here: torch takes seconds to import.
    from ossicle.app.steps.vocoder.followed import followed_figures
    from ossicle.app.steps.vocoder.spoken_pairs import pair_figures, speak_pairs, to_json, write_pairs
    from ossicle.evaluation.units.resynthesis.verdict import verdict
    from ossicle.models.vocoder.vocoder import Vocoder
    from ossicle.report.pages.resynthesis_page import write_resynthesis_report

    output, settings, trained = (
        context.own(ResynthesisFolder),
        context.project.settings,
        context.read(UnitVocoderFolder),
    )
    vocoder, start = Vocoder.read(trained.vocoder), Vocoder.read(trained.training.start.path)
    roles, resampling = roles_of(context), Resampling(settings.evaluation.bootstrap, settings.evaluation.seed)
    sources = list(judged_sources(context, roles, vocoder))
    if not sources:
        raise UsageError(f"{roles.in_words}: none of the judged segments could be read; name others in [vocoder] judge")
    baseline = _baseline(context, roles, vocoder)
    pairs: list[SpokenPair] = []
    for pair in speak_pairs(vocoder, sources, settings.pitch, baseline=baseline):
        pairs.append(pair)
        context.progress.advance(len(pairs), len(sources), "segments")
    begun = [spoken_pair.judged for spoken_pair in speak_pairs(start, sources, settings.pitch)]
    figures = pair_figures(pairs, [spoken_pair.judged for spoken_pair in pairs], resampling)
    of_baseline = pair_figures(
        pairs, [spoken_pair.baseline_judged for spoken_pair in pairs if spoken_pair.baseline_judged], resampling
    )
    of_start = pair_figures(pairs, begun, resampling)
    judgement = verdict(figures, settings.resynthesis)
    written = {
        **to_json(figures),
        **to_json(followed_figures(vocoder, sources, settings.pitch, resampling)),
        "baseline": to_json(of_baseline),
        "start": to_json(of_start),
        "verdict": judgement.to_json(),
        "basis": roles.basis,
        "in_words": roles.in_words,
        "segments": len(pairs),
        "recordings": len({spoken_pair.source.recording for spoken_pair in pairs}),
        "epoch": trained.about["fit"]["best_epoch"],
    }
    write_pairs(output.pairs, pairs, vocoder.spec.rate, written)
    write_resynthesis_report(
        output.page, _page(context, roles, vocoder, pairs, figures, of_baseline, of_start, judgement)
    )
    output.write_metrics(_metrics(context, written))
    for line in missed_in_words(written["verdict"]):
        context.progress.say(line)


def judged_sources(context: Context, roles: VocoderRoles, vocoder: "Vocoder") -> Iterator["JudgedSource"]:
    """Yield the judged segments, at most ``[resynthesis] num_samples``, in the order of their recordings.

    Parameters
    ----------
    context
        Of a step that needs ``corpus``, ``segments``, ``sequences`` and ``pitch``.
    roles
        Which groups are judged.
    vocoder
        The vocoder.
    """
    from ossicle.app.steps.vocoder.spoken_pairs import LONGEST_S, JudgedSource, drawn

    speech, settings = context.read(SpeechFolder), context.project.settings.resynthesis
    paths = {recording.id: recording.path for recording in read_index(context.read(CorpusFolder)).recordings}
    places, f0_hz, samples = table_places([*paths.values()]), speech.f0_hz(), dict(speech.samples())
    judged, spec = roles.segments(JUDGED), vocoder.spec
    ends_s = dict(context.read(SegmentsFolder).table().select("segment_id", "end_s").iter_rows())
    rows = {
        row.segment_id: row
        for row in context.read(SequencesFolder).rows()
        if row.segment_id in judged and row.segment_id in samples and len(row.units)
    }
    most, lead = round(LONGEST_S / spec.hop_s), lead_samples(spec.rate, spec.hop_s, spec.origin_s)
    for key in drawn(rows, settings.num_samples, settings.seed):
        row = rows[key]
        units, path = row.units[:most], paths[row.recording_id]
        yield JudgedSource(
            sound_place=f"{places[path].as_posix()}_{key.rpartition('#')[2]}",
            path=path,
            recording=row.recording_id,
            group=row.group or path,
            start_s=row.start_s + spec.origin_s - spec.hop_s / 2,
            units=units,
            f0_hz=f0_hz[key][:most] if spec.pitch else None,
            original=of_units(samples[key], lead, len(units) * spec.hop),
            # The samples end with the last unit, and the segment up to a frame later.
            seconds=ends_s[key] - row.start_s if len(units) == len(row.units) else len(units) * spec.hop_s,
        )


def _baseline(context: Context, roles: VocoderRoles, vocoder: "Vocoder") -> "MeanSpectrum":
    """Return the mean spectrum of each unit in the speech that the vocoder was trained on."""
    from ossicle.units.mean_spectrum import mean_spectrum

    trained, spec = roles.segments(TRAINS), vocoder.spec
    samples, lead = dict(context.read(SpeechFolder).samples()), lead_samples(spec.rate, spec.hop_s, spec.origin_s)

    def heard(row: SequenceRow) -> tuple[NDArray[np.float32], NDArray[np.integer]]:
        return of_units(samples[row.segment_id], lead, len(row.units) * spec.hop), row.units

    rows = (sequence_row for sequence_row in context.read(SequencesFolder).rows() if sequence_row.segment_id in trained)
    return mean_spectrum(
        (heard(sequence_row) for sequence_row in rows if sequence_row.segment_id in samples),
        spec.k,
        spec.rate,
        spec.hop,
    )


def _metrics(context: Context, vocoder: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of the units with those of the vocoder."""
    metrics = context.read(QualityFolder).metrics
    if vocoder["recordings"] > 1:
        return {**metrics, "vocoder": vocoder}
    reasons = [*metrics.get("insufficient_because", ()), "vocoder: one recording is judged, so there are no intervals"]
    return {**metrics, "vocoder": vocoder, "insufficient": True, "insufficient_because": reasons}


def _page(
    context: Context,
    roles: VocoderRoles,
    vocoder: "Vocoder",
    pairs: "list[SpokenPair]",
    figures: "dict[str, Estimate]",
    baseline: "dict[str, Estimate]",
    start: "dict[str, Estimate]",
    judgement: "Verdict",
) -> Any:
    from ossicle.report.resynthesis_data import ResynthesisReportData

    trained, settings = context.read(UnitVocoderFolder).about, context.project.settings
    spec, fit = vocoder.spec, trained["fit"]
    notes = []
    if spec.speakers and any(spoken_pair.speaker is None for spoken_pair in pairs):
        notes.append(f"A {trained['field']} that was not in training gets the mean of the {len(spec.speakers)} voices.")
    if len(pairs) == settings.resynthesis.num_samples:
        notes.append(
            f"{counted(len(pairs), 'segment')} were drawn by [resynthesis] seed = {settings.resynthesis.seed}."
        )
    if lost := context.read(SpeechFolder).left_out:
        notes.append(f"{counted(len(lost), 'segment')} could not be read; first {next(iter(lost.items()))[1]}.")
    return ResynthesisReportData(
        title=settings.project.name,
        summary={
            "roles": trained["in_words"],
            "units": f"{spec.k}, one every {1000 * spec.hop_s:g} ms",
            "vocoder": f"preset {trained['preset']}, {spec.rate} Hz, {'with' if spec.pitch else 'without'} pitch, "
            f"{counted(max(1, len(spec.speakers)), 'voice')}; {trained['training_s'] / 60:.1f} min of training speech",
            "training": f"epoch {fit['best_epoch']} of {fit['epochs']} is kept; log-mel distance of those who choose "
            f"{fit['log_mel']:.3f}, before training {fit['start_log_mel']:.3f}",
        },
        figures=figures,
        baseline=baseline,
        verdict=judgement,
        basis=roles.judged_on,
        held_out=True,
        notes=notes,
        pairs=[spoken_pair.card for spoken_pair in pairs],
        rate=spec.rate,
        start=start,
        sounds=f"{RESYNTHESIS}/",
        files={"figures": METRICS, "sounds": f"{RESYNTHESIS}/", "vocoder": f"{VOCODER}/"},
    )


def _settings(project: Project) -> dict[str, object]:
    settings = project.settings
    return {
        "resynthesis": digestible(settings.resynthesis),
        "pitch": digestible(settings.pitch),
        "bootstrap": settings.evaluation.bootstrap,
        "seed": settings.evaluation.seed,
        "group": settings.split.group,
        "name": settings.project.name,
    }


STEP = Step(
    name=ResynthesisFolder.step,
    version=STEP_VERSION,
    needs=(
        CorpusFolder.step,
        SegmentsFolder.step,
        SequencesFolder.step,
        QualityFolder.step,
        SpeechFolder.step,
        UnitVocoderFolder.step,
    ),
    settings=_settings,
    run=run,
    reads={CorpusFolder.step: paths_read},
)
