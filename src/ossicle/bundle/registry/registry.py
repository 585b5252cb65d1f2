"""The registry: promote, refuse, roll back and open bundles by name and version.

    ROOT/NAME/versions/0001/     see :mod:`ossicle.bundle.registry.version`
    ROOT/NAME/refused/0001/      card, figures and gates of what was refused; no bundle
    ROOT/NAME/current            the number of the current version, replaced atomically
    ROOT/NAME/ledger.jsonl       one line for each promotion, refusal and roll-back

Every change holds the lock of the name. A version is complete before ``current`` names it, and ``current`` is replaced
before the ledger says so. A process killed in between leaves the old version or the new one; the next change writes
the line that is missing.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ossicle.artefacts.files import file_digest, sweep, whole_folder, write_text
from ossicle.artefacts.filesystem.changes import copy_tree, make_folder
from ossicle.artefacts.filesystem.reading import read_if_there
from ossicle.artefacts.locks.lock import project_lock
from ossicle.artefacts.logs.lines import append_line
from ossicle.artefacts.typed.results.archived import ENVIRONMENT
from ossicle.artefacts.typed.results.published import BUNDLE, METRICS
from ossicle.bundle.format import read_bundle
from ossicle.bundle.manifest import MANIFEST, is_plain_name
from ossicle.bundle.registry.ledger import PROMOTED, REFUSED, ROLLED_BACK, read_ledger
from ossicle.bundle.registry.references import CURRENT, PREFIX
from ossicle.bundle.registry.version import (
    GATES,
    Version,
    numbers_in,
    version_folder,
    write_checksums,
    write_documents,
)
from ossicle.core.errors import ArtefactError, UsageError
from ossicle.core.text.suggestion import did_you_mean

VERSIONS, REFUSALS, LEDGER = "versions", "refused", "ledger.jsonl"
_NUMBER = re.compile(rb"[1-9][0-9]{0,8}\n?")
_MOST_NUMBER_BYTES = 16


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may become a version.

    Attributes
    ----------
    bundle
        The folder of its bundle.
    metrics
        Its figures.
    environment
        Where it was trained and is promoted.
    origin
        What the ledger says of its origin, such as the project.
    write
        Writes further files into the folder of a new version.
    before
        Called with the number of the new version before it becomes the current one.
    """

    bundle: Path
    metrics: Mapping[str, Any]
    environment: Mapping[str, Any]
    origin: Mapping[str, str] = field(default_factory=dict)
    write: Callable[[Path], None] = lambda folder: None
    before: Callable[[int], None] = lambda number: None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gates say of a candidate.

    Attributes
    ----------
    gates
        What was compared, as plain values.
    reasons
        Each failed line of the gates, in words; empty if the candidate passed.
    card
        Returns the Markdown card from the number of the version or of the refusal.
    """

    gates: Mapping[str, Any]
    reasons: Sequence[str]
    card: Callable[[int], str]


Judge = Callable[[Version | None], Judgement]
"""Judges a candidate against the current version; None if there is none."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a promotion: the number of the new version or of the refusal, its folder, and why it was refused."""

    number: int
    path: Path
    against: int | None
    reasons: tuple[str, ...] = ()

    @property
    def promoted(self) -> bool:
        """Whether the candidate became the current version."""
        return not self.reasons


