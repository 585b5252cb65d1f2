"""A project whose scores follow the level: its held-out scores are those of the follower, and so is its bundle."""

from pathlib import Path

import numpy as np

from ossicle.app.project.load import load_project
from ossicle.app.steps.engine.step import Silent
from ossicle.app.steps.pipeline.run_project import run_project
from ossicle.app.steps.train.heads.fitted_heads import FittedHeads
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.results.released import BundleFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.states import HeadsFolder, StateScoresFolder
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.encoders.acoustic import AcousticEncoder
from ossicle.bundle.entries.level import LEVEL
from ossicle.bundle.format import read_bundle
from ossicle.bundle.runtimes.bundled_encoded import bundled_encoded_predictor
from ossicle.core.scores.level_follower import LevelFollower
from ossicle.inference.scorer import Scorer
from ossicle.inference.states.frames import first_full_frame
from ossicle.models.heads.scoring import head_scores, window_scores

from .....made_up.hums import TEMPLATE, write_hums
from ....conftest import Commands

FAST = """
[head]
epochs = 2
hidden = 0
[head.level]
follow = true
[state_decision]
smoothings = ["none"]
frames = [3]
debounce = [1]
hysteresis = [0.0]
holds_s = [0.0]
switches = 20
[evaluation]
bootstrap = 100
"""


def test_held_out_scores_and_the_bundle_follow_the_level(tmp_path: Path, ossicle: Commands) -> None:
    write_hums(tmp_path / "audio", seconds=8.0)
    place, template = tmp_path / "p", f"{TEMPLATE}.wav"
    assert ossicle("new", "appliances", place, "--audio", tmp_path / "audio", "--template", template).code == 0
    with (place / "ossicle.toml").open("a") as file:
        file.write(FAST)
    project = load_project(place, ("features.hop_s=1.0",))
    made = run_project(project, Silent(), until="bundle").artefacts
    features, heads, dataset = FeaturesFolder.among(made), HeadsFolder.among(made), DatasetFolder.among(made)
    assert heads.summary["final"]["level"] == {"joint_states": 4}
    fitted, how = FittedHeads(project, features, heads, 2), project.settings.head.level
    of_fold = dict(zip(dataset.folds["recording_id"], dataset.folds["fold"], strict=True))
    key = features.recording_ids[0]

    def followed(model: str, tokens: np.ndarray) -> np.ndarray:
        level = fitted.level(model)
        assert level is not None
        follower = LevelFollower(level, how, features.hop_s, window_scores(fitted.head(model)))
        return np.stack([follower(np.asarray(token, np.float32)) for token in tokens])

    model = dataset.models_by_fold[of_fold[key]]
    result = StateScoresFolder.among(made).track(key).scores
    assert result.tolist() == followed(model, features.windows(key)).tolist()
    assert not np.allclose(result, np.concatenate(list(head_scores(fitted.head(model), features.windows(key)))))

    bundle = read_bundle(BundleFolder.among(made).bundle)
    assert bundle.level == how
    assert LEVEL in bundle.files
    encoder, plan, sound = AcousticEncoder(), bundle.plan, next((tmp_path / "audio").iterdir())
    samples, first = load_mono(sound, encoder.spec.rate), first_full_frame(plan)
    scores = Scorer(bundled_encoded_predictor(bundle, encoder), 1).feed(samples)[first:]
    starts = [(first + k) * plan.hop_samples - plan.lead_samples for k in range(len(scores))]
    windows = np.stack([samples[start : start + plan.window_samples] for start in starts])
    np.testing.assert_allclose(scores, followed("final", encoder.encode(windows)), atol=1e-4)
