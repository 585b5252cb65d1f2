"""Promotion, refusal and roll-back: whole versions, one current one, and a ledger of everything that happened."""

import json
import subprocess
import sys

import pytest

from ossicle.bundle.format import read_bundle
from ossicle.bundle.registry.registry import Candidate
from ossicle.core.errors import ArtefactError, BundleError, UsageError

from ...doubles.kills import run_dying

PROPOSE = """
from pathlib import Path
from ossicle.bundle.registry.registry import Candidate, Judgement, Registry

def judge(against):
    return Judgement({}, (), lambda number: f"# version {number}\\n")

root, bundle, times = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
for _ in range(times):
    Registry(root).propose("drums", Candidate(bundle, {}, {}), judge)
"""
ROLL_BACK = """
from pathlib import Path
from ossicle.bundle.registry.registry import Registry
Registry(Path(sys.argv[1])).rollback("drums", 1)
"""


def whole(registry, name="drums"):
    """Check that all versions are whole, and return the number of the current one."""
    for version in registry.versions(name):
        version.verify()
        read_bundle(version.bundle)
    return registry.current(name)


def test_a_promoted_bundle_is_current_and_opened_by_name(registry, candidate, passing):
    outcome = registry.propose("drums", candidate(), passing)
    assert outcome.promoted
    assert (outcome.number, outcome.against) == (1, None)
    version = registry.open("drums")
    assert read_bundle(version.bundle).name == "drums"
    assert version.card.read_text() == "# drums, version 1\n"
    assert version.metrics["clips"]["accuracy"]["value"] == 0.9
    assert version.environment == {"python": "3.11"}
    assert {path.name for path in version.path.iterdir()} == {
        "bundle",
        "card.md",
        "gates.json",
        "environment.json",
        "metrics.json",
        "checksums.json",
    }
    (line,) = registry.ledger("drums")
    assert line["event"] == "promoted"
    assert line["version"] == 1
    assert line["project"] == "machines"
    assert line["time"]


def test_a_refused_candidate_changes_nothing_but_leaves_card_and_line(registry, candidate, passing, refusing):
    registry.propose("drums", candidate(0.9), passing)
    outcome = registry.propose("drums", candidate(0.5), refusing)
    assert not outcome.promoted
    assert outcome.reasons == ("accuracy 0.5 is below 0.93",)
    assert registry.current("drums") == 1
    assert len(registry.versions("drums")) == 1
    assert (outcome.path / "card.md").read_text() == "# refusal 1\n"
    assert not (outcome.path / "bundle").exists()
    line = registry.ledger("drums")[-1]
    assert line["event"] == "refused"
    assert line["failed"] == ["accuracy 0.5 is below 0.93"]
    assert line["against"] == 1


def test_the_judge_sees_the_version_that_is_current(registry, candidate, passing):
    seen = []

    def judge(against):
        seen.append(None if against is None else (against.number, against.metrics["clips"]["accuracy"]["value"]))
        return passing(against)

    for accuracy in (0.7, 0.8, 0.9):
        registry.propose("drums", candidate(accuracy), judge)
    assert seen == [None, (1, 0.7), (2, 0.8)]


def test_a_roll_back_returns_to_what_was_replaced(registry, candidate, passing):
    for accuracy in (0.7, 0.8, 0.9):
        registry.propose("drums", candidate(accuracy), passing)
    assert registry.rollback("drums") == (3, 2)
    assert registry.rollback("drums", reason="fires on speech") == (2, 1)
    registry.propose("drums", candidate(0.95), passing)
    # Version 4 replaced version 1, not version 3.
    assert registry.rollback("drums") == (4, 1)
    assert [one["event"] for one in registry.ledger("drums")][-4:] == [
        "rolled back",
        "rolled back",
        "promoted",
        "rolled back",
    ]
    assert registry.ledger("drums")[4]["reason"] == "fires on speech"
    with pytest.raises(UsageError, match="replaced no other one; name a version with --to"):
        registry.rollback("drums")
    assert registry.rollback("drums", 3) == (1, 3)
    with pytest.raises(UsageError, match="current one already"):
        registry.rollback("drums", 3)
    with pytest.raises(UsageError, match=r"no such version in .*; versions: 1, 2, 3, 4"):
        registry.rollback("drums", 9)


