# SPDX-License-Identifier: Apache-2.0
"""Just enough protobuf for the tests to write and read messages without the code under test."""
import struct

FIXED64, BYTES, FIXED32 = 1, 2, 5


def varint(n):
    out = b''
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    """int is fixed32, float is float, a pair ('q', int) is fixed64, bytes are bytes."""
    if isinstance(value, bytes):
        return varint(number << 3 | BYTES) + varint(len(value)) + value
    if isinstance(value, tuple):
        return varint(number << 3 | FIXED64) + struct.pack('<Q', value[1])
    return varint(number << 3 | FIXED32) + struct.pack('<f' if isinstance(value, float) else '<I', value)


def take_varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def parse(data):
    """Fields by number; floats stay as their bits."""
    out, at = {}, 0
    while at < len(data):
        tag, at = take_varint(data, at)
        kind = tag & 7
        if kind == BYTES:
            size, at = take_varint(data, at)
        else:
            size = {FIXED32: 4, FIXED64: 8}[kind]
        piece = data[at:at + size]
        assert len(piece) == size and tag >> 3 not in out
        out[tag >> 3] = piece if kind == BYTES else int.from_bytes(piece, 'little')
        at += size
    return out
