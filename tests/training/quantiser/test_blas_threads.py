import numpy as np
from threadpoolctl import threadpool_info

from ossicle.training.quantiser.blas_threads import one_blas_thread


def threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_products_use_one_thread_in_the_block_and_as_many_as_before_after_it():
    assert np.ones((2, 2)) @ np.ones(2) is not None
    before = threads()
    with one_blas_thread():
        assert threads() == {1}
    assert threads() == before
