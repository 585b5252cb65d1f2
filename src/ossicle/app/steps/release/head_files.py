"""The files of a head in a bundle: its graph, compared with torch, and its weights."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ossicle.bundle.entries.encoder import HEAD
from ossicle.bundle.manifest import WEIGHTS
from ossicle.core.errors import ArtefactError

if TYPE_CHECKING:
    from ossicle.models.encoders.beats.tailed_head import HeadNetwork

TOLERANCE = 1e-4
PARITY_WINDOWS = 64
"""Windows on which the graph is compared with torch."""


def head_files(
    head: "HeadNetwork", weights: Path, tokens: NDArray[np.float32], n_labels: int
) -> tuple[dict[str, Path | bytes], float]:
    """Return the files of a head for a bundle, and how much its graph differs from torch.

    Parameters
    ----------
    head
        The head, or blocks of an encoder with a head.
    weights
        The weights of the head.
    tokens
        Embeddings of some windows, float32 (n, tokens, dim).
    n_labels
        Number of labels.

    Raises
    ------
    ArtefactError
        The scores of the graph differ from those of torch by more than 1e-4.
    """
    # Torch is an optional extra, needed only for the export; `ossicle status` needs no runtime.
    from ossicle.bundle.runtimes.encoded_predictor import HeadGraph
    from ossicle.export.head_graph import head_graph
    from ossicle.models.heads.scoring import head_scores

    n_tokens, dim = tokens.shape[1:]
    data = head_graph(head, n_tokens, dim)
    graph = HeadGraph(data, HEAD, n_labels, dim)
    expected = np.concatenate(list(head_scores(head, tokens)))
    graph_scores = np.stack([graph.scores(token) for token in tokens])
    difference = float(np.abs(graph_scores - expected).max())
    if not difference <= TOLERANCE:
        raise ArtefactError(
            f"the exported head differs from the trained one by {difference:.1e} (at most {TOLERANCE:g}); report this "
            "with the versions of torch and onnxruntime"
        )
    return {HEAD: data, WEIGHTS: weights}, difference
