"""Memory of reading random crops, epoch after epoch: flat, with and without a cache."""

import os
import subprocess
import sys

import numpy as np
import pytest

from ossicle.artefacts.files import file_digest
from ossicle.audio.store import StoreItem, StoreSettings, build_store
from ossicle.audio.store.cache import RecordingCache

RATE = 16000
MIB = 1 << 20
# Arrays that are freed leave the process at once; otherwise glibc keeps some megabytes, now and then.
PROMPT = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}

_EPOCHS = """
import sys
from pathlib import Path
import numpy as np
from ossicle.audio.store import MixedStore

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

rng = np.random.default_rng(0)
with MixedStore(sys.argv[1], sys.argv[2], float(sys.argv[3])) as store:
    after = []
    for epoch in range(20):
        for one in rng.permutation(np.repeat(store.ids, 4)):
            start = int(rng.integers(0, store.n_samples(one)))
            store.read(one, start, 5 * store.rate)
        after.append(resident())
print(after[1], after[-1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is told by /proc")
@pytest.mark.parametrize(("cache_mb", "reading"), [(0.0, "seek"), (8.0, "whole")])
def test_memory_is_flat_over_twenty_epochs(encode, tmp_path, cache_mb, reading):
    # 40 MB as int16, of which the cache holds a part; four recordings stay files.
    items = []
    for number in range(24):
        samples = np.random.default_rng(number).normal(0, 0.1, 50 * RATE).astype(np.float32)
        path = encode(f"r{number}.wav", samples, RATE)
        items.append(StoreItem(f"r{number}", path, file_digest(path)))
    settings = StoreSettings(only_biggest=20, raw_reading=reading)
    build_store(items, tmp_path / "store", RATE, settings, audio=tmp_path)
    command = [sys.executable, "-c", _EPOCHS, os.fspath(tmp_path / "store"), os.fspath(tmp_path), str(cache_mb)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=120, env={**os.environ, **PROMPT}
    )
    second, last = map(int, done.stdout.split())
    # A memory map, or a list that grows, would hold all 40 MB by then.
    assert last - second < 4 * MIB


def test_the_cache_drops_what_was_used_longest_ago():
    cache = RecordingCache(100)
    parts = {name: np.zeros(10, np.float32) for name in "abc"}
    cache.put("a", parts["a"])
    cache.put("b", parts["b"])
    assert cache.get("a") is parts["a"]
    cache.put("c", parts["c"])
    assert cache.get("b") is None
    assert cache.get("a") is parts["a"]
    assert cache.bytes == 80
    cache.put("huge", np.zeros(26, np.float32))
    assert cache.get("huge") is None
    assert cache.bytes == 80
    cache.clear()
    assert cache.get("a") is None
    assert cache.bytes == 0
    nothing = RecordingCache(0)
    nothing.put("a", parts["a"])
    assert nothing.bytes == 0
    with pytest.raises(ValueError, match="negative"):
        RecordingCache(-1)
