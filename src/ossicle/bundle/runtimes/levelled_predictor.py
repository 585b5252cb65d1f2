"""A bundle whose scores follow the level of what it hears."""

from collections.abc import Callable

from ossicle.audio.encoders.spec import Encoder
from ossicle.bundle.runtimes.encoded_predictor import Array, EncodedPredictor
from ossicle.core.model_input.chunks import ChunkPlan
from ossicle.core.scores.level_follower import LevelFollower
from ossicle.core.scores.level_model import LevelModel
from ossicle.core.scores.level_settings import LevelSettings


class LevelledPredictor:
    """Scores that follow the level of a recording: :meth:`for_recording` gives the predictor that carries it.

    ``predict`` itself reads every window as the first of a recording.

    Parameters
    ----------
    labels, plan, encoder, score
        As of :class:`ossicle.bundle.runtimes.encoded_predictor.EncodedPredictor`.
    model
        The class models.
    how
        The settings.
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        plan: ChunkPlan,
        encoder: Encoder,
        score: Callable[[Array], Array],
        model: LevelModel,
        settings: LevelSettings,
    ) -> None:
        self.labels, self.plan = labels, plan
        self._encoder, self._score, self._model, self._settings = encoder, score, model, settings

    def predict(self, chunks: Array) -> Array:
        """Return the scores of chunks, each window as the first of a recording."""
        return self._on(lambda tokens: self._follower(0)(tokens)).predict(chunks)

    def for_recording(self) -> EncodedPredictor:
        """Return the predictor of one recording, whose chunks it must be given once each, in their order."""
        # The first windows begin before the recording, where zeros stand for sound.
        before = -(-(self.plan.window_samples - self.plan.hop_samples) // 2 // self.plan.hop_samples)
        return self._on(self._follower(max(0, before)))

    def _on(self, score: Callable[[Array], Array]) -> EncodedPredictor:
        return EncodedPredictor(self.labels, self.plan, self._encoder, score)

    def _follower(self, unheard: int) -> LevelFollower:
        return LevelFollower(self._model, self._settings, self.plan.hop_s, self._score, unheard)
