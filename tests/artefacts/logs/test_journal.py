import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ossicle.artefacts.logs.journal import Journal
from ossicle.core.errors import ArtefactError

MARKS_FOREVER = """
import sys
from pathlib import Path
from ossicle.artefacts.logs.journal import Journal
journal = Journal(Path(sys.argv[1]))
for k in range(10**6):
    journal.mark(f"unit {k}", k=k, text="x" * 3000)
    print(k, flush=True)
"""


def test_marks_are_found_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "below" / "j.jsonl")
    assert journal.done("a") is None
    journal.mark("Tape 1.2/ä\n", frames=3, path="x")
    journal.mark("b")
    journal.mark("b", again=True)
    for one in (journal, Journal(tmp_path / "below" / "j.jsonl")):
        assert one.done("Tape 1.2/ä\n") == {"frames": 3, "path": "x"}
        assert one.done("b") == {"again": True}
        assert one.done("c") is None
        assert one.work_units() == ("Tape 1.2/ä\n", "b")


def test_a_journal_torn_at_any_byte_loses_only_its_last_unit(tmp_path: Path) -> None:
    place = tmp_path / "j.jsonl"
    for unit in ("a", "ü", "c"):
        Journal(place).mark(unit, n=1)
    raw = place.read_bytes()
    ends = [k + 1 for k, byte in enumerate(raw) if byte == ord("\n")]
    for cut in range(len(raw)):
        place.write_bytes(raw[:cut])
        journal = Journal(place)
        whole = sum(end <= cut for end in ends)
        assert journal.work_units() == ("a", "ü", "c")[:whole]
        # Reading changes nothing: `ossicle check` opens journals too.
        assert place.read_bytes() == raw[:cut]
        journal.mark("after")
        assert place.read_bytes().startswith(
            raw[: ends[whole - 1] if whole else 0] + b'{"record": {}, "unit": "after"}'
        )
        assert Journal(place).work_units() == (*("a", "ü", "c")[:whole], "after")


@pytest.mark.parametrize(
    "bad", [b"{", b"\x00\x00\x00", b"[1]", b'{"unit": "a"}', b"", b'{"unit": "\xff", "record": {}}']
)
def test_a_corrupt_line_in_the_middle_is_named(tmp_path: Path, bad: bytes) -> None:
    place = tmp_path / "j.jsonl"
    Journal(place).mark("a")
    first = place.read_bytes()
    for end in (first, first[:-3]):
        place.write_bytes(first + bad + b"\n" + end)
        with pytest.raises(ArtefactError, match=r"j\.jsonl, line 2: not a journal entry"):
            Journal(place)
    # as the last line it is what a power cut leaves
    place.write_bytes(first + bad + b"\n")
    journal = Journal(place)
    assert journal.work_units() == ("a",)
    journal.mark("b")
    assert place.read_bytes().startswith(first + b'{"record": {}, "unit": "b"}')


def test_nan_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    with pytest.raises(ValueError, match="loss is nan"):
        journal.mark("a", loss=float("nan"))
    assert journal.done("a") is None
    assert not (tmp_path / "j.jsonl").exists()


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    journal.mark("a")

    def full(_: int) -> None:
        raise OSError(28, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"No space left on device: .*j\.jsonl"):
            journal.mark("b")
    assert journal.done("b") is None
    journal.mark("c")
    assert Journal(tmp_path / "j.jsonl").work_units() == ("a", "c")


def test_threads_share_a_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    threads = [threading.Thread(target=lambda k=k: [journal.mark(f"{k}.{n}") for n in range(10)]) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(Journal(tmp_path / "j.jsonl").work_units()) == {f"{k}.{n}" for k in range(4) for n in range(10)}


def test_a_killed_process_loses_at_most_the_unit_it_was_marking(tmp_path: Path) -> None:
    place = tmp_path / "j.jsonl"
    for _ in range(3):
        place.unlink(missing_ok=True)
        command = [sys.executable, "-c", MARKS_FOREVER, str(place)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            result = [int(process.stdout.readline()) for _ in range(20)]
            process.kill()
            result += [int(line) for line in process.stdout.read().splitlines()]
        units = Journal(place).work_units()
        assert units == tuple(f"unit {k}" for k in range(len(units)))
        assert len(units) - len(result) in (0, 1)


def test_a_journal_reads_what_another_marked_and_cuts_nothing_of_it(tmp_path: Path) -> None:
    place = tmp_path / "j.jsonl"
    for unit in ("a", "b"):
        Journal(place).mark(unit)
    raw = place.read_bytes()
    place.write_bytes(raw[:-5])
    journal = Journal(place)
    assert journal.work_units() == ("a",)
    # The other ends its line, and marks more.
    place.write_bytes(raw)
    Journal(place).mark("c", n=1)
    journal.reread()
    journal.mark("d")
    journal.reread()
    for one in (journal, Journal(place)):
        assert one.work_units() == ("a", "b", "c", "d")
    with place.open("ab") as file:
        file.write(b"no\n\n")
    with pytest.raises(ArtefactError, match="line 5"):
        journal.reread()
    place.unlink()
    journal.reread()
    assert journal.work_units() == ()
    journal.mark("e")
    assert Journal(place).work_units() == ("e",)
