"""Read record files as blocks of whole lines, in bounded memory.

In: paths (`-` is standard input), plain or gzip.  Out: `Block`s of whole lines and `Overlong` marks,
in the order of the file.

A line beyond the limit is passed over without being held.  What was read before a file breaks off is
handed out first; then `Broken` says which file and why.
"""

from __future__ import annotations

import gzip
import os
import select
import stat
import sys
import zlib
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pactlang._runtime import count_lines
from pactlang.cli.documents import LARGEST, Numbered, is_document, records
from pactlang.cli.exits import Fault, reason
from pactlang.cli.foreign import is_suspect, opened_line
from pactlang.cli.screen import printable

if TYPE_CHECKING:
    from pactlang.cli.stored import Withholding
    from pactlang.ledger import Aside

CHUNK = 1 << 20  # bytes per read: enough to make a batch worth its cost, small beside the memory bound
LONGEST_LINE = 64 << 20  # bytes; a longer line is an undecodable record
BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
ZSTD_STEP = 1 << 10  # bytes that are unpacked at a time: at most 32 MB come of them
ZSTD_WINDOW = 128 << 20  # bytes that a frame may look back, which are held; what `zstd --long` writes
FOREIGN = {
    b"BZh": "bzip2 data; decompress it first, for instance with `bzip2 -dc`",
    b"\xfd7zXZ": "xz data; decompress it first, for instance with `xz -dc`",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"PAR1": "a Parquet file; `pactc run` reads one that is named",
    b"PACT": "a built pact, not a file of records",
    b"\xff\xfe": "UTF-16 text; convert it first, for instance with `iconv -f UTF-16 -t UTF-8`",
    b"\xfe\xff": "UTF-16 text; convert it first, for instance with `iconv -f UTF-16 -t UTF-8`",
}
HEAD = 8  # bytes that are looked at to tell what a file is
FIRST = 64  # bytes that are looked at to tell whether it holds lines


class Block(NamedTuple):
    """Whole lines of one file; `first` is the number, from 1, of the first of them.

    withheld: the lines of a ledger's calls of which something was not stored.  numbers: where each line
    stands in the file, if they do not follow one another there.  steps: what a ledger holds behind the call
    of a line, from 1 (0: before the first), ends of sessions, and times.  captures: of a ledger that is asked
    for them, each line's writer and number; asides: the same of what is no call.
    """

    data: bytes
    first: int
    withheld: Withholding | None = None
    numbers: tuple[int, ...] | None = None
    steps: dict[int, list[Aside]] = {}  # noqa: RUF012  (of a tuple; nobody writes into the default)
    captures: tuple[tuple[str, int], ...] | None = None
    asides: tuple[tuple[str, int], ...] = ()

    def number(self, line: int) -> int:
        """Where a line of the block, from 1, stands in the file."""
        return self.first + line - 1 if self.numbers is None else self.numbers[line - 1]


class Overlong(NamedTuple):
    """A line that is too long to be a record; `size` is its length in bytes."""

    line: int
    size: int


class Broken(Exception):
    """A file that could not be read to its end; the message names it and says why."""


class Stream(Protocol):
    """What the reader asks of a file: at most `size` bytes, empty at the end, None if none are there yet."""

    def read(self, size: int, /) -> bytes | None: ...


