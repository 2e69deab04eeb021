"""The file beside a ledger that takes calls while the database cannot keep up.

In: rows, as they would be written.  Out: the same rows, in the same order, when there is time.

    PATH.spill-RUN-N: 8 bytes of magic, then frames: length (4 bytes, little-endian), CRC-32 of the row
    (4 bytes), the row as msgpack.

Its owner holds a lock on it (`flock`), which ends with the process: who can take the lock has found
what an ended process left.  The last frame may be cut short; everything before it is whole.
"""

from __future__ import annotations

import fcntl
import glob
import os
import struct
import zlib
from contextlib import suppress
from typing import NamedTuple

import msgspec

from pactlang.ledger.rows import Row

MAGIC = b"PACTSPL1"
FRAME = struct.Struct("<II")
PIECE = 4 << 20  # bytes that are read at once, and more only for a frame that is larger

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Row).decode


class Taken(NamedTuple):
    """Rows of a spill file, and where in it the next one begins."""

    rows: list[Row]
    offset: int


class Spill:
    """A spill file that is open, locked by this process.  `size`: bytes of whole frames."""

    def __init__(self, path: str, file: int, size: int) -> None:
        self.path = path
        self.file = file
        self.size = size

    @property
    def name(self) -> str:
        """The file's name, without its folder."""
        return os.path.basename(self.path)

    @classmethod
    def create(cls, path: str) -> Spill:
        """A new file.  OSError if it cannot be made."""
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            _write(file, MAGIC)
        except OSError:
            os.close(file)
            with suppress(OSError):
                os.unlink(path)
            raise
        return cls(path, file, len(MAGIC))

    @classmethod
    def adopt(cls, path: str) -> Spill | None:
        """A file whose owner has ended; None while it lives, or if the file is gone."""
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file).st_nlink:
                return cls(path, file, os.fstat(file).st_size)
        except OSError:
            pass
        os.close(file)
        return None

    def append(self, row: Row) -> None:
        """Add a row.  OSError if the disk refuses; what stands before stays whole."""
        payload = _encode(row)
        frame = FRAME.pack(len(payload), zlib.crc32(payload)) + payload
        try:
            _write(self.file, frame)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self.file, self.size)
                os.lseek(self.file, self.size, os.SEEK_SET)
            raise
        self.size += len(frame)

    def read(self, offset: int) -> Taken:
        """The whole rows from `offset` on, at most about PIECE bytes of them."""
        offset = max(offset, len(MAGIC))
        rows: list[Row] = []
        data = os.pread(self.file, PIECE, offset)
        first = FRAME.size + FRAME.unpack_from(data)[0] if len(data) >= FRAME.size else 0
        if len(data) < first <= self.size - offset:
            data = os.pread(self.file, first, offset)
        at = 0
        while (row := _frame(data, at)) is not None:
            rows.append(row)
            at += FRAME.size + FRAME.unpack_from(data, at)[0]
        return Taken(rows, offset + at)

    def sync(self) -> None:
        """Make what was appended durable."""
        os.fsync(self.file)

    def close(self, remove: bool) -> None:
        """Let go of the file; remove it if all of it has been taken in."""
        if remove:
            with suppress(OSError):
                os.unlink(self.path)
        with suppress(OSError):
            os.close(self.file)


def left_behind(path: str) -> list[str]:
    """The spill files beside a ledger, whoever's they are."""
    return sorted(glob.glob(glob.escape(path) + ".spill-*"))


def _frame(data: bytes, at: int) -> Row | None:
    """The row of the frame at `at`; None if it is cut short or damaged."""
    if len(data) - at < FRAME.size:
        return None
    size, checksum = FRAME.unpack_from(data, at)
    payload = data[at + FRAME.size : at + FRAME.size + size]
    if len(payload) < size or zlib.crc32(payload) != checksum:
        return None
    try:
        return _decode(payload)
    except msgspec.MsgspecError:
        return None


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
