"""``[postprocess]`` through the chain: scored once, decided anew, in the bundle and in predict, and not in streams."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import find_steps
from ossicle.app.steps.pipeline import detector
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.bundle.format import read_bundle
from ossicle.core.decisions.decision import Decision
from ossicle.core.errors import ProjectError
from ossicle.core.scores.postprocess import Postprocess
from ossicle.core.tracks import ScoreTrack
from ossicle.inference.batch import predict_file
from ossicle.inference.decisions.decide import decide
from ossicle.inference.delivery import Delivery
from ossicle.inference.finder import EventFinder
from ossicle.inference.postprocess import postprocessed
from ossicle.inference.predictor import FakePredictor

from ....made_up.ensemble_members import write_project
from ....made_up.untrained import use_untrained

QUIET = ("--progress", "none")
SET = ("--set", "postprocess.kernel=[0.25, 0.5, 0.25]", "--set", "postprocess.file_prior_top=2")
HOW = Postprocess(kernel=(0.25, 0.5, 0.25), file_prior_top=2)
GATE = '[noise_gate]\noff = ["silence", "white_noise", "hum", "speech_like", "recordings"]\n'


@pytest.fixture(scope="module")
def patched() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        use_untrained(patch)
        yield


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory, patched: Any) -> Path:
    folder = tmp_path_factory.mktemp("post") / "tapes"
    write_project(folder, ("siteA_1", "siteB_1"), GATE)
    return folder


def test_a_change_scores_nothing_again_and_decides_anew(tapes: Path, ossicle: Any) -> None:
    assert ossicle("run", "-p", tapes, "--until", "bundle", *QUIET).code == 0
    result = ossicle("run", "-p", tapes, "--until", "bundle", "--json", *SET, *QUIET)
    assert result.code == 0, result.err
    outcomes = json.loads(result.out)["outcomes"]
    assert {outcomes[name] for name in ("corpus", "dataset", "store", "training", "scores")} == {"reused"}
    assert {outcomes[name] for name in ("decision", "evaluation", "noise_gate", "bundle")} == {"computed"}
    plain, post = load_project(tapes), load_project(tapes, SET[1::2])
    assert post.settings.postprocess == HOW
    steps = find_steps(detector.PIPELINE.steps, post)
    for project, told in (
        (plain, None),
        (post, {"kernel": [0.25, 0.5, 0.25], "file_prior_top": 2, "file_prior_power": 1.0}),
    ):
        made = find_steps(detector.PIPELINE.steps, project)["evaluation"]
        assert made is not None
        assert json.loads((made / "metrics.json").read_text())["protocol"].get("postprocess") == told
    # Written as the model gave them; decided on as they are post-processed.
    scores = steps["scores"]
    assert scores == find_steps(detector.PIPELINE.steps, plain)["scores"]
    assert scores is not None
    said_of = json.loads((steps["decision"] / "decision.json").read_text())  # type: ignore[operator]
    decisions = {label: Decision(**of) for label, of in said_of["final"].items()}
    from ossicle.artefacts.records.event_tables import events_of
    from ossicle.artefacts.tables import read_table

    ids = tuple(place.stem for place in (scores / "tracks").glob("*.npy"))
    events = events_of(read_table(steps["decision"] / "events_in_sample.parquet"), ids)  # type: ignore[operator]
    for key in ids:
        assert events[key] == decide(postprocessed(ScoresFolder(scores).track(key), HOW), decisions)


def test_it_is_in_the_bundle_and_predict_does_it(tapes: Path, ossicle: Any, tmp_path: Path) -> None:
    assert ossicle("run", "-p", tapes, "--until", "bundle", *SET, *QUIET).code == 0
    bundle = read_bundle(tapes / "bundle")
    assert bundle.postprocess == HOW
    result = ossicle("predict", tapes / "bundle", tapes / "audio", "-o", tmp_path / "events", "--format", "csv")
    assert result.code == 0, result.err
    result = ossicle("stream", tapes / "bundle", tapes / "audio" / "siteA_1.wav")
    assert result.code == 2
    assert "use `ossicle predict`" in result.err
    assert "streams are refused" in (tapes / "bundle" / "CARD.md").read_text()


def scores_in(samples: np.ndarray, how: Postprocess) -> list[tuple[float, float, float]]:
    """What a predictor finds in a recording, fed at once and in parts."""
    from tests.inference.ensembles.test_ensemble import LABELS, PLAN

    result = []
    for feed in (len(samples), 777):
        finder = EventFinder(
            FakePredictor(LABELS, PLAN), dict.fromkeys(LABELS, Decision()), delivery=Delivery(postprocess=how)
        )
        events = [event for at in range(0, len(samples), feed) for event in finder.feed(samples[at : at + feed])]
        events += finder.finish(len(samples) / PLAN.rate)
        result.append(sorted((event.start_s, event.end_s, event.score) for event in events))
    assert result[0] == result[1]
    return result[0]


def tones(*loudness: float) -> np.ndarray:
    """Tones of half a second, a second apart, at 8 kHz."""
    out = np.zeros(8000 * len(loudness), dtype=np.float32)
    for place, amplitude in enumerate(loudness):
        at = slice(8000 * place + 2000, 8000 * place + 6000)
        out[at] = amplitude * np.sin(2 * np.pi * 500 * np.arange(4000) / 8000)
    return out


def test_the_prior_mutes_what_a_recording_hardly_has() -> None:
    faint, clear = tones(0.05, 0.05), tones(0.05, 1.0)
    assert len(scores_in(faint, Postprocess())) == len(scores_in(clear, Postprocess())) == 2
    prior = Postprocess(file_prior_top=20, file_prior_power=2.0)
    assert len(scores_in(faint, prior)) == 0
    assert len(scores_in(clear, prior)) == 2


def test_the_whole_recording_is_read_in_blocks_as_the_track_is(tmp_path: Path) -> None:
    """The engine and the pure function on the track agree, event for event."""
    from tests.inference.ensembles.test_ensemble import LABELS, PLAN

    from ossicle.audio.wav import write_wav
    from ossicle.inference.batch import score_recording

    write_wav(tmp_path / "tape.wav", tones(0.05, 0.3, 0.02, 1.0), 8000)
    predictor, decisions = FakePredictor(LABELS, PLAN), dict.fromkeys(LABELS, Decision(on=0.4, off=0.4))
    track = score_recording(tmp_path / "tape.wav", predictor)[0]
    expected = decide(postprocessed(track, HOW), decisions)
    result = predict_file(tmp_path / "tape.wav", predictor, decisions, delivery=Delivery(postprocess=HOW)).events
    assert expected
    assert list(result) == expected
    assert isinstance(track, ScoreTrack)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("postprocess.kernel=[1.0, 1.0]", "odd number"),
        ("postprocess.kernel=[1.0, -1.0, 1.0]", "at least 0"),
        ("postprocess.file_prior_power=0.0", "more than 0"),
        ("second_stage.kind=forest", "[postprocess] changes them"),
    ],
)
def test_what_cannot_be_is_refused(tapes: Path, override: str, words: str) -> None:
    with pytest.raises(ProjectError) as caught:
        load_project(tapes, (override, *(SET[1::2] if "second" in override else ())))
    assert words in str(caught.value)
