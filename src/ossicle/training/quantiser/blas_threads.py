"""One thread for NumPy's matrix products, so that threads which share blocks of frames do not wait for each other."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit matrix products to the thread that calls them while the block runs.

    Examples
    --------
    >>> with one_blas_thread():
    ...     pass
    """
    with threadpool_limits(1, user_api="blas"):
        yield
