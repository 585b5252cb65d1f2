"""A folder of another machine as a place, ``HOST:FOLDER``: listed and read over ssh, copied by rsync.

Nothing of Ossicle is needed there: ``sh``, ``find``, ``grep``, ``sort``, ``xargs``, ``sha256sum`` of GNU, and rsync.
The words of a command are quoted for the shell there. Names of files are never part of a command; they are
sent as data.
"""

import math
import os
import re
import shlex
import shutil
import subprocess
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ossicle.app.remote.folder_place import remove_unfinished
from ossicle.app.remote.local_files import each_file, place_file
from ossicle.app.remote.local_reading import local_digest
from ossicle.app.remote.place import HIDDEN, RECORDS, FileState, Listing, Moved
from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.filesystem.links import refuse_link_in
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES
from ossicle.artefacts.many_files import sync_disk
from ossicle.core.errors import FetchError, UsageError

_PARTS = f"{HIDDEN}part-rsync"
_STAGE = f"{HIDDEN}part-pull"
_ABSENT, _LINK = 44, 45
_SSH_FAILED = 255
# No output of the commands: names end with a zero byte.
_NO_FOLDER = b"no folder"
# Some files vanished, cannot be read or cannot be written; the others arrived.
_INCOMPLETE = (23, 24)
_SSH = ("ssh", "-o", "ServerAliveInterval=30", "-o", "ServerAliveCountMax=4")
_SILENCE_S = 300
# The kind, bytes, seconds since 1970 and path of a file, as find prints them for _LIST.
_ENTRY = re.compile(rb"(\S) (\d+) (-?\d+)(?:[.,](\d*))? (.*)", re.DOTALL)
_DIGEST = re.compile(rb"([0-9a-f]{64})  (.*)", re.DOTALL)

_IN_FOLDER = f'cd -- "$1" 2>/dev/null || exit {_ABSENT}; '
_LIST = _IN_FOLDER + (f"find . -name '{HIDDEN}*' -prune -o -name .ossicle.lock -o -printf '%y %s %T@ %P\\0'")
_DIGESTS = _IN_FOLDER + "xargs -0 -r sha256sum -z -- 2>/dev/null; true"
_NO_LINK = f'if [ -h "$1/{RECORDS}" ]; then exit {_LINK}; fi; '
_RECORDS = (
    _NO_LINK + f'cd -- "$1/{RECORDS}" 2>/dev/null || exit 0; '
    f'find . -type f -name "*.jsonl" -size -{MOST_ARTEFACT_BYTES}c -print0 | LC_ALL=C sort -z '
    '| LC_ALL=C xargs -0 -r grep -ahs ""; true'
)
_ADD_RECORD = _NO_LINK + (
    f'mkdir -p -- "$1/{RECORDS}" && cd -- "$1/{RECORDS}" && cat >"$2.part" && mv -- "$2.part" "$2"'
)
# What rsync kept of files that were not copied again for a week is removed.
_PREPARE = (
    f'mkdir -p -- "$1" && cd -- "$1" && if [ -h {_PARTS} ]; then exit {_LINK}; fi; mkdir -p {_PARTS}; code=$?; '
    f"find . -type f -path '*/{_PARTS}/*' -ctime +7 -delete 2>/dev/null; exit $code"
)