class Registry:
    """The promoted bundles below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def names(self) -> list[str]:
        """Return the names that have a version or a ledger, sorted; none if the folder is missing."""
        if not self.root.is_dir():
            return []
        entry_names = [entry.name for entry in self.root.iterdir() if is_plain_name(entry.name) and entry.is_dir()]
        return sorted(entry_name for entry_name in entry_names if self._is_used(self.root / entry_name))

    def versions(self, name: str) -> list[Version]:
        """Return the versions of a name by number; raises UsageError if there is no such name."""
        folder = self._existing(name) / VERSIONS
        return [Version(name, number, folder / version_folder(number)) for number in numbers_in(folder)]

    def ledger(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of a name's ledger in order; raises ArtefactError for a damaged line."""
        return read_ledger(self._folder(name) / LEDGER)

    def current(self, name: str) -> int | None:
        """Return the number of the current version; None if there is none.

        Raises
        ------
        ArtefactError
            The file ``current`` does not hold the number of a version.
        """
        file = self._folder(name) / CURRENT
        data = read_if_there(file, _MOST_NUMBER_BYTES)
        if not data and not file.exists():
            return None
        if not _NUMBER.fullmatch(data):
            raise ArtefactError(
                f"{file}: does not hold the number of a version; choose one with `ossicle registry rollback {name} "
                "--to NUMBER`"
            )
        return int(data)

    def open(self, name: str, number: int | None = None) -> Version:
        """Return a version whose files equal their checksums; None stands for the current one.

        Raises
        ------
        UsageError
            There is no such name or version.
        BundleError
            The version is damaged.
        """
        version = self.version(name, number)
        version.verify()
        return version

    def version(self, name: str, number: int | None = None) -> Version:
        """Return a version without reading its files; None stands for the current one. Raises UsageError."""
        folder = self._existing(name)
        if number is None and (number := self.current(name)) is None:
            raise UsageError(
                f"{PREFIX}{name}@{CURRENT}: no version is current in {folder}; promote one, or choose one with "
                f"`ossicle registry rollback {name} --to NUMBER`"
            )
        known = numbers_in(folder / VERSIONS)
        if number not in known:
            listed = f"versions: {', '.join(map(str, known))}" if known else "it has no version yet"
            raise UsageError(f"{PREFIX}{name}@{number}: there is no such version in {folder}; {listed}")
        return Version(name, number, folder / VERSIONS / version_folder(number))

    def propose(self, name: str, candidate: Candidate, judge: Judge) -> Outcome:
        """Judge a candidate against the current version, and promote or refuse it, one process at a time.

        Parameters
        ----------
        name
            The name; it is created with its first version or refusal.
        candidate
            The bundle and its figures.
        judge
            Judges it; called while the lock is held, so that nobody else promotes meanwhile.

        Raises
        ------
        UsageError
            The name is not plain.
        BundleError
            The bundle of the candidate or the current version is damaged.
        """
        bundle = read_bundle(candidate.bundle)
        with self._changing(name) as folder:
            current = self.current(name)
            against = None if current is None else self.open(name, current)
            judgement = judge(against)
            reasons = tuple(judgement.reasons)
            kind = REFUSALS if reasons else VERSIONS
            number = max(numbers_in(folder / kind), default=0) + 1
            path = folder / kind / version_folder(number)
            entry = {
                "event": REFUSED if reasons else PROMOTED,
                "refusal" if reasons else "version": number,
                "against": current,
                "bundle": file_digest(candidate.bundle / MANIFEST),
                "model": bundle.name,
                **candidate.origin,
                "failed": list(reasons),
            }
            gates = {**judgement.gates, "ledger": entry}
            documents = {METRICS: candidate.metrics, ENVIRONMENT: candidate.environment, GATES: gates}
            with whole_folder(path) as part:
                if not reasons:
                    copy_tree(candidate.bundle, part / BUNDLE)
                    # A file may have changed between the check above and the copy.
                    read_bundle(part / BUNDLE)
                    candidate.write(part)
                write_documents(part, judgement.card(number), documents)
                write_checksums(part)
            if not reasons:
                candidate.before(number)
                _set_current(folder, number)
            append_line(folder / LEDGER, _now(entry))
        return Outcome(number, path, current, reasons)

    def rollback(self, name: str, number: int | None = None, reason: str = "") -> tuple[int | None, int]:
        """Make an earlier version the current one, and return the numbers of the version before and now.

        Parameters
        ----------
        name
            The name.
        number
            The version; None for the one that the current version replaced when it was promoted.
        reason
            Why, for the ledger.

        Raises
        ------
        UsageError
            There is no such version, or the current one replaced none.
        BundleError
            The files of the version are damaged.
        """
        self._existing(name)
        with self._changing(name) as folder:
            before = self._current_or_none(name)
            target = self._replaced_by(name, before) if number is None else number
            if target == before:
                raise UsageError(f"version {target} of {name} is the current one already")
            self.open(name, target)
            _set_current(folder, target)
            entry = {"event": ROLLED_BACK, "version": target, "against": before, "reason": reason}
            append_line(folder / LEDGER, _now(entry))
        return before, target

    def _replaced_by(self, name: str, current: int | None) -> int:
        for entry in reversed(self.ledger(name)):
            if entry["event"] == PROMOTED and entry.get("version") == current and current is not None:
                if (earlier := entry.get("against")) is not None:
                    return int(earlier)
                raise UsageError(f"version {current} of {name} replaced no other one; name a version with --to NUMBER")
        raise UsageError(
            f"the ledger of {name} does not say which version was current before; name one with --to NUMBER"
        )

    def _current_or_none(self, name: str) -> int | None:
        try:
            return self.current(name)
        except ArtefactError:
            # A roll-back to a named version repairs it.
            return None

    @contextmanager
    def _changing(self, name: str) -> Iterator[Path]:
        """Hold the lock of a name, and clear up what a killed process left."""
        folder = self._folder(name)
        make_folder(folder)
        with project_lock(folder, wait=True):
            sweep(folder)
            self._finish(folder, name)
            yield folder

    def _finish(self, folder: Path, name: str) -> None:
        """Write the line that a process killed after it had replaced ``current`` owes the ledger."""
        current = self._current_or_none(name)
        changes = [line for line in self.ledger(name) if line["event"] != REFUSED]
        noted = changes[-1].get("version") if changes else None
        if current is None or current == noted:
            return
        known = {change.get("version") for change in changes if change["event"] == PROMOTED}
        version_path = folder / VERSIONS / version_folder(current)
        if current in known or not version_path.is_dir():
            entry: dict[str, Any] = {"event": ROLLED_BACK, "version": current, "against": noted, "reason": ""}
        else:
            stated = Version(name, current, version_path).gates.get("ledger")
            entry = {**(stated if isinstance(stated, dict) else {}), "event": PROMOTED, "version": current}
        append_line(folder / LEDGER, _now({**entry, "noted": "after an interruption"}))

    def _folder(self, name: str) -> Path:
        if not is_plain_name(name):
            raise UsageError(f"{name!r} is not a plain name (letters, digits, '.', '_', '-'; no path)")
        return self.root / name

    @staticmethod
    def _is_used(folder: Path) -> bool:
        return (folder / VERSIONS).is_dir() or (folder / LEDGER).is_file()

    def _existing(self, name: str) -> Path:
        folder = self._folder(name)
        if not self._is_used(folder):
            remedy = did_you_mean(name, self.names()) or "it is empty; promote a model with `ossicle promote`"
            raise UsageError(f"no model is called {name!r} in the registry {self.root}; {remedy}")
        return folder


def _set_current(folder: Path, number: int) -> None:
    write_text(folder / CURRENT, f"{number}\n")


def _now(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **entry}
