"""Blocks are worked on side by side, and come in order."""

import operator
import os

import pytest

from ossicle.core.errors import OssicleError
from ossicle.corpus.manifest.block_workers import in_order


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_blocks(workers: int) -> None:
    assert list(in_order(operator.neg, range(20), workers)) == [-block for block in range(20)]


def test_a_process_that_ends_by_itself_ends_it_with_a_remedy() -> None:
    with pytest.raises(OssicleError, match=r"was killed.*fewer workers"):
        list(in_order(os._exit, range(10), 2))
