"""Where pictures begin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_emotions.bitstream import picture_starts
from video_emotions.units import opens_group

KINDS = st.sampled_from(["h264", "vp8", "vp9", "hevc"])


def bits(*fields: tuple[int, int] | int) -> bytes:
    """Write numbers: (value, width), or alone in Exp-Golomb code."""
    text = ""
    for field in fields:
        if isinstance(field, tuple):
            text += format(field[0], f"0{field[1]}b") if field[1] else ""
        else:
            code = format(field + 1, "b")
            text += "0" * (len(code) - 1) + code
    text += "1"
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def unit(kind: int, content: bytes) -> bytes:
    return b"\0\0\0\1" + bytes([0x60 | kind]) + content


def sps(*, frames_only: int, high: bool = False) -> bytes:
    """Write a parameter set: numbers of 6 bits, in `high` with lists of which the first one ends early."""
    head: list[tuple[int, int] | int] = [(100 if high else 77, 8), (0, 16), 0]
    if high:
        head += [1, 0, 0, (0, 1), (1, 1), (1, 1), 16, (0, 7)]  # 16: a difference of -8, so the scale is 0
    return unit(7, bits(*head, 2, 0, 2, 1, (0, 1), 9, 5, (frames_only, 1)))


PPS = unit(8, bits(0, 0))


def piece(number: int, parity: int | None, *, first: int = 0) -> bytes:
    """Write a slice of a field, or of a frame in a stream that can have fields."""
    field = [(0, 1)] if parity is None else [(1, 1), (parity, 1)]
    return unit(1, bits(first, 5, 0, (number, 6), *field, (0, 12)))


@pytest.mark.parametrize("high", [False, True])
def test_the_second_field_has_the_other_parity_and_the_same_number(high):
    starts = picture_starts("h264", sps(frames_only=0, high=high) + PPS)
    packets = [
        *[(1, 0, True), (1, 1, False)],  # top, bottom
        *[(2, 1, True), (2, 0, False)],  # bottom, top
        *[(3, 0, True), (3, 0, True), (3, 1, False)],  # two of one parity: the first one stays alone
        *[(4, 0, True), (5, 1, True), (5, 0, False)],  # another number: the same
        *[(6, 0, True), (6, None, True), (6, 1, True)],  # a whole frame between
    ]
    assert [starts(memoryview(piece(number, parity)), False) for number, parity, _ in packets] == [
        expected for _, _, expected in packets
    ]


def test_parameters_may_come_in_the_stream_and_behind_other_units():
    starts = picture_starts("h264", b"")
    delimiter, message = unit(9, b"\xf0"), unit(6, b"\x05" + b"x" * 900)
    first = delimiter + sps(frames_only=0) + PPS + message + piece(0, 0)
    assert [starts(memoryview(packet), True) for packet in (first, delimiter + piece(0, 1))] == [True, False]


def test_a_stream_without_fields_is_not_looked_into():
    starts = picture_starts("h264", sps(frames_only=1) + PPS)
    assert all(starts(memoryview(piece(1, parity)), False) for parity in (0, 1))


@pytest.mark.parametrize(
    ("codec", "packet", "shown"),
    [
        ("vp8", b"\x10", True),
        ("vp8", b"\x01", False),
        ("vp9", b"\x82\0", True),
        ("vp9", b"\x80\0", False),
        ("vp9", b"\x88\0", True),  # shows a picture that exists
        ("vp9", b"\xb1\0", True),  # profile 3 has one bit more
        ("vp9", b"\xb0\0", False),
        ("vp9", b"\x80\0\xc1\x01\x01\xc1", True),  # a superframe
        ("av1", b"\x12", True),
    ],
)
def test_a_picture_is_shown_or_only_referred_to(codec, packet, shown):
    assert picture_starts(codec, b"")(memoryview(packet), False) is shown


@given(KINDS, st.binary(max_size=60), st.lists(st.tuples(st.binary(min_size=1, max_size=80), st.booleans())))
def test_any_bytes_are_read_without_an_error(codec, extradata, packets):
    for begin in (b"", b"\1\x64\0\x1f\xff\xe1", sps(frames_only=0) + PPS):
        starts = picture_starts(codec, begin + extradata)
        for packet, is_keyframe in packets:
            assert starts(memoryview(packet), is_keyframe) in {True, False}


IDR, SLICE = unit(5, b"\x88"), unit(1, b"\x88")


def opened(*packets: tuple[bytes, bool], codec: str = "h264", extradata: bytes = b"") -> list[bool]:
    opens = opens_group(codec, extradata)
    return [opens(memoryview(packet), is_keyframe) for packet, is_keyframe in packets]


def test_a_keyframe_that_is_no_idr_opens_a_group():
    parameters = sps(frames_only=1) + PPS
    assert opened((parameters + IDR, True), (SLICE, False), (IDR, True)) == [False, False, False]
    assert opened((IDR, True), (parameters + SLICE, True)) == [False, True]
    with_lengths = bytes([1, 100, 0, 30, 0xFF, 0xE0, 0])
    assert opened((b"\0\0\0\2" + IDR[4:6], True), (b"\0\0\0\2" + SLICE[4:6], True), extradata=with_lengths) == [
        False,
        True,
    ]


def test_a_file_that_begins_between_keyframes_begins_in_an_open_group():
    assert opened((SLICE, False), (SLICE, False), (IDR, True)) == [True, False, False]


def test_other_codecs_have_no_such_groups():
    assert opened((SLICE, False), (SLICE, True), codec="hevc") == [False, False]


@given(st.binary(min_size=1, max_size=60), st.binary(max_size=12), st.booleans())
def test_any_bytes_open_a_group_or_not(packet, extradata, is_keyframe):
    assert opened((packet, is_keyframe), extradata=extradata) in ([False], [True])
