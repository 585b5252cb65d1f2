import subprocess
import sys

import pytest

from ossicle.audio.readers.c_messages import no_c_messages

SCRIPT = """
import ctypes, sys
from ossicle.audio.readers.c_messages import no_c_messages
libc = ctypes.CDLL(None)
def say(text):
    stderr = ctypes.c_void_p.in_dll(libc, "stderr")
    libc.fputs(text, stderr)
    libc.fflush(stderr)
    libc.printf(text)
    libc.fflush(None)
say(b"before\\n")
try:
    with no_c_messages():
        say(b"lost\\n")
        with no_c_messages():
            say(b"lost\\n")
        say(b"lost\\n")
        print("python", file=sys.stderr, flush=True)
        raise KeyError
except KeyError:
    say(b"after\\n")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the variable has another name elsewhere")
def test_only_messages_of_c_libraries_within_the_body_are_discarded():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.split() == ["before", "python", "after"]
    assert done.stdout.split() == ["before", "after"]


def test_it_may_be_entered_again():
    with no_c_messages():
        pass
    with no_c_messages(), no_c_messages():
        pass
