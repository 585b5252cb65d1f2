import contextlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ossicle.artefacts.array_files.arrays import arrays_from_bytes, arrays_to_bytes
from ossicle.core.errors import ArtefactError

KINDS = st.sampled_from([np.float64, np.float32, np.int64, np.int32])
ARRAYS = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__"),
    KINDS.flatmap(lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))),
    max_size=5,
)


@given(ARRAYS, st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3))
def test_what_is_written_is_read(arrays, text):
    data = arrays_to_bytes(arrays, text)
    result, words = arrays_from_bytes(data, "file")
    assert words == text
    assert result.keys() == arrays.keys()
    for name, array in arrays.items():
        assert result[name].dtype == array.dtype
        np.testing.assert_array_equal(result[name], array)
    assert arrays_to_bytes(result, words) == data


def test_the_library_of_the_format_reads_it_and_writes_what_is_read(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    arrays = {"b": np.arange(6, dtype=np.int32).reshape(2, 3), "a": np.array([1.5, -2.0])}
    theirs = library.load(arrays_to_bytes(arrays, {"about": "this"}))
    ours, text = arrays_from_bytes(library.save(arrays, metadata={"about": "this"}), "file")
    assert text == {"about": "this"}
    for name, array in arrays.items():
        np.testing.assert_array_equal(theirs[name], array)
        np.testing.assert_array_equal(ours[name], array)


def file(header, body=b""):
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(head).to_bytes(8, "little") + head + body


def entry(shape=(2,), offsets=(0, 16), dtype="F64"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


BODY = bytes(16)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04" + bytes(40),
        (1 << 60).to_bytes(8, "little"),
        file(b"not json"),
        file([]),
        file({"__metadata__": {"a": 1}}),
        file({"a": entry()}),
        file({"a": entry()}, BODY + b"more"),
        file({"a": entry(shape=(1 << 40, 1 << 40))}, BODY),
        file({"a": entry(shape=(-2,))}, BODY),
        file({"a": entry(shape=(True, 2))}, BODY),
        file({"a": entry(offsets=(8, 24))}, BODY),
        file({"a": entry(), "b": entry()}, BODY),
        file({"a": entry(dtype="O")}, BODY),
        file({"a": entry() | {"more": 1}}, BODY),
        file({"a": "text"}, BODY),
        file({"a": entry(shape=(1,) * 40, offsets=(0, 8))}, BODY[:8]),
        file(b"[" * 100_000),
    ],
)
def test_anything_else_is_refused_by_its_name(data):
    with pytest.raises(ArtefactError, match=r"^strange\.bin: "):
        arrays_from_bytes(data, "strange.bin")


@given(st.data())
def test_a_damaged_file_is_refused_or_read_and_nothing_else(data):
    whole = arrays_to_bytes({"a": np.arange(4.0), "b": np.arange(3, dtype=np.int32)}, {"text": "x"})
    place = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:place] + bytes([data.draw(st.integers(0, 255))]) + whole[place + 1 :]
    with contextlib.suppress(ArtefactError):
        arrays_from_bytes(damaged[: data.draw(st.integers(0, len(whole)))], "file")


def test_other_kinds_of_numbers_are_not_written():
    with pytest.raises(ValueError, match="cannot write arrays of"):
        arrays_to_bytes({"a": np.array(["text"])}, {})
