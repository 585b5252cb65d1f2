"""``ossicle selftest`` as a command."""

import json
from pathlib import Path

import pytest

from ossicle.app.api.checks import selftest as checks
from ossicle.app.api.checks.selftest import Check
from ossicle.core.errors import OssicleError

from ...conftest import Commands


def broken(folder: Path) -> str:
    raise OssicleError(f"is broken: {folder.name[:17]}")


def test_it_prints_a_table_and_ends_with_one_if_a_check_failed(
    ossicle: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Check("good", "", False, lambda folder: f"{len(list(folder.iterdir()))} files")
    monkeypatch.setattr(checks.selftest, "__defaults__", ((good,),))
    result = ossicle("selftest")
    assert (result.code, "passed" in result.out, "0 files" in result.out) == (0, True, True)
    monkeypatch.setattr(checks.selftest, "__defaults__", ((Check("bad", "", False, broken), good),))
    result = ossicle("selftest", "--json")
    assert result.code == 1
    content = json.loads(result.out)
    assert [(one["name"], one["outcome"]) for one in content] == [("bad", "failed"), ("good", "passed")]
    assert content[0]["message"] == "OssicleError: is broken: ossicle-selftest-"
