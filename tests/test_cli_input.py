"""The block reader: every line once, in order, with its number, whatever the file is like."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pactlang.cli.exits import Fault
from pactlang.cli.input import CHUNK, Block, Broken, Input, Overlong, open_inputs, split

SMALL, LIMIT = 4, 10
PIECES = [b"a", b"\n", b"\r\n", b"abcdefgh", b"x" * 25, b"\n\n"]


class Bytes:
    """A stream that gives `data` in pieces of at most `most` bytes, then perhaps fails."""

    def __init__(self, data: bytes, most: int = 1 << 30, error: Exception | None = None) -> None:
        self.data, self.most, self.error = data, most, error

    def read(self, size: int, /) -> bytes:
        size = min(size, self.most)
        data, self.data = self.data[:size], self.data[size:]
        if not data and self.error is not None:
            raise self.error
        return data


def lines(blocks: object) -> list[tuple[int, bytes | int]]:
    """(number, line) for each line of the blocks, (number, size) for one that is too long."""
    found: list[tuple[int, bytes | int]] = []
    for block in blocks:  # type: ignore[attr-defined]
        if isinstance(block, Overlong):
            found.append((block.line, block.size))
        else:
            parts = block.data.split(b"\n")
            parts = parts[:-1] if parts[-1] == b"" else parts
            found += [(block.first + i, part) for i, part in enumerate(parts)]
    return found


def expected(data: bytes, limit: int) -> list[tuple[int, bytes | int]]:
    parts = data.split(b"\n")
    parts = parts[:-1] if parts[-1] == b"" else parts
    return [(i, p if len(p) <= limit else len(p)) for i, p in enumerate(parts, 1)]


@given(
    st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join),
    st.integers(1, SMALL),
    st.integers(SMALL, LIMIT),
)
def test_every_line_comes_once_with_its_number(data: bytes, chunk: int, limit: int) -> None:
    assert lines(split(Bytes(data), chunk, limit)) == expected(data, limit)


@given(st.binary(max_size=60), st.integers(1, 7))
def test_the_pieces_a_pipe_gives_do_not_matter(data: bytes, most: int) -> None:
    assert lines(split(Bytes(data, most), LIMIT, LIMIT)) == expected(data, LIMIT)


@pytest.mark.parametrize("data", [b"", b"\n", b"\n\n\n"])
def test_nothing_to_read(data: bytes) -> None:
    assert b"".join(b.data for b in split(Bytes(data))) == data  # type: ignore[union-attr]


def test_a_line_of_exactly_the_limit_is_a_record() -> None:
    assert lines(split(Bytes(b"x" * LIMIT + b"\nyy\n"), SMALL, LIMIT)) == [(1, b"x" * LIMIT), (2, b"yy")]
    assert lines(split(Bytes(b"x" * (LIMIT + 1) + b"\nyy\n"), SMALL, LIMIT)) == [(1, LIMIT + 1), (2, b"yy")]


def test_an_overlong_line_is_not_held() -> None:
    reader = split(Bytes(b"x" * 100_000 + b"\nlast"), SMALL, LIMIT)
    assert list(reader) == [Overlong(1, 100_000), Block(b"last", 2)]


def test_an_overlong_line_without_an_end() -> None:
    assert list(split(Bytes(b"a\n" + b"x" * 50), SMALL, LIMIT)) == [Block(b"a\n", 1), Overlong(2, 50)]


def test_what_came_before_a_failure_is_handed_out() -> None:
    found = []
    with pytest.raises(OSError, match="gone"):  # noqa: PT012
        for block in split(Bytes(b"one\ntwo\nthr", error=OSError("gone")), SMALL, LIMIT):
            found.append(block)
    assert lines(found) == [(1, b"one"), (2, b"two"), (3, b"thr")]


def read(path: Path, chunk: int = SMALL, limit: int = 1 << 20) -> list[tuple[int, bytes | int]]:
    (given,) = open_inputs([str(path)])
    return lines(given.blocks(chunk, limit))


ROWS = b"".join(b'{"id": "%d"}\n' % i for i in range(2000))


def test_gzip_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "a.jsonl"):
        (tmp_path / name).write_bytes(gzip.compress(ROWS[:500]) + gzip.compress(ROWS[500:]))
        assert read(tmp_path / name) == expected(ROWS, 1 << 20)
    (tmp_path / "plain.jsonl.gz").write_bytes(ROWS)
    assert read(tmp_path / "plain.jsonl.gz") == expected(ROWS, 1 << 20)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda z: z[:-20], "cut short"),
        (lambda z: z[: len(z) // 2], "cut short"),
        (lambda z: z[:12], "cut short"),
        (lambda z: z[:-8] + b"\0" * 8, "damaged"),
        (lambda z: z + b"garbage", "damaged"),
        (lambda z: z[:3000] + b"\xff" * 500 + z[3500:], "damaged"),
    ],
)
def test_broken_gzip_gives_what_it_can_and_says_so(tmp_path: Path, spoil: object, why: str) -> None:
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(spoil(gzip.compress(ROWS)))  # type: ignore[operator]
    (given,) = open_inputs([str(path)])
    found = []
    with pytest.raises(Broken, match=f"log.jsonl.gz breaks off: .*{why}"):  # noqa: PT012
        for block in given.blocks():
            found.append(block)
    data = b"".join(b.data for b in found)
    if len(path.read_bytes()) > 100:
        assert data
        assert ROWS.startswith(data[:1000])


def test_a_gzip_bomb_is_one_long_line(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(80):
            file.write(b"0" * (1 << 20))
        file.write(b"\n{}\n")
    assert read(path, CHUNK, 64 << 20) == [(1, 80 << 20), (2, b"{}")]


def test_the_position_is_that_in_the_stored_file(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(ROWS))
    (given,) = open_inputs([str(path)])
    assert given.size == path.stat().st_size
    assert given.position == 0
    for _ in given.blocks():
        assert 0 < given.position <= given.size
    assert given.position == 0


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_byte_order_mark_is_passed_over_and_noticed(tmp_path: Path, pack: object) -> None:
    path = tmp_path / "bom.jsonl"
    path.write_bytes(pack(b"\xef\xbb\xbf{}\n{}"))  # type: ignore[operator]
    (given,) = open_inputs([str(path)])
    assert lines(given.blocks()) == [(1, b"{}"), (2, b"{}")]
    assert given.bom


@pytest.mark.parametrize(
    ("data", "what"),
    [(b"\xff\xfe{\0", "UTF-16"), (b"PAR1xxxx", "Parquet"), (b"PK\3\4", "zip")],
)
def test_files_of_another_kind_are_named(tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(data)
    with pytest.raises(Fault, match=what):
        open_inputs([str(path)])


def test_every_unreadable_file_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(Fault) as caught:
        open_inputs([str(tmp_path), str(tmp_path / "none.jsonl"), "nul\0.jsonl"])
    text = caught.value.message
    assert "it is a directory" in text
    assert "none.jsonl: no such file" in text
    assert "nul\\x00.jsonl" in text
    assert caught.value.exit_code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"{}")
    path.chmod(0)
    with pytest.raises(Fault, match="permission denied"):
        open_inputs([str(path)])


def test_standard_input_only_once() -> None:
    with pytest.raises(Fault, match="once"):
        open_inputs(["-", "-"])


def test_a_named_pipe_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    (given,) = open_inputs([str(path)])
    writer = threading.Thread(target=path.write_bytes, args=(b"\xef\xbb\xbf{}\n[]",))
    writer.start()
    assert lines(given.blocks()) == [(1, b"{}"), (2, b"[]")]
    writer.join()
    assert given.size is None


def test_a_non_blocking_pipe_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    threading.Timer(0.2, lambda: (os.write(writer, b"{}\n"), os.close(writer))).start()
    with os.fdopen(reader, "rb") as file:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=file))
        assert lines(Input("-").blocks()) == [(1, b"{}")]


def test_a_file_that_goes_away_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(ROWS)
    (given,) = open_inputs([str(path)])
    path.unlink()
    with pytest.raises(Broken, match=r"a\.jsonl breaks off: no such file"):
        list(given.blocks())