@pytest.mark.parametrize("file", ["bundle/model.onnx", "bundle/bundle.json", "metrics.json", "card.md"])
def test_a_changed_file_is_named_when_the_version_is_opened(registry, candidate, passing, file):
    registry.propose("drums", candidate(), passing)
    place = registry.version("drums").path / file
    data = bytearray(place.read_bytes())
    data[len(data) // 2] ^= 1
    place.write_bytes(data)
    with pytest.raises(BundleError, match=rf"{file} differs from its checksum.*registry rollback drums"):
        registry.open("drums")


def test_a_missing_an_added_and_a_linked_file_are_found(registry, candidate, passing, tmp_path):
    registry.propose("drums", candidate(), passing)
    version = registry.version("drums")
    (version.path / "extra.bin").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"extra.bin is not listed in checksums.json"):
        version.verify()
    (version.path / "extra.bin").unlink()
    content = (version.path / "card.md").read_bytes()
    (version.path / "card.md").unlink()
    with pytest.raises(BundleError, match=r"card.md is missing"):
        version.verify()
    (tmp_path / "elsewhere").write_bytes(content)
    (version.path / "card.md").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="symbolic link"):
        version.verify()


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1, "files": {"card.md": "x"}}', '{"format": 2, "files": {}}'])
def test_checksums_that_cannot_be_used_are_no_checksums(registry, candidate, passing, text):
    registry.propose("drums", candidate(), passing)
    (registry.version("drums").path / "checksums.json").write_text(text)
    with pytest.raises(BundleError, match="damaged"):
        registry.open("drums")


def test_a_damaged_version_is_left_by_a_roll_back_and_never_entered(registry, candidate, passing):
    for accuracy in (0.7, 0.8, 0.9):
        registry.propose("drums", candidate(accuracy), passing)
    (registry.version("drums", 3).path / "card.md").write_text("?")
    assert registry.rollback("drums") == (3, 2)
    with pytest.raises(BundleError, match=r"card.md differs"):
        registry.rollback("drums", 3)
    assert registry.current("drums") == 2


@pytest.mark.parametrize("name", ["../up", "a/b", "", "..", ".hidden", "a b"])
def test_a_name_is_never_a_path(registry, candidate, passing, name):
    with pytest.raises(UsageError, match="not a plain name"):
        registry.propose(name, candidate(), passing)
    assert not registry.root.exists()


def test_an_unknown_name_lists_what_there_is(registry, candidate, passing):
    with pytest.raises(UsageError, match=r"no model is called 'drums' .*it is empty"):
        registry.open("drums")
    registry.propose("drums", candidate(), passing)
    with pytest.raises(UsageError, match="did you mean 'drums'"):
        registry.open("drum")


@pytest.mark.parametrize("text", ["x", "0", "-1", "1.5", "../1", "99999999999"])
def test_a_damaged_current_file_is_named_and_repaired_by_a_roll_back(registry, candidate, passing, text):
    registry.propose("drums", candidate(0.8), passing)
    registry.propose("drums", candidate(0.9), passing)
    (registry.root / "drums" / "current").write_text(text)
    with pytest.raises((ArtefactError, OSError), match="current"):
        registry.open("drums")
    registry.rollback("drums", 1)
    assert whole(registry) == 1


def test_a_damaged_bundle_is_not_promoted(registry, candidate, passing):
    one = candidate()
    (one.bundle / "model.onnx").write_bytes(b"?")
    with pytest.raises(BundleError):
        registry.propose("drums", one, passing)
    assert registry.names() == []


def test_a_damaged_line_of_the_ledger_is_named(registry, candidate, passing):
    registry.propose("drums", candidate(), passing)
    ledger = registry.root / "drums" / "ledger.jsonl"
    ledger.write_bytes(b"{}\n" + ledger.read_bytes())
    with pytest.raises(ArtefactError, match=r"ledger.jsonl, line 1: is not an entry"):
        registry.ledger("drums")


