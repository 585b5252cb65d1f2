"""Recordings to units and back to sound, by a vocoder and its quantiser, with figures of the difference."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ossicle.app.api.units.encoding import EncodedSegment, UnitEncoder
from ossicle.app.api.units.speaking import Speaker, pitch_settings_of, quantiser_of
from ossicle.app.steps.engine.step import Progress, Silent
from ossicle.app.steps.vocoder.spoken_pairs import (
    LONGEST_S,
    JudgedSource,
    SpokenPair,
    drawn,
    drawn_place,
    pair_figures,
    speak_pairs,
    to_json,
    write_pairs,
)
from ossicle.app.steps.vocoder.unit_f0 import unit_f0
from ossicle.app.steps.vocoder.unit_grid import lead_samples, of_units
from ossicle.artefacts.logs.noted_files import NotedFiles
from ossicle.artefacts.typed.units.resynthesis import PAIR_ENDINGS, PairFiles
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.pitch.trackers import Tracker, pitch_tracker
from ossicle.core.errors import AudioError, UsageError
from ossicle.core.text.counting import counted
from ossicle.corpus.naming.file_listing import files_below
from ossicle.corpus.naming.table_names import table_places
from ossicle.evaluation.units.resynthesis.settings import ResynthesisSettings
from ossicle.evaluation.units.resynthesis.verdict import Verdict, verdict
from ossicle.evaluation.units.unit_figures import Resampling
from ossicle.report.pages.resynthesis_page import write_resynthesis_report
from ossicle.report.resynthesis_data import ResynthesisReportData

BASIS = "recordings that were given; whether the vocoder was trained on them is not known"


@dataclass(frozen=True)
class Listening:
    """How recordings become segments.

    Attributes
    ----------
    cut
        Whether they are cut at silences first.
    one_group
        Whether all are of one group, whose frames are normalised together.
    channel
        The channel to hear; None: that of the quantiser's project.
    """

    cut: bool = False
    one_group: bool = False
    channel: str | None = None


@dataclass(frozen=True, eq=False)
class Resynthesis:
    """What became of recordings.

    Attributes
    ----------
    pairs
        The segments that were judged.
    figures
        Figures of all of them, as plain values with ``verdict``.
    verdict
        Which bars they reach.
    lost
        Recordings that could not be used in full, with the reason.
    warnings
        What else the figures may suffer from: channels that cancel each other, and recordings at a low sample rate.
    """

    pairs: list[SpokenPair]
    figures: dict[str, Any]
    verdict: Verdict
    lost: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Remarks:
    """What was found while recordings were encoded: those that are lost or cancel themselves, and the rate of each."""

    lost: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    rates: dict[str, int] = field(default_factory=dict)


class Resynthesiser:
    """Encodes recordings by the quantiser of a vocoder and lets it speak them.

    Parameters
    ----------
    folder
        The folder of the vocoder.
    speaker
        The vocoder with a voice.
    weights
        File or folder of the quantiser's encoder, if it is not built in; None looks below ``OSSICLE_ENCODERS``.
    threads
        Threads of the encoder.

    Raises
    ------
    UsageError
        There is no quantiser in the folder or beside it, or it is another one.
    ArtefactError
        The folder is damaged.
    """

    def __init__(self, folder: Path, speaker: Speaker, weights: Path | None = None, threads: int = 1) -> None:
        self._folder, self._speaker = folder, speaker
        self._pitch = pitch_settings_of(folder)
        self._encoder = UnitEncoder(quantiser_of(folder, speaker.vocoder), weights, threads)

    def resynthesise(
        self,
        named: Sequence[tuple[str, Path]],
        out: Path,
        settings: ResynthesisSettings,
        hearing: Listening = Listening(),
        progress: Progress | None = None,
    ) -> Resynthesis:
        """Judge some segments of recordings, and write sounds, figures and a page.

        Parameters
        ----------
        named
            Names and files of the recordings.
        out
            The folder.
        settings
            How many segments are drawn, by which seed, and the bars.
        hearing
            How recordings become segments.
        progress
            Gets the recordings that were read for ``one_group``, and the segments that were judged; None: nothing does.

        Raises
        ------
        UsageError
            No recording has a unit, or the folder holds such files that were not written here, or were changed
            afterwards.
        """
        files = PairFiles(out)
        noted = NotedFiles(out)
        sounds = files_below(out, {".wav"}) if out.is_dir() else []
        pair_sounds = [name for name in sounds if name.endswith(PAIR_ENDINGS)]
        noted.refuse([files.figures_file.name, files.page.name, *pair_sounds])
        remarks = _Remarks()
        pitch, spec, shown = self._pitch, self._speaker.vocoder.spec, progress or Silent()
        sources = self._sources(named, settings, hearing, pitch_tracker(pitch), remarks, shown)
        most = settings.num_samples if hearing.cut else min(settings.num_samples, len(named))
        pairs: list[SpokenPair] = []
        for pair in speak_pairs(self._speaker.vocoder, sources, pitch, self._speaker.speaker):
            pairs.append(pair)
            shown.advance(len(pairs), most, "segments judged")
        if not pairs:
            raise UsageError(f"none of {counted(len(named), 'recording')} has a unit to speak; first {remarks.lost[0]}")
        warnings = [*remarks.cancelled, *filter(None, [self._encoder.slow_in_words(remarks.rates)])]
        # The draw chooses; people look for names.
        pairs.sort(key=lambda spoken_pair: spoken_pair.source.sound_place)
        figures = pair_figures(pairs, [pair.judged for pair in pairs], Resampling(seed=settings.seed))
        judgement = verdict(figures, settings)
        written = {**to_json(figures), "verdict": judgement.to_json(), "basis": BASIS, "segments": len(pairs)}
        write_pairs(files, pairs, spec.rate, written, noted.writing)
        voice = self._speaker.speaker or f"the mean of {counted(max(1, len(spec.speakers)), 'voice')}"
        with noted.writing(files.page) as part:
            page = ResynthesisReportData(
                title=self._folder.resolve().parent.name or "vocoder",
                summary={
                    "units": f"{spec.k}, one every {1000 * spec.hop_s:g} ms",
                    "vocoder": f"{spec.rate} Hz, {'with' if spec.pitch else 'without'} pitch; voice: {voice}",
                },
                figures=figures,
                baseline={},
                verdict=judgement,
                basis=BASIS,
                held_out=False,
                notes=[*remarks.lost, *warnings],
                pairs=[pair.card for pair in pairs],
                rate=spec.rate,
                files={"figures": files.figures_file.name},
            )
            write_resynthesis_report(part, page)
        return Resynthesis(pairs, written, judgement, remarks.lost, warnings)

    def _sources(
        self,
        named: Sequence[tuple[str, Path]],
        settings: ResynthesisSettings,
        hearing: Listening,
        tracker: Tracker,
        remarks: _Remarks,
        progress: Progress,
    ) -> Iterator[JudgedSource]:
        """Yield segments of recordings in a drawn order, as many of each, until there are enough."""
        encoder, files = self._encoder, dict(named)
        cut, heard = encoder.cut if hearing.cut else None, hearing.channel or encoder.channel
        group_statistics = None
        if hearing.one_group:
            group_statistics = encoder.group_statistics(
                files.values(), cut, heard, lambda number: progress.advance(number, len(files), "recordings read")
            )
        places, of_each = table_places(files), max(1, math.ceil(settings.num_samples / len(files)))
        left = settings.num_samples
        order = sorted(files, key=lambda name: drawn_place(name, settings.seed))
        for name in order:
            if left == 0:
                return
            try:
                encoded_file = encoder.encode(files[name], cut, heard, group_statistics)
                if encoded_file.loss:
                    remarks.lost.append(f"{name}: {encoded_file.loss}")
                if encoded_file.cancelled:
                    remarks.cancelled.append(f"{name}: {encoded_file.cancelled}")
                if encoded_file.without:
                    continue
                remarks.rates[name] = encoded_file.rate
                spoken = {
                    f"{number:04d}": segment
                    for number, segment in enumerate(encoded_file.segments)
                    if len(segment.units)
                }
                for key in drawn(spoken, min(of_each, left), settings.seed):
                    sound_place = places[name].as_posix() + ("" if cut is None else f"_{key}")
                    yield self._source(name, files[name], spoken[key], sound_place, heard, tracker)
                    left -= 1
            except AudioError as problem:
                remarks.lost.append(str(problem))

    def _source(
        self, name: str, file: Path, segment: EncodedSegment, sound_place: str, channel: str, tracker: Tracker
    ) -> JudgedSource:
        spec = self._speaker.vocoder.spec
        units = segment.units[: round(LONGEST_S / spec.hop_s)]
        lead = lead_samples(spec.rate, spec.hop_s, spec.origin_s)
        length_s = min(segment.end_s - segment.start_s, (len(units) + 1) * spec.hop_s + 2 * spec.origin_s)
        samples = load_mono(file, spec.rate, segment.start_s, length_s, channel=channel)
        f0_hz = None
        if spec.pitch:
            f0_hz = unit_f0(samples, len(units), spec.rate, spec.hop_s, spec.origin_s, tracker)
        return JudgedSource(
            sound_place=sound_place,
            path=name,
            recording=name,
            group=name,
            start_s=segment.start_s + spec.origin_s - spec.hop_s / 2,
            units=np.asarray(units),
            f0_hz=f0_hz,
            original=of_units(samples, lead, len(units) * spec.hop),
            seconds=segment.end_s - segment.start_s if len(units) == len(segment.units) else len(units) * spec.hop_s,
        )
