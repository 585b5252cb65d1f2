"""A checklist that SIGKILL ended in any of its stages resumes there and ends as one that nobody stopped."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ossicle.app.api.checks.checklist import DONE, DONE_BEFORE, JOURNAL, NEEDLESS
from ossicle.app.api.checks.stages import STAGES
from ossicle.artefacts.files import read_json, tree_digest
from ossicle.artefacts.logs.journal import Journal
from ossicle.artefacts.shelf import MANIFEST
from ossicle.artefacts.typed.results.archived import FIGURES
from ossicle.bundle.registry.registry import Registry

from ...promoted_run import clip_project

TABLES = """
[tracking]
to = ["wandb"]
mode = "offline"
[noise_gate]
off = ["silence", "white_noise", "hum", "speech_like", "recordings"]
may_find_nothing = true
probe_s = 60
[probe_gate]
accuracy = 0.01
floor = 1
share = 0.5
[variants.warmup]
base = "preset:drums/warmup"
[variants.baseline]
base = "preset:drums/baseline"
[variants.long]
base = "preset:drums/long"
"""
NAMES = tuple(stage.name for stage in STAGES)
ON_REQUEST = {stage.name for stage in STAGES if stage.on_request}
KILLED = ("health", "features")
LONGEST_S = 300
CHILD = """
import pathlib, sys, types
tests = sys.modules["tests"] = types.ModuleType("tests")
tests.__path__ = [sys.argv[1]]
from tests.app.cli.checks.killed_checklist import main, stand_ins
(main if sys.argv[2] == "real" else stand_ins)(pathlib.Path(sys.argv[3]), *sys.argv[4:])
"""


def run(project: Path, *killed: str, stages: str = "real") -> dict[str, str]:
    """Run a checklist in its own process, to its end or until it is killed; returns the outcomes of its stages."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    for name in ("OSSICLE_DATA_ROOT", "OSSICLE_REGISTRY"):
        environment.pop(name, None)
    words = [sys.executable, "-c", CHILD, str(Path(__file__).parents[3]), stages, str(project), *(killed or ("", ""))]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False)
    assert done.returncode == (-signal.SIGKILL if killed else 0), done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def state(project: Path) -> dict[str, Any]:
    """What a checklist leaves, without times and folders."""
    root = project / "data"
    registry = Registry(root / "registry")
    (archive,) = (root / "archives").iterdir()
    with (archive / FIGURES).open() as file:
        figures = list(csv.reader(file))
    return {
        "artefacts": sorted(
            (file.parts[-3], read_json(file)["content"])
            for file in root.glob(f"*/*/{MANIFEST}")
            if file.parts[-3] != "report"
        ),
        "unfinished": sorted(root.glob("*/.work-*")),
        "published": {
            str(place.relative_to(project)): tree_digest(place) if place.is_dir() else place.read_bytes()
            for place in sorted(project.glob("**/*"))
            if place.name in ("bundle", "metrics.json") and "data" not in place.parts
        },
        "stages": sorted(Journal(root / JOURNAL).work_units()),
        "ledger": [(one["event"], one["version"], one["bundle"]) for one in registry.ledger("detector-long")],
        "current": registry.current("detector-long"),
        "figures": figures,
        "archived": sorted(str(file.relative_to(archive)) for file in archive.glob("**/*")),
        # The name of an archive's pin ends with a digest of all steps, also of the page, which holds times.
        "pins": sorted(re.sub(r"-[0-9a-f]{8}\.json$", ".json", file.name) for file in (root / "pins").iterdir()),
    }


def killed_in(names: Sequence[str], moments: Sequence[str], project: Path, stages: str = "real") -> None:
    """Run a checklist again and again, killed in each of the stages at each moment, and then to its end."""
    recorded: set[str] = set()
    for name in names:
        for moment in moments:
            result = run(project, name, moment, stages=stages)
            assert list(result) == list(NAMES[: NAMES.index(name)])
            assert {result[one] for one in recorded - ON_REQUEST} <= {DONE_BEFORE, NEEDLESS}
            assert {result[one] for one in result.keys() - recorded} <= {DONE, NEEDLESS}
            recorded = set(result)
    result = run(project, stages=stages)
    assert list(result) == list(NAMES)
    assert {result[one] for one in recorded - ON_REQUEST} <= {DONE_BEFORE, NEEDLESS}
    assert {result[one] for one in result.keys() - recorded} == {DONE}


def test_stages_are_resumed_where_a_checklist_was_killed(tmp_path: Path) -> None:
    # Each kill is a process of its own, of seconds: the slow test below goes through all stages.
    clip_project(tmp_path / "p", TABLES)
    killed_in(KILLED, ("middle",), tmp_path / "p", stages="stand-ins")
    log = (tmp_path / "p" / "log").read_text().splitlines()
    for name in set(NAMES) - ON_REQUEST:
        assert (log.count(f"{name} begins"), log.count(f"{name} ends")) == (1 + (name in KILLED), 1)
    assert sorted(Journal(tmp_path / "p" / "data" / JOURNAL).work_units()) == sorted(NAMES)


@pytest.mark.slow
def test_a_checklist_killed_in_each_stage_ends_as_one_that_nobody_stopped(tmp_path: Path) -> None:
    straight = clip_project(tmp_path / "straight", TABLES)
    killed = Path(shutil.copytree(straight, tmp_path / "killed"))
    result = run(straight)
    assert {one for name, one in result.items() if name != "features"} == {DONE}
    # The project caches no features.
    killed_in([name for name in NAMES if name != "features"], ("middle", "end"), killed)
    assert state(killed) == state(straight)