def test_an_incomplete_last_line_is_removed_by_the_next_entry(registry, candidate, passing):
    registry.propose("drums", candidate(0.8), passing)
    ledger = registry.root / "drums" / "ledger.jsonl"
    before = ledger.read_bytes()
    ledger.write_bytes(before + b'{"event": "prom')
    assert len(registry.ledger("drums")) == 1
    registry.propose("drums", candidate(0.9), passing)
    assert len(registry.ledger("drums")) == 2
    assert ledger.read_bytes().startswith(before)


def test_two_processes_promote_at_once(registry, candidate):
    """8 promotions; ``test_two_processes_promote_200_times`` makes all 200."""
    _promote_in_two_processes(registry, candidate(), 4)


@pytest.mark.slow
def test_two_processes_promote_200_times(registry, candidate):
    _promote_in_two_processes(registry, candidate(), 100)


def _promote_in_two_processes(registry, one, times):
    command = [sys.executable, "-c", "import sys\n" + PROPOSE, str(registry.root), str(one.bundle), str(times)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        _, result = process.communicate(timeout=300)
        assert process.returncode == 0, result
    assert whole(registry) == 2 * times
    assert [one.number for one in registry.versions("drums")] == list(range(1, 2 * times + 1))
    lines = registry.ledger("drums")
    assert [line["version"] for line in lines] == list(range(1, 2 * times + 1))
    # Each was judged against the one before it: nobody else promoted meanwhile.
    assert [line["against"] for line in lines] == [None, *range(1, 2 * times)]
    assert not list(registry.root.rglob(".ossicle-part*"))


def test_a_kill_before_any_rename_of_a_promotion_leaves_the_old_version_or_the_new_one(registry, candidate, passing):
    """Kills before each rename; the slow test below also kills before every other change of the disk."""
    _kill_promotions(registry, candidate, passing, ("replace",))


CHANGES = ("replace", "fsync", "open", "ftruncate")


@pytest.mark.slow
def test_a_kill_at_any_moment_of_a_promotion_leaves_the_old_version_or_the_new_one(registry, candidate, passing):
    _kill_promotions(registry, candidate, passing, CHANGES)


def _kill_promotions(registry, candidate, passing, calls):
    registry.propose("drums", candidate(0.8), passing)
    bundle, promoted, alive, left = candidate(0.9).bundle, 1, False, 0
    while not alive:
        alive = not run_dying(PROPOSE, calls, left, registry.root, bundle, 1).killed
        number = whole(registry)
        registry.propose("drums", candidate(0.9), passing)
        # A promotion that took effect has its line, and one that did not has none.
        promoted += (number > 1) + 1
        assert len([one for one in registry.ledger("drums") if one["event"] == "promoted"]) == promoted, left
        assert registry.current("drums") == registry.versions("drums")[-1].number
        registry.rollback("drums", 1)
        left += 1
    assert left > 3


def test_a_kill_before_any_rename_of_a_roll_back_leaves_one_of_the_two_versions(registry, candidate, passing):
    _kill_roll_backs(registry, candidate, passing, ("replace", "ftruncate"))


@pytest.mark.slow
def test_a_kill_at_any_moment_of_a_roll_back_leaves_one_of_the_two_versions(registry, candidate, passing):
    _kill_roll_backs(registry, candidate, passing, CHANGES)


def _kill_roll_backs(registry, candidate, passing, calls):
    registry.propose("drums", candidate(0.8), passing)
    registry.propose("drums", candidate(0.9), passing)
    left, alive = 0, False
    while not alive:
        before = len(registry.ledger("drums"))
        alive = not run_dying(ROLL_BACK, calls, left, registry.root).killed
        number = whole(registry)
        assert number in (1, 2)
        if number == 1:
            registry.rollback("drums", 2)
            assert len(registry.ledger("drums")) == before + 2
        left += 1
    assert left > 3


def test_gates_of_a_version_repeat_the_line_of_the_ledger(registry, candidate, passing):
    registry.propose("drums", candidate(), passing)
    stored = json.loads((registry.version("drums").path / "gates.json").read_text())["ledger"]
    (line,) = registry.ledger("drums")
    assert {key: line[key] for key in stored} == stored


def test_an_unreadable_candidate_makes_no_name(registry, tmp_path, passing):
    with pytest.raises(BundleError):
        registry.propose("drums", Candidate(tmp_path / "none", {}, {}), passing)
    assert registry.names() == []
