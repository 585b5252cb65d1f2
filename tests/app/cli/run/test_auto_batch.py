"""``ossicle run --auto-batch``: the remedy that a training without memory names."""

from pathlib import Path
from typing import Any

import pytest

from ossicle.app.cli.run import project
from ossicle.core.errors import UsageError

from ...conftest import Commands


@pytest.mark.parametrize("given", [True, False])
def test_the_option_is_the_setting_of_the_vocoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ossicle: Commands, given: bool
) -> None:
    seen: list[Any] = []

    def load(file: Path, overrides: tuple[str, ...], *rest: Any) -> Any:
        seen.append(overrides)
        raise UsageError("enough")

    monkeypatch.setattr(project, "load_project", load)
    result = ossicle("run", "-p", tmp_path, "--set", "vocoder.batch=8", *["--auto-batch"] * given)
    assert (result.code, "enough" in result.err) == (2, True), result.err
    assert seen == [("vocoder.batch=8", *["vocoder.auto_batch=true"] * given)]