class SshPlace:
    """A folder on another machine; see :class:`ossicle.app.remote.place.Place`.

    Parameters
    ----------
    host
        What ssh connects to: ``HOST``, ``USER@HOST``, or a name from its configuration.
    folder
        The folder there, relative to the home folder or absolute.

    Raises
    ------
    UsageError
        ssh or rsync is not installed, or a word would be read as an option.
    """

    keeps_times = True

    def __init__(self, host: str, folder: str) -> None:
        for program in ("ssh", "rsync"):
            if shutil.which(program) is None:
                raise UsageError(f"{program} is not installed; install it on this machine and on {host}")
        if host.startswith("-") or any(character.isspace() for character in host):
            raise UsageError(f"{host!r} is not the name of a machine; write HOST:FOLDER or USER@HOST:FOLDER")
        self._host = host
        below_home = folder.removeprefix("~/")
        if not folder.strip("/~") or below_home.startswith("~"):
            raise UsageError(f"{host}:{folder} names no folder; write HOST:FOLDER, relative to your home or from /")
        self._folder = folder if folder.startswith("/") else f"./{below_home}"
        self._ready = False

    def listing(self) -> Listing:
        """Return the files of the folder.

        Returns
        -------
        Listing
            Links and special files are left out.

        Raises
        ------
        FetchError
            The machine does not answer, or the folder cannot be read.
        """
        files: dict[str, FileState] = {}
        left_out: dict[str, str] = {}
        folders: set[str] = set()
        printed = self._shell(_LIST, absent=_NO_FOLDER)
        if printed == _NO_FOLDER:
            return Listing(exists=False)
        for kind, size, seconds, rest, name in self._rows(_ENTRY, printed, "find"):
            path = os.fsdecode(name)
            if kind == b"f":
                below_s = int((rest or b"")[:9].ljust(9, b"0"))
                files[path] = FileState(int(size), int(seconds) * 1_000_000_000 + below_s)
            elif kind == b"d":
                folders.add(path)
            elif kind == b"l":
                left_out[path] = "is a symbolic link, which is not followed"
            else:
                left_out[path] = "is not a regular file"
        return Listing(files, left_out, folders=frozenset(folders))

    def digests(self, paths: Sequence[str]) -> dict[str, str]:
        """Return the SHA-256 of files, computed there; those that cannot be read are left out.

        Parameters
        ----------
        paths
            Paths below the folder.

        Returns
        -------
        dict[str, str]
            By path.

        Raises
        ------
        FetchError
            The machine does not answer.
        """
        if not paths:
            return {}
        printed = self._shell(_DIGESTS, data=_zero_separated(f"./{path}" for path in paths), absent=b"")
        rows = self._rows(_DIGEST, printed, "sha256sum")
        return {os.fsdecode(name).removeprefix("./"): digest.decode() for digest, name in rows}

    def send(self, folder: Path, files: Mapping[str, FileState]) -> Moved:
        """Copy files of a local folder to the same paths there.

        Parameters
        ----------
        folder
            The local folder.
        files
            Files by path, as listed there.

        Returns
        -------
        Moved
            What arrived.

        Raises
        ------
        FetchError
            The machine does not answer, or rsync failed.
        UsageError
            A link in the folder there is in the way.
        """
        if not self._ready:
            self._shell(_PREPARE)
            self._ready = True
        moved = each_file(files, lambda path, state: local_digest(folder, path, state))
        reason = self._rsync([f"--temp-dir={_PARTS}"], f"{folder}/", self._address, moved.digests)
        arrived = self.digests(list(moved.digests))
        for path in [unarrived for unarrived, digest in moved.digests.items() if arrived.get(unarrived) != digest]:
            del moved.digests[path]
            # rsync names files in sentences only. A file that is gone or changed here is no fault of the place.
            if path not in arrived and (folder / path).is_file():
                moved.failed[path] = f"did not arrive: {reason or 'rsync gave no reason'}"
                moved.refused.add(path)
        return moved

    def bring(self, folder: Path, files: Mapping[str, FileState]) -> Moved:
        """Copy files from there to the same paths of a local folder.

        Parameters
        ----------
        folder
            The local folder.
        files
            Files by path, as listed there.

        Returns
        -------
        Moved
            What arrived.

        Raises
        ------
        FetchError
            The machine does not answer, or rsync failed.
        UsageError
            A folder in the path of a copy is a symbolic link.
        OSError
            The disk is full or does not work.
        """
        stage = folder / _STAGE
        refuse_link_in(stage)
        make_folder(stage)
        reason = self._rsync([], self._address, f"{stage}/", files)
        moved = each_file(files, lambda path, state: _settle(stage, folder, path, state))
        for path in moved.failed:
            moved.failed[path] = reason or moved.failed[path]
        # What arrived in part stays, so that rsync continues there.
        remove_unfinished(stage, math.inf)
        sync_disk()
        return moved

    def records(self) -> bytes:
        """Return the lines of all records there.

        Returns
        -------
        bytes
            JSON lines, the oldest first.

        Raises
        ------
        FetchError
            The machine does not answer.
        UsageError
            Their folder is a symbolic link.
        """
        return self._shell(_RECORDS)

    def add_record(self, name: str, data: bytes) -> None:
        """Store lines of records there.

        Parameters
        ----------
        name
            A new name.
        data
            The lines.

        Raises
        ------
        FetchError
            The machine does not answer, or the file cannot be written.
        UsageError
            Their folder is a symbolic link.
        """
        self._shell(_ADD_RECORD, name, data=data)

    @property
    def _address(self) -> str:
        return f"{self._host}:{self._folder}/"

    def _shell(self, script: str, *arguments: str, data: bytes = b"", absent: bytes | None = None) -> bytes:
        """Run a line of ``sh`` there with the folder and ``arguments`` as its arguments, and return its output."""
        begin, end = f"<{uuid.uuid4().hex}>", f"<{uuid.uuid4().hex}>"
        framed = f"printf %s '{begin}'; ({script}); code=$?; printf %s '{end}'; exit $code"
        line = shlex.join(["sh", "-c", framed, "sh", self._folder, *arguments])
        done = subprocess.run([*_SSH, self._host, line], input=data, capture_output=True, check=False)
        complaint = done.stderr.decode(errors="replace").strip()
        whole = re.fullmatch(f"{begin}(.*){end}".encode(), done.stdout, re.DOTALL)
        if done.returncode != _SSH_FAILED and whole is None and (done.stdout or not done.returncode):
            own_text = done.stdout.replace(begin.encode(), b"").replace(end.encode(), b"")[:60].decode(errors="replace")
            raise FetchError(
                f"the shell of {self._host} prints text of its own, or loses what commands print ({own_text!r}); "
                f"change its start files (such as ~/.bashrc) until `ssh {self._host} true` prints nothing"
            )
        if whole and done.returncode == _ABSENT and absent is not None:
            return absent
        if done.returncode == _LINK:
            raise UsageError(
                f"{self._host}:{self._folder} holds a symbolic link named {RECORDS} or {_PARTS}, and Ossicle changes "
                "nothing through links; remove it"
            )
        if done.returncode == _SSH_FAILED:
            raise FetchError(f"ssh cannot reach {self._host}: {complaint}; try `ssh {self._host} true`")
        if done.returncode:
            raise FetchError(f"{self._host}:{self._folder}: {complaint or f'exit code {done.returncode}'}")
        return b"" if whole is None else whole[1]

    def _rows(self, form: re.Pattern[bytes], printed: bytes, program: str) -> Iterator[tuple[bytes, ...]]:
        """Yield the parts of the entries that a program there printed, each with a zero byte at its end."""
        *entries, rest = printed.split(b"\0")
        for entry in [*entries, rest] if rest else entries:
            match = form.fullmatch(entry)
            if match is None or entry is rest:
                raise FetchError(
                    f"{program} on {self._host} prints {entry[:60]!r}, which is no answer; GNU's {program} is needed"
                )
            yield match.groups()

    def _rsync(self, options: list[str], source: str, target: str, paths: Iterable[str]) -> str:
        """Copy files; return what rsync said if only some arrived."""
        argv = ["rsync", "--protect-args", "--from0", "--files-from=-", "--times", "--ignore-times"]
        # Links there are replaced, and not followed.
        argv += [
            f"--partial-dir={_PARTS}",
            "--no-links",
            f"--timeout={_SILENCE_S}",
            f"--rsh={shlex.join(_SSH)}",
            *options,
            "--",
            source,
            target,
        ]
        # Without "./", rsync takes "#1.wav" for a comment.
        names = _zero_separated(f"./{path}" for path in paths)
        done = subprocess.run(argv, input=names, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
        complaint = done.stderr.decode(errors="replace").strip()
        if done.returncode and done.returncode not in _INCOMPLETE:
            raise FetchError(f"rsync failed (exit code {done.returncode}): {complaint}")
        return complaint if done.returncode else ""


def _settle(stage: Path, folder: Path, path: str, state: FileState) -> str:
    """Move a file that arrived to its place, and return its SHA-256."""
    refuse_link_in(stage / path)
    try:
        arrived_digest = local_digest(stage, path, state)
    except FileNotFoundError:
        raise FileNotFoundError(2, "did not arrive") from None
    place_file(stage / path, folder / path, state.mtime_ns)
    return arrived_digest


def _zero_separated(names: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in names)
