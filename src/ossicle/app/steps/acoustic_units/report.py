"""Step ``report`` of a pipeline for units: inventory, motifs, figures beside chance, and what they sound like."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ossicle.app.steps.acoustic_units.unit_sounds import RATE, Hear, UnitSounds, listener
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.results.published import METRICS, MOTIFS, QUANTISER
from ossicle.artefacts.typed.results.released import ReportFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.motifs import MotifsFolder
from ossicle.artefacts.typed.units.quality import QualityFolder
from ossicle.artefacts.typed.units.quantiser import QuantiserFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.artefacts.typed.units.sequences import SequenceRow, SequencesFolder
from ossicle.core.settings import digestible
from ossicle.core.text.counting import counted
from ossicle.corpus.health.problem import Problem
from ossicle.corpus.health.sound_problems import without_front_end
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.evaluation.units.inventory import Inventory, heard_segments, inventory
from ossicle.evaluation.units.words import SpokenWords
from ossicle.report.units_data import MotifRow, SegmentCard, UnitRow, UnitsReportData
from ossicle.report.words import clock, duration, number
from ossicle.units.quantiser import Quantiser

STEP_VERSION = 3

_HEARD = 120
_MOTIFS = 40
_CARD_S = 6.0
_MOTIF_AROUND_S = 0.05


def run(context: Context) -> None:
    """Collect the results, listen to some segments, and write the page."""
    from ossicle.report.pages.units_page import write_units_report

    settings, sequences = context.project.settings, context.read(SequencesFolder)
    index = read_index(context.read(CorpusFolder))
    paths, hear = (
        {recording.id: recording.path for recording in index.recordings},
        listener(context.project, index.recordings),
    )
    k, hop_s = int(sequences.summary["n_units"]), float(sequences.summary["hop_s"])
    origin_s = float(sequences.summary["origin_s"])
    rows = list(sequences.rows())
    unit_inventory = inventory(sequences.column("runs"), sequences.column("run_frames"), k)
    sounds = UnitSounds(k, hop_s, origin_s)
    chosen = heard_segments(unit_inventory, len(rows), _HEARD, settings.quantiser.seed)
    for done, row in enumerate(chosen, start=1):
        sounds.add(rows[row], hear)
        context.progress.advance(done, len(chosen), "segments heard")
    order = np.argsort(-unit_inventory.frames, kind="stable")
    spoken_words = SpokenWords(index.annotations)
    table = context.read(SegmentsFolder).table()
    data = UnitsReportData(
        title=settings.project.name,
        summary=_summary(context, unit_inventory),
        metrics=context.read(QualityFolder).metrics,
        lengths_s=(table["end_s"] - table["start_s"]).to_numpy(),
        segments=_segments(context.read(SegmentsFolder).summary),
        units=[_unit(int(unit), unit_inventory, sounds, hop_s) for unit in order],
        spectra=sounds.spectra[order],
        bands_hz=sounds.bands_hz,
        motifs=_motifs(context.read(MotifsFolder), paths, hear),
        motif_notes=_motif_notes(context.read(MotifsFolder).summary),
        cards=[
            _card(rows[row], paths, spoken_words, hear, hop_s, origin_s)
            for row in _spread(len(rows), settings.report.examples)
        ],
        sweep=_sweep(context.read(QuantiserFolder)),
        rate=RATE,
        hop_s=hop_s,
        problems=[
            (problem.where, problem.message, problem.remedy)
            for problem in without_front_end(
                Problem(**problem) for problem in context.read(CorpusFolder).health["problems"]
            )
            if problem.severity != "note"
        ],
        budget=list(context.seconds.items()),
        files={METRICS: METRICS, "quantiser": f"{QUANTISER}/", "table of motifs": MOTIFS},
    )
    write_units_report(context.own(ReportFolder).page, data)


def _summary(context: Context, unit_inventory: Inventory) -> dict[str, str]:
    quantiser, spec = Quantiser.read(context.read(QuantiserFolder).path), context.read(FeaturesFolder).spec
    fit, table = quantiser.fit, context.read(SegmentsFolder).table()
    groups = table["group"].n_unique()
    used = int((unit_inventory.frames > 0).sum())
    summary = {
        "speech": f"{counted(len(table), 'segment')} of {counted(groups, 'group')} "
        f"({context.project.settings.split.group}), {duration(int(unit_inventory.frames.sum()) * quantiser.hop_s)}",
        "encoder": f"{spec.name}, {spec.dim} values every {1000 * quantiser.hop_s:g} ms; licence: "
        f"{spec.licence or 'part of Ossicle' * (not spec.sha256) or 'unknown'}",
        "units": f"{quantiser.k}, of which {used} are used; frames normalised by: {quantiser.normalisation.kind}; seed "
        f"{quantiser.seed}",
    }
    if fit is not None:
        held_out = "" if fit.held_out_inertia is None else f", {number(fit.held_out_inertia, 3)} held out"
        dead = f"; units without a training frame: {', '.join(map(str, fit.dead))}" if fit.dead else ""
        summary["mean squared distance"] = f"{number(fit.inertia, 3)} trained on{held_out}{dead}"
    return summary


def _segments(summary: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{counted(summary['segments'], 'segment')} in {counted(summary['recordings'], 'recording')}: "
        f"{duration(summary['sound_s'])} of sound, {duration(summary['silence_s'])} of silence."
    ]
    settings = summary["settings"]
    if settings.get("by", "silences") == "silences":
        lines.append(
            f"Cut at silences of at least {settings['min_silence_s']:g} s; threshold {settings['threshold_db']:g} dB "
            f"relative to {settings['relative_to']}."
        )
    for key, outcome in (("left_out", "left out"), ("partial", "readable only in part")):
        if summary[key]:
            name, reason = next(iter(summary[key].items()))
            lines.append(f"{counted(len(summary[key]), 'recording')} {outcome}; first {name}: {reason}")
    return lines


def _unit(unit: int, unit_inventory: Inventory, sounds: UnitSounds, hop_s: float) -> UnitRow:
    return UnitRow(
        unit=unit,
        share=float(unit_inventory.frames[unit] / max(1, unit_inventory.frames.sum())),
        runs=int(unit_inventory.runs[unit]),
        segments=int(unit_inventory.segments[unit]),
        mean_s=float(unit_inventory.frames[unit] * hop_s / max(1, unit_inventory.runs[unit])),
        samples=sounds.sound(unit),
    )


def _motifs(motifs: MotifsFolder, paths: Mapping[str, str], hear: Hear) -> list[MotifRow]:
    rows = []
    for row in motifs.table.head(_MOTIFS).iter_rows(named=True):
        samples, where = np.zeros(0, dtype=np.float32), ""
        if row["examples"]:
            example = row["examples"][0]
            start_s = max(0.0, example["start_s"] - _MOTIF_AROUND_S)
            samples = hear(example["recording_id"], start_s, example["end_s"] + _MOTIF_AROUND_S - start_s)
            where = f"{paths[example['recording_id']]}, {clock(example['start_s'])}"
        columns = {key: row[key] for key in ("units", "count", "segments", "groups", "coverage", "mean_s", "sd_s")}
        rows.append(MotifRow(**columns, where=where, samples=samples))
    return rows


def _motif_notes(summary: Mapping[str, Any]) -> list[str]:
    reason = f": {summary['reason']}" if summary["reason"] else ""
    return [f"{summary['reached']} of {summary['asked']} tokens, units included{reason}."]


def _card(
    row: SequenceRow, paths: Mapping[str, str], words: SpokenWords, hear: Hear, hop_s: float, origin_s: float
) -> SegmentCard:
    n = min(len(row.units), int(_CARD_S / hop_s))
    end_s = row.start_s + n * hop_s + origin_s
    intervals, numbers = words.intervals(row.recording_id), words.numbers(row.recording_id)
    spoken = [
        (max(start, row.start_s), min(end, end_s), words.types[word_number])
        for (start, end), word_number in zip(intervals.tolist(), numbers.tolist(), strict=True)
        if end > row.start_s and start < end_s
    ]
    return SegmentCard(
        path=paths[row.recording_id],
        start_s=row.start_s,
        samples=hear(row.recording_id, row.start_s, end_s - row.start_s),
        times_s=np.asarray(row.start_s + origin_s + hop_s * np.arange(n), np.float64),
        units=row.units[:n].astype(np.int64),
        words=spoken,
    )


def _sweep(quantiser: QuantiserFolder) -> list[dict[str, float | None]]:
    """Return the numbers of units that were tried; nothing if there is one only."""
    if len(quantiser.sweep) < 2:
        return []
    return [{key: row[key] for key in ("k", "inertia", "held_out_inertia")} for row in quantiser.sweep]


def _spread(n: int, most: int) -> list[int]:
    """Return places spread evenly over ``n``, which are in the order of recordings, so that many of them are shown.

    >>> _spread(10, 3), _spread(2, 6)
    ([1, 5, 8], [0, 1])
    """
    count = min(n, most)
    return [int((position + 0.5) * n / count) for position in range(count)]


STEP = Step(
    name=ReportFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "segments", "features", "quantiser", "sequences", "motifs", "quality"),
    settings=lambda project: {
        "report": digestible(project.settings.report),
        "name": project.settings.project.name,
        "group": project.settings.split.group,
        **digestible(project.settings.audio),
    },
    run=run,
)