class Input:
    """One record file.  `size` is its stored length in bytes, None for a pipe or a device.

    opens: calls in another program's form are opened (`foreign`); for a pact about `Call`.
    `opened` counts the lines that were.  follows: at the end it waits for more (`follow`).
    is_sparse: its records leave out the fields that have their defaults.
    """

    is_sparse = False

    def __init__(self, path: str) -> None:
        self.path = path
        self.name = "<stdin>" if path == "-" else printable(path)
        self.size: int | None = None
        self.bom = False
        self.opens = False
        self.opened = 0
        self.follows = False
        self._file: Stream | None = None

    def check(self) -> str:
        """Why this cannot be read as records, or "".  A pipe is looked at only when it is read."""
        try:
            if self.path == "-":
                return "" if sys.stdin is not None else "standard input is closed"
            status = os.stat(self.path)
            if stat.S_ISDIR(status.st_mode):
                return f"cannot read {self.name}: it is a directory"
            if stat.S_ISREG(status.st_mode):
                self.size = status.st_size
                with open(self.path, "rb", buffering=0) as file:
                    return self._foreign(file.read(HEAD))
        except (OSError, ValueError) as error:
            return f"cannot read {self.name}: {reason(error)}"
        return ""

    @property
    def position(self) -> int:
        """How many stored bytes have been read of a file whose size is known."""
        tell = getattr(self._file, "tell", None)
        return tell() if tell is not None and self.size is not None else 0

    def blocks(self, chunk: int = CHUNK, longest: int = LONGEST_LINE) -> Iterator[Block | Overlong]:
        """The lines of this file.  Raises `Broken` after the last one that could be read."""
        try:
            with _Raw(self.path, self.follows) as raw:
                self._file = raw.file
                stream = self._decoded(raw)
                blocks = split if self.follows else _blocks  # a document has an end
                for block in blocks(stream, chunk, longest):
                    yield block if isinstance(block, Overlong) or not self.opens else self._open(block)
        except (OSError, EOFError, zlib.error) as error:
            raise Broken(f"{self.name} breaks off: {_breakage(error)}") from error
        finally:
            self._file = None

    def _decoded(self, raw: Stream) -> Stream:
        head = raw.read(CHUNK) or b"" if self.follows else _fill(raw, HEAD)
        foreign = self._foreign(head)
        if foreign:
            raise Broken(foreign)
        stream: Stream = _Ahead(head, raw)
        if head.startswith((GZIP, ZSTD)) and self.follows:
            raise Broken(f"{self.name} is compressed, and cannot be followed")
        if head.startswith(GZIP):
            stream = _Unzipped(stream)
        elif head.startswith(ZSTD):
            stream = _Unpacked(stream)
        start = stream.read(CHUNK) or b"" if self.follows else _fill(stream, len(BOM))
        self.bom = start.startswith(BOM)
        return _Ahead(start[len(BOM) :] if self.bom else start, stream)

    def _open(self, block: Block) -> Block:
        """The block with its calls in the names of `Call`."""
        if not is_suspect(block.data):
            return block
        lines: list[bytes] = []
        numbers: list[int] = []
        for at, line in enumerate(block.data.split(b"\n"), 1):
            found = opened_line(line) if line else None
            self.opened += found is not None
            lines += [line] if found is None else found
            numbers += [block.number(at) if line else 0] * (1 if found is None else len(found))
        return Block(b"\n".join(lines), block.first, None, tuple(numbers))

    def _foreign(self, head: bytes) -> str:
        if head.startswith(ZSTD) and find_spec("zstandard") is None:
            return f"cannot read {self.name}: zstd data needs `pip install 'pactlang[zstd]'`"
        for magic, what in FOREIGN.items():
            if head.startswith(magic):
                return f"cannot read {self.name}: this is {what}"
        return ""


def open_inputs(paths: Sequence[str], columns: bool = False) -> list[Input]:
    """The inputs, each of them looked at; a `Fault` names every one that cannot be read.

    columns: Parquet files are welcome.
    """
    if paths.count("-") > 1:
        raise Fault("`-` stands for standard input and can be given once")
    inputs = [_input(path, columns) for path in paths]
    faults = [fault for fault in (each.check() for each in inputs) if fault]
    if faults:
        raise Fault("\n".join(faults))
    return inputs


def _input(path: str, columns: bool) -> Input:
    """A file of records, a ledger, or a file of columns."""
    if path != "-" and os.path.isfile(path):
        from pactlang.ledger.file import is_database

        if is_database(path):
            from pactlang.cli.stored import StoredInput

            return StoredInput(path)
        if columns and is_parquet(path):
            from pactlang.cli.parquet import ParquetInput

            return ParquetInput(path)
    return Input(path)


def is_parquet(path: str) -> bool:
    """Whether a file begins as a Parquet file does."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(4) == b"PAR1"
    except (OSError, ValueError):
        return False


def _blocks(stream: Stream, chunk: int, longest: int) -> Iterator[Block | Overlong]:
    """The blocks of a stream of lines, or of one document."""
    head = _fill(stream, FIRST)
    if not is_document(head):
        yield from split(_Ahead(head, stream), chunk, longest)
        return
    data = head + _fill(stream, LARGEST + 1 - len(head))
    if len(data) > LARGEST:
        yield from split(_Ahead(data, stream), chunk, longest)
        return
    found = records(data)
    if found is None:
        yield from split(_Ahead(data, stream), chunk, longest)
    else:
        yield from _gathered(found, chunk)


def _gathered(found: Sequence[Numbered], chunk: int) -> Iterator[Block]:
    """Numbered lines in blocks of about `chunk` bytes."""
    held: list[Numbered] = []
    size = 0
    for each in found:
        held.append(each)
        size += len(each[1])
        if size >= chunk or each is found[-1]:
            numbers, lines = zip(*held, strict=True)
            yield Block(b"\n".join(lines), 1, None, numbers)
            held, size = [], 0


def split(stream: Stream, chunk: int = CHUNK, longest: int = LONGEST_LINE) -> Iterator[Block | Overlong]:
    """Cut a stream into blocks of whole lines; the last line needs no line break.

    Holds at most one line of `longest` bytes and one chunk.  `chunk` must not exceed `longest`: then a
    line that lies within one chunk is never too long.
    """
    lines = _Splitter(longest)
    try:
        while data := stream.read(chunk):
            yield from lines.feed(data)
    except (OSError, EOFError, zlib.error):
        yield from lines.finish()
        raise
    yield from lines.finish()


class _Splitter:
    """The line that is not yet whole: its `parts`, none of them kept once it is too long, and its length."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.line = 1
        self.parts: list[bytes] = []
        self.held = 0

    def feed(self, data: bytes) -> Iterator[Block | Overlong]:
        if self.held:
            end = data.find(b"\n")
            if end >= 0 and self.held + end > self.longest:
                yield self._overlong(end)
                data = data[end + 1 :]
        cut = data.rfind(b"\n") + 1
        if cut:
            yield self._block(memoryview(data)[:cut])  # the block is the only copy
        if cut < len(data):
            self._hold(data[cut:])

    def finish(self) -> Iterator[Block | Overlong]:
        if self.held > self.longest:
            yield self._overlong(0)
        elif self.held:
            yield self._block(b"")

    def _hold(self, data: bytes) -> None:
        self.held += len(data)
        if self.held <= self.longest:
            self.parts.append(data)
        else:
            self.parts.clear()

    def _block(self, data: bytes | memoryview) -> Block:
        block = Block(b"".join((*self.parts, data)), self.line)
        self.line += count_lines(block.data) - 1
        self._forget()
        return block

    def _overlong(self, more: int) -> Overlong:
        mark = Overlong(self.line, self.held + more)
        self.line += 1
        self._forget()
        return mark

    def _forget(self) -> None:
        self.parts, self.held = [], 0


