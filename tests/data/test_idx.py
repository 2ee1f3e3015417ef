import gzip
import struct

import numpy as np
import pytest

from nnative.data import DataError, read_idx

CODES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}


def content(array, code):
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


LABELS = content(np.arange(5, dtype="uint8"), 0x08)


@pytest.fixture
def write(tmp_path):
    def write(data):
        path = tmp_path / "some-idx"
        path.write_bytes(data)
        return path

    return write


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("shape", [(7,), (0,), (3, 4), (2, 3, 5), (2, 0, 5)])
@pytest.mark.parametrize("code", CODES)
def test_reads_every_type_and_shape(write, code, shape, pack):
    wanted = (np.random.default_rng(0).standard_normal(shape) * 50).astype(CODES[code].replace("uint8", "int8"))
    wanted = wanted.astype(CODES[code])
    got = read_idx(write(pack(content(wanted, code))))
    assert got.dtype == wanted.dtype
    assert got.dtype.isnative
    assert got.flags.writeable
    assert got.flags.c_contiguous
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not an IDX file: it begins with nothing"),
        (b"\0\0", "not an IDX file"),
        (b"PK\3\4 and more", "not an IDX file: it begins with 50 4b 03 04"),
        (b"\0\0\x0a\1" + LABELS[4:], "not an IDX file"),
        (b"\0\0\x08\0\1", "0 dimensions"),
        (b"\0\0\x08\xff" + bytes(4 * 255), "255 dimensions"),
        (LABELS[:7], "truncated: 7 bytes do not hold the header of 8"),
        (LABELS[:-1], r"truncated: uint8 of shape \(5,\) takes 5 bytes, found 4"),
        (LABELS + b"!", "too long: .* takes 5 bytes, found 6"),
        (b"\0\0\x0e\3" + b"\xff" * 12, "truncated"),
        (gzip.compress(LABELS)[:-9], "broken gzip data"),
        (gzip.compress(LABELS) + b"!", "broken gzip data"),
        (gzip.compress(LABELS)[:15] + b"\xff\xff\xff" + gzip.compress(LABELS)[18:], "broken gzip data"),
    ],
)
def test_refuses_broken_files_in_one_line_with_their_name(write, data, words):
    path = write(data)
    with pytest.raises(DataError, match=words) as caught:
        read_idx(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_refuses_what_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match="nowhere: cannot be read: No such file"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_idx(tmp_path)
