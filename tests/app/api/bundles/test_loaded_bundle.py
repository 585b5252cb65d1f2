"""A loaded bundle gives what the command line gives, on bundles of every kind; and says all that bundle.json says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from ossicle.app.api.audio_files import load_audio
from ossicle.app.api.bundles.loaded_bundle import LoadedBundle, load_bundle
from ossicle.bundle.manifest import manifest_of
from ossicle.core.errors import AudioError, BundleError, UsageError
from ossicle.core.tracks import Event, event_order
from ossicle.inference.batch import score_recording
from ossicle.inference.delivery import bundled_delivery

from ...conftest import Commands
from ..conftest import KINDS

BundleOf = Callable[[str], Path]


def rounded(events: Any) -> list[tuple[float, float, str, float]]:
    return [(round(event.start_s, 6), round(event.end_s, 6), event.label, round(event.score, 6)) for event in events]


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_are_those_of_the_command(
    kind: str, bundle_of: BundleOf, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    folder = bundle_of(kind)
    result = ossicle("predict", folder, audio, "-o", tmp_path / "out", "--format", "raven,csv,audacity", "--json")
    assert result.code == 0, result.err
    bundle = load_bundle(folder)
    predictions = bundle.predict(audio)
    assert sum(len(prediction.events) for prediction in predictions) > 0
    assert [
        (recording["recording"], recording["status"], recording["events"], recording["read_to_s"])
        for recording in json.loads(result.out)["recordings"]
    ] == [
        (prediction.name, prediction.status, len(prediction.events), round(prediction.end_s, 6))
        for prediction in predictions
    ]
    for format in ("raven", "csv", "audacity"):
        predictions.write(tmp_path / "mine", format)
    mine = {path.relative_to(tmp_path / "mine") for path in (tmp_path / "mine").rglob("*") if path.is_file()}
    assert len(mine) == 7
    for path in mine:
        assert (tmp_path / "mine" / path).read_bytes() == (tmp_path / "out" / path).read_bytes(), path


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "prior"])
@pytest.mark.parametrize("name", ["one.wav", "night/two.flac", "night/three.wav"])
def test_streams_give_the_events_of_the_whole_for_any_feed(
    kind: str, name: str, bundle_of: BundleOf, audio: Path
) -> None:
    bundle = load_bundle(bundle_of(kind))
    whole = bundle.predict(audio / name)[0].events
    samples, rate = soundfile.read(audio / name, dtype="float32")
    for feed in (317, rate, len(samples)):
        with bundle.stream(rate) as live:
            events = [
                event for start in range(0, len(samples), feed) for event in live.feed(samples[start : start + feed])
            ]
            events += live.finish()
        assert tuple(sorted(events, key=event_order)) == whole


def test_streams_are_those_of_the_command(bundle_of: BundleOf, audio: Path, ossicle: Commands) -> None:
    for kind in KINDS:
        folder = bundle_of(kind)
        result = ossicle("stream", folder, audio / "one.wav", "--chunk-s", 0.3)
        if kind == "prior":
            assert (result.code, load_bundle(folder).streams) == (2, False)
            with pytest.raises(UsageError, match="prior of the whole recording"):
                load_bundle(folder).stream()
            continue
        lines = [json.loads(line) for line in result.out.splitlines()]
        played = list(load_bundle(folder).stream_file(audio / "one.wav", 0.3))
        assert [(line["start_s"], line["end_s"], line["label"], line["score"]) for line in lines] == rounded(
            emitted_event.event for emitted_event in played
        )
        assert [line["decided_at_s"] for line in lines] == [
            round(emitted_event.emitted_s, 6) for emitted_event in played
        ]


@pytest.mark.parametrize("name", ["one.wav", "night/two.flac", "night/three.wav"])
def test_samples_give_what_their_file_gives(name: str, bundle_of: BundleOf, audio: Path) -> None:
    bundle = load_bundle(bundle_of("kernel"))
    by_file = bundle.predict(audio / name)[0]
    assert bundle.predict(load_audio(audio / name), name=by_file.name)[0].events == by_file.events
    raw = bundle.predict(soundfile.read(audio / name, dtype="float32"))
    assert (raw["samples"].events, raw[0].end_s, raw[0].path) == (by_file.events, by_file.end_s, None)
    listed = bundle.predict(([0.5, -0.5] * 800, 8000))
    assert listed[0].status == "ok"


def test_scores_are_kept_when_asked_for(bundle_of: BundleOf, audio: Path) -> None:
    bundle = load_bundle(bundle_of("all at once"))
    predictions = bundle.predict(audio, keep_scores=True)
    for prediction in predictions:
        track, _ = score_recording(audio / prediction.name, bundle.predictor)
        assert prediction.scores is not None
        assert (prediction.scores.labels, prediction.scores.duration_s) == (bundle.labels, track.duration_s)
        np.testing.assert_array_equal(prediction.scores.scores, track.scores)
    assert all(prediction.scores is None for prediction in bundle.predict(audio))
    assert tuple(predictions) == tuple(bundle.predict(audio)), "scores are beside the point"


def test_bad_files_cost_only_themselves(bundle_of: BundleOf, audio: Path, tmp_path: Path) -> None:
    (audio / "broken.wav").write_bytes(b"RIFF no sound")
    whole = (audio / "one.wav").read_bytes()
    (audio / "short.wav").write_bytes(whole[: len(whole) // 2])
    predictions = load_bundle(bundle_of("plain")).predict(audio)
    assert [prediction.name for prediction in predictions.skipped] == ["broken.wav"]
    assert [prediction.name for prediction in predictions.partial] == ["short.wav"]
    assert all(prediction.reason for prediction in (*predictions.skipped, *predictions.partial))
    assert "broken.wav" not in predictions.events
    written = predictions.to_raven(tmp_path / "tables")
    assert len(written) == 4
    assert not any("broken" in path.name for path in written)
    with pytest.raises(AudioError):
        load_audio(audio / "broken.wav")
    with pytest.warns(UserWarning, match=r"short\.wav: partial: "):
        load_audio(audio / "short.wav")


def test_it_says_what_the_manifest_says(bundle_of: BundleOf) -> None:
    bundle = load_bundle(bundle_of("all at once"))
    manifest = bundle.manifest
    assert (bundle.name, bundle.labels, bundle.rate, bundle.hop_s) == ("tapes-v1", manifest.labels, 8000, 0.01)
    assert (bundle.whole_recordings, bundle.calibrated, bundle.has_second_stage, bundle.streams) == (
        True,
        True,
        False,
        True,
    )
    assert [figure["name"] for figure in bundle.figures] == ["F1 (IoU 0.5)", "F1 (IoU 0.5)", "mystery"]
    assert bundle.card.startswith("# tapes")
    assert bundle.card == (bundle.folder / "CARD.md").read_text()
    assert (bundle.licence, bundle.noise_gate, bundle.members) == ("", "", ())
    assert bundle.split["group"] == "tape"
    result = {
        name: getattr(bundle, name)
        for name in (
            "name",
            "labels",
            "plan",
            "front",
            "decisions",
            "provenance",
            "split",
            "postprocess",
            "calibration",
        )
    }
    assert result == {name: getattr(manifest, name) for name in result}
    # Every key is there: by itself, or in `manifest`.
    assert manifest_of(bundle.manifest) == json.loads((bundle.folder / "bundle.json").read_text())
    assert load_bundle(bundle_of("ensemble")).members == ("one", "two")
    assert load_bundle(bundle_of("second stage")).has_second_stage
    assert "tapes-v1" in repr(bundle)
    assert bundled_delivery(manifest).pool == "mean"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"runtime": "abacus"}, "the runtime 'abacus' is not one of: onnx, openvino, torch"),
        ({"precision": "fp8"}, "the precision 'fp8' is not one of: fp32"),
        ({"device": "cuda"}, "runs on the CPU only"),
    ],
)
def test_an_engine_that_is_none_is_refused(old_bundle: Path, options: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_bundle(old_bundle, **options)


def test_what_cannot_be_read_is_refused(old_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a folder"):
        load_bundle(tmp_path / "none")
    bundle = load_bundle(str(old_bundle))
    with pytest.raises(UsageError, match="does not exist"):
        bundle.predict(tmp_path / "none.wav")
    with pytest.raises(UsageError, match="contains no audio files"):
        bundle.predict([str(tmp_path)])
    with pytest.raises(ValueError, match="give paths, or samples as"):
        bundle.predict(np.zeros(8000))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("samples", "rate", "words"),
    [
        ([0.0, float("nan")], 8000, "contain NaN or Inf, first in sample 1"),
        (np.zeros(8, np.int16), 8000, "integers \\(int16\\)"),
        (np.zeros((2, 2, 2)), 8000, "have the shape"),
        (["a"], 8000, "not real numbers"),
        (np.zeros(8), 0, "not a positive whole number"),
        (np.zeros(8), 8000.5, "not a positive whole number"),
        (np.zeros(8), float("nan"), "rate = nan is not a positive whole number"),
        (np.zeros(8), float("inf"), "rate = inf is not a positive whole number"),
        (np.full(8, 1e300), 8000, "contain a value of 1e\\+300 times full scale"),
        (np.float32([0, 3e38, 0]), 8000, "a value of 3e\\+38 times full scale, first in sample 1"),
    ],
)
def test_samples_that_are_none_are_refused(old_bundle: Path, samples: Any, rate: Any, words: str) -> None:
    bundle = load_bundle(old_bundle)
    with pytest.raises(ValueError, match=words):
        bundle.predict((samples, rate))
    with pytest.raises(ValueError, match=words):
        bundle.stream(rate).feed(samples)


@pytest.mark.parametrize(
    ("recordings", "words"),
    [
        ([np.zeros(8)], "of the type ndarray"),
        ((np.zeros(8), "8000"), "of the type ndarray; give paths, or samples as"),
        ([(np.zeros(8), 8000)], "of the type tuple"),
        ([None], "of the type NoneType"),
        (b"night.wav", "of the type bytes"),
        ("", "a path is empty"),
        (["night.wav", ""], "a path is empty"),
    ],
)
def test_recordings_that_are_none_are_refused(old_bundle: Path, recordings: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load_bundle(old_bundle).predict(recordings)


@pytest.mark.parametrize("option", ["threads", "batch_chunks"])
@pytest.mark.parametrize("value", [0, 1.5, "2", None, True])
def test_counts_are_whole_numbers(old_bundle: Path, option: str, value: Any) -> None:
    options: dict[str, Any] = {option: value}
    with pytest.raises(ValueError, match=f"{option} = "):
        load_bundle(old_bundle, **options)


@pytest.mark.parametrize("rate", [0, 1.5, "8000", float("nan"), True])
def test_sound_is_read_at_a_whole_rate(audio: Path, rate: Any) -> None:
    with pytest.raises(ValueError, match="is not a positive whole number of Hz"):
        load_audio(next(audio.rglob("*.wav")), rate)


@pytest.mark.parametrize("feed_s", [float("nan"), float("inf"), "1", None])
def test_a_file_is_fed_in_finite_blocks(old_bundle: Path, audio: Path, feed_s: Any) -> None:
    with pytest.raises(ValueError, match=r"feed_s = .* is not a finite number"):
        next(load_bundle(old_bundle).stream_file(next(audio.rglob("*.wav")), feed_s))


def test_a_stream_ends_once(old_bundle: Path) -> None:
    bundle: LoadedBundle = load_bundle(old_bundle)
    live = bundle.stream()
    assert live.rate == bundle.rate
    assert all(isinstance(event, Event) for event in live.feed(np.zeros(bundle.rate)))
    assert live.heard_s == 1.0
    live.finish()
    for call in (lambda: live.feed([0.0]), live.finish):
        with pytest.raises(ValueError, match="has finished"):
            call()
    with bundle.stream() as closed:
        pass
    with pytest.raises(ValueError, match="has finished"):
        closed.feed([0.0])