class _Raw:
    """A file or standard input without a buffer of Python's, so that nothing is lost on an interrupt."""

    def __init__(self, path: str, follows: bool) -> None:
        self.keep = path == "-"
        if follows and not self.keep:
            from pactlang.cli.follow import Followed

            self.file: Any = Followed(path)
        elif self.keep:
            self.file = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
        else:
            self.file = open(path, "rb", buffering=0)  # noqa: SIM115

    def __enter__(self) -> _Raw:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.keep:
            self.file.close()

    def read(self, size: int, /) -> bytes:
        while (data := self.file.read(size)) is None:  # a non-blocking pipe with nothing in it yet
            select.select([self.file], [], [])
        return bytes(data)


class _Ahead:
    """A stream of which the first bytes have been read already."""

    def __init__(self, head: bytes, rest: Stream) -> None:
        self.head = head
        self.rest = rest

    def read(self, size: int, /) -> bytes:
        if self.head:
            data, self.head = self.head[:size], self.head[size:]
            return data
        return self.rest.read(size) or b""


class _Unpacked:
    """The contents of zstd data, frame after frame.

    The library gives all that comes of the bytes it is given: a few at a time, a frame made to swell
    stays within some MB.  The end of a frame is looked for, as one that is cut short raises nothing.
    """

    def __init__(self, stream: Stream) -> None:
        import zstandard

        self.stream = stream
        self.unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
        self.frame: Any = None
        self.packed = b""
        self.ready = bytearray()

    def read(self, size: int, /) -> bytes:
        import zstandard

        try:
            while len(self.ready) < size and self._more():
                pass
        except zstandard.ZstdError as error:
            if not self.ready:
                raise OSError(f"the zstd data is damaged ({printable(str(error))})") from error
        data = bytes(self.ready[:size])
        del self.ready[:size]
        return data

    def _more(self) -> bool:
        """Unpack the next few bytes; false at the end."""
        if not self.packed:
            self.packed = self.stream.read(CHUNK) or b""
        if not self.packed:
            if self.frame is not None and not self.ready:
                raise EOFError("the zstd data ends too early; the file is cut short")
            return False
        if self.frame is None:
            self.frame = self.unpacker.decompressobj()
        step, self.packed = self.packed[:ZSTD_STEP], self.packed[ZSTD_STEP:]
        self.ready += self.frame.decompress(step)
        if self.frame.eof:
            self.packed, self.frame = self.frame.unused_data + self.packed, None
        return True


class _Unzipped:
    """The contents of gzip data, at most `size` bytes at a time however far they expand.

    `read1` decompresses once per call, so a defect takes nothing with it that came before.
    """

    def __init__(self, stream: Stream) -> None:
        self.file = gzip.GzipFile(fileobj=stream, mode="rb")  # type: ignore[call-overload]
        self.defect: Exception | None = None

    def read(self, size: int, /) -> bytes:
        if self.defect is not None:
            raise self.defect
        parts: list[bytes] = []
        try:
            while size > 0 and (data := self.file.read1(size)):
                parts.append(data)
                size -= len(data)
        except (OSError, EOFError, zlib.error) as error:
            self.defect = error
        if self.defect is not None and not parts:
            raise self.defect
        return b"".join(parts)


def _fill(stream: Stream, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


def _breakage(error: Exception) -> str:
    if isinstance(error, EOFError):
        return str(error) if "zstd" in str(error) else "the gzip data ends too early; the file is cut short"
    if isinstance(error, zlib.error | gzip.BadGzipFile):
        return f"the gzip data is damaged ({printable(str(error))})"
    return reason(error)
