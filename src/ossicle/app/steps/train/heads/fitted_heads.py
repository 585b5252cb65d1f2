"""The fitted heads of a project for states, as networks on the tokens of its features."""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.artefacts.array_files.arrays import arrays_from_bytes
from ossicle.artefacts.filesystem.reading import read_regular
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.states import HeadsFolder
from ossicle.bundle.encoders.weights import find_weights
from ossicle.core.errors import ArtefactError
from ossicle.core.scores.level_model import LevelModel, level_model_of

_MOST_BYTES = 1 << 28

if TYPE_CHECKING:
    from ossicle.models.encoders.beats.network import Beats
    from ossicle.models.encoders.beats.tailed_head import HeadNetwork
    from ossicle.models.heads.head import Head


class FittedHeads:
    """Loads heads, each behind the last blocks of the encoder if the features were made before these.

    Parameters
    ----------
    project
        The project.
    features
        Its features.
    heads
        Its heads.
    n_labels
        Number of labels.
    """

    def __init__(self, project: Project, features: FeaturesFolder, heads: HeadsFolder, n_labels: int) -> None:
        self._project, self._features, self._heads, self._n_labels = project, features, heads, n_labels

    def head(self, model: str) -> "Head":
        """Return the head of a model alone."""
        # Torch is an optional extra, needed only for actual scoring.
        from ossicle.models.heads.head import load_head

        weights, settings = self._heads.run(model).weights, self._project.settings.head
        return load_head(weights, settings, self._features.spec.dim, self._n_labels)

    def on_features(self, model: str) -> "HeadNetwork":
        """Return the network of a model from the tokens of the features to logits, in evaluation mode."""
        blocks = self._project.settings.head.unfreeze_blocks
        if blocks == 0:
            return self.head(model)
        from ossicle.models.encoders.beats.tailed_head import tailed_head

        trained = self._heads.tail_file(model) if self._heads.tail_file(model).exists() else None
        return tailed_head(self.network, blocks, trained, self.head(model))

    def after_blocks(self, model: str, tokens: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the tokens after the last blocks of a model, from those of the features, (n, tokens, dim)."""
        from ossicle.models.encoders.beats.tailed_head import TailedHead

        network = self.on_features(model)
        return network.after_blocks(tokens) if isinstance(network, TailedHead) else tokens

    def level(self, model: str) -> LevelModel | None:
        """Return the class models by which scores follow the level; None if they do not.

        Raises
        ------
        ArtefactError
            Their file is damaged.
        """
        path = self._heads.level_file(model)
        if not path.exists():
            return None
        arrays, _ = arrays_from_bytes(read_regular(path, _MOST_BYTES), str(path))
        try:
            return level_model_of(arrays, self._features.spec.dim, self._n_labels)
        except ValueError as problem:
            raise ArtefactError(f"{path}: {problem}; fit the heads again") from problem

    @cached_property
    def network(self) -> "Beats":
        """The whole encoder, as its file holds it."""
        from ossicle.models.encoders.beats.checkpoint import load_beats

        return load_beats(find_weights(self._project.settings.encoder.path, self._project.folder))
