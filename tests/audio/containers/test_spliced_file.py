import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ossicle.audio.containers.spliced_file import SplicedFile
from ossicle.audio.containers.streams import Stream

DATA = bytes(range(256)) * 4
SPANS = st.lists(st.tuples(st.integers(0, 1024), st.integers(0, 1024)), max_size=5).map(
    lambda pairs: tuple(sorted((min(pair), max(pair)) for pair in pairs))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spans=SPANS,
    patches=st.lists(st.tuples(st.integers(0, 1000), st.binary(min_size=1, max_size=20)), max_size=2),
    reads=st.lists(st.tuples(st.integers(0, 1200), st.integers(1, 700)), min_size=1, max_size=6),
)
def test_a_view_reads_as_the_bytes_it_shows(tmp_path, spans, patches, reads):
    path = tmp_path / "x"
    path.write_bytes(DATA)
    changed = bytearray(DATA)
    for at, new in patches:
        changed[at : at + len(new)] = new
    whole = bytes(changed[: len(DATA)])
    expected = b"".join(whole[start:stop] for start, stop in spans) if spans else whole
    with SplicedFile(path, Stream(spans=spans, patches=tuple(patches))) as view:
        assert view.size == view.seek(0, os.SEEK_END) == len(expected)
        furthest = 0
        for at, n_bytes in reads:
            assert view.seek(at) == view.tell() == at
            assert view.read(n_bytes) == expected[at : at + n_bytes]
            furthest = max(furthest, min(at + n_bytes, len(expected)), at)
        view.seek(0)
        assert view.read() == expected


def test_a_view_may_begin_within_its_stream_and_knows_how_far_it_was_read(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(DATA)
    with SplicedFile(path, Stream(spans=((0, 10), (100, 200), (500, 600))), first_byte=150) as view:
        assert view.read(60) == DATA[150:200] + DATA[500:510]
        assert (view.furthest, view.size) == (60, 150)
        view.seek(-1, os.SEEK_CUR)
        view.read(1)
        assert view.furthest == 60
    assert view.closed
