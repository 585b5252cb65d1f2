import warnings
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def sed_eval() -> ModuleType:
    """sed_eval, whose import of pkg_resources warns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="pkg_resources is deprecated as an API", category=UserWarning)
        # Undocumented escapes in docstrings of dcase_util, seen when Python compiles it for the first time.
        warnings.filterwarnings("ignore", message="invalid escape sequence", category=DeprecationWarning)
        import sed_eval
    return sed_eval
