"""Scores of windows by a head, whatever the batch."""

import numpy as np
import pytest

from ossicle.models.heads.head import Head
from ossicle.models.heads.scoring import head_scores
from ossicle.models.heads.settings import HeadSettings


@pytest.mark.parametrize("batch", [1, 3, 256])
def test_scores_do_not_depend_on_the_batch(batch: int) -> None:
    head = Head(HeadSettings(hidden=8), 6, 2).train()
    tokens = np.random.default_rng(0).standard_normal((7, 4, 6)).astype(np.float16)
    result = np.concatenate(list(head_scores(head, tokens, batch)))
    assert result.shape == (7, 2)
    assert result.dtype == np.float32
    assert ((result > 0) & (result < 1)).all()
    assert result == pytest.approx(np.concatenate(list(head_scores(head, tokens))), abs=1e-6)
    assert not head.training
