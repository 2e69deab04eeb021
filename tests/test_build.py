"""The order of the front half: what is reported together, and what is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

import pactlang
from pactlang import CompileError, ProgramError
from pactlang.build import compile_source
from pactlang.source import Source

HEAD = 'pact t "1.0.0"\n'


def found(body: str) -> list[tuple[int, str]]:
    """Line and code of every diagnostic."""
    source = Source("t.pact", HEAD + body)
    program, diagnostics = compile_source(source)
    assert program is None
    return [(source.place(d.primary.span.start).line, d.code) for d in diagnostics]


def test_mistakes_of_syntax_and_of_meaning_come_together() -> None:
    lines = found(
        'clause a { require tool = "x" }\nclause b { require size(output) == "x" }\nclause c { require modle == "x" }'
    )
    assert lines == [(2, "syntax"), (3, "type-mismatch"), (4, "unknown-field")]


def test_what_a_mistake_of_syntax_may_have_caused_is_left_out() -> None:
    lines = found(
        'let cap = 5 +\nclause a { require latency < 5 }\nclause b { require args.n < cap }\nclause c { require size(output) == "x" }'
    )
    assert [code for _, code in lines] == ["syntax", "type-mismatch"]
    assert lines[1][0] == 5


def test_many_mistakes_of_both_kinds_are_in_order() -> None:
    body = "\n".join(f"clause c{i} {{ require {'tool = 1' if i % 2 else 'output == 1'} }}" for i in range(40))
    lines = found(body)
    assert lines == sorted(lines) and len(lines) == 40


def test_load_tells_files_apart_by_their_first_bytes(tmp_path: Path) -> None:
    text = HEAD + 'clause a { require output != "" }'
    source, artifact, other = tmp_path / "a.pact", tmp_path / "a.bin", tmp_path / "b.pactc"
    source.write_text(text)
    artifact.write_bytes(pactlang.compile(text).to_bytes())
    other.write_bytes(b"PACTjunk")
    assert pactlang.load(source).digest == pactlang.load(str(artifact)).digest
    with pytest.raises(ProgramError):
        pactlang.load(other)
    with pytest.raises(ProgramError):
        pactlang.load(text.encode())
    with pytest.raises(FileNotFoundError):
        pactlang.load(tmp_path / "none.pact")


@pytest.mark.parametrize(
    "data", [b'\xef\xbb\xbfpact p "1.0.0"', b'pact p "1.0.0" // \xff', b"", b"\x00" * 100]
)
def test_unreadable_pacts_are_compile_errors(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.pact"
    path.write_bytes(data)
    with pytest.raises(CompileError) as refused:
        pactlang.load(path)
    assert refused.value.diagnostics and str(refused.value)
