"""The step ``store``: what headers promised and decoding did not keep."""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ..untrained import PROJECT, RATE, write_tapes

QUIET = ("--until", "store", "--progress", "none")


def test_a_recording_whose_header_was_believed_is_named_with_the_remedy(tmp_path: Path, ossicle: Any) -> None:
    write_tapes(tmp_path, ("siteA_1", "siteB_1"))
    (tmp_path / "ossicle.toml").write_text(PROJECT)
    soundfile.write(tmp_path / "audio" / "siteB_1.wav", np.full(10 * RATE, np.nan, np.float32), RATE, "FLOAT")
    said = ossicle("run", "-p", tmp_path, "--set", "corpus.decode=false", *QUIET)
    assert said.code == 1
    assert said.err.startswith("ossicle: siteB_1.wav: ")
    assert "Set [corpus] decode = true" in said.err
    # The remedy works as far as it goes: the recording is left out, and then one site is too few.
    said = ossicle("run", "-p", tmp_path, *QUIET)
    assert "at least two groups" in said.err
