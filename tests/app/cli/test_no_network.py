"""No telemetry: commands and training ask nothing of another machine."""

import os
import subprocess
import sys
from pathlib import Path

# For every process, workers too: whoever reaches for another machine is written down, and fails.
NO_NETWORK = """
import os, sys
HERE = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "", None}
def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in HERE:
        with open(os.environ["REACHED_FOR"], "a") as file:
            file.write(f"{event} {host}\\n")
        raise OSError(f"this test has no network: {event} {host}")
sys.addaudithook(watch)
"""
COMMANDS = """
import socket, sys
import pytest
from ossicle.app.cli.main import main
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import untrained
place, bundle = Path(sys.argv[2]), sys.argv[3]
untrained.use_untrained(pytest.MonkeyPatch())
untrained.write_tapes(place, ("siteA_1", "siteB_1", "siteC_1"))
(place / "ossicle.toml").write_text(untrained.PROJECT)

def ossicle(*words):
    sys.argv = ["ossicle", *map(str, words)]
    try:
        main()
    except SystemExit as end:
        # An untrained network may be refused by the noise gate.
        assert end.code in (0, None, 4), (words, end.code)

ossicle("new", "tapes", place / "made", "--audio", place / "audio", "--annotations", place / "tables")
ossicle("run", "-p", place, "--progress", "none")
assert (place / "report.html").exists()
ossicle("status", "-p", place)
ossicle("predict", bundle, place / "audio", "-o", place / "events")
ossicle("leaderboard", "-p", place)

import ossicle.training.detector.crossval
import lightning, timm, torch
assert "ossicle.training.detector.fit" in sys.modules

try:
    socket.create_connection(("192.0.2.1", 80), timeout=1)
except OSError as error:
    assert "this test has no network" in str(error), error
"""


def test_no_command_and_no_training_reaches_for_another_machine(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NO_NETWORK)
    reached = tmp_path / "reached.txt"
    paths = [str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "REACHED_FOR": str(reached)}
    environment.pop("OSSICLE_DATA_ROOT", None)
    made_up, bundle = repository / "tests" / "made_up", repository / "tests" / "data" / "bundles" / "0.1.0" / "bundle"
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, made_up, tmp_path / "project", bundle],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    # What the script itself tries at its end, to show that it would be seen.
    assert reached.read_text() == "socket.getaddrinfo 192.0.2.1\n"
