"""`pactc fmt`: what it writes, what it leaves alone, and how it leaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli_tools import BROKEN, PACT, Pactc, pactc

from pactlang.cli import exits

__all__ = ["pactc"]

UGLY = 'pact a "1.0.0"\r\nclause b{require ok} // why\r\n'
NEAT = 'pact a "1.0.0"\n\nclause b { require ok }  // why\n'


def test_files_are_rewritten_in_place_and_keep_their_permissions(pactc: Pactc) -> None:
    pactc.write("a.pact", UGLY).chmod(0o640)
    os.symlink("a.pact", "link.pact")
    found = pactc("fmt", "link.pact", "shop.pact")
    assert (found.code, found.out, found.err) == (exits.FINE, "reformatted link.pact\n", "")
    assert Path("a.pact").read_bytes() == NEAT.encode()
    assert os.path.islink("link.pact")
    assert Path("a.pact").stat().st_mode & 0o777 == 0o640
    assert Path("shop.pact").read_text() == PACT
    assert sorted(os.listdir()) == ["a.pact", "link.pact", "log.jsonl", "shop.pact"]


def test_what_is_formatted_is_not_written(pactc: Pactc) -> None:
    before = Path("shop.pact").stat()
    found = pactc("fmt", "shop.pact")
    after = Path("shop.pact").stat()
    assert (found.code, found.out) == (exits.FINE, "")
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_check_names_what_would_change_and_writes_nothing(pactc: Pactc) -> None:
    pactc.write("a.pact", UGLY)
    found = pactc("fmt", "--check", "shop.pact", "a.pact")
    assert (found.code, found.out) == (exits.FOUND, "would reformat a.pact\n")
    assert Path("a.pact").read_bytes() == UGLY.encode()
    assert pactc("fmt", "--check", "shop.pact").code == exits.FINE


def test_diff_shows_what_would_change_and_writes_nothing(pactc: Pactc) -> None:
    pactc.write("a.pact", UGLY)
    found = pactc("fmt", "--diff", "a.pact", "shop.pact")
    assert found.code == exits.FINE
    assert found.out.splitlines()[:2] == ["--- a.pact", "+++ a.pact"]
    assert "-clause b{require ok} // why\\r" in found.out
    assert "+clause b { require ok }  // why" in found.out
    assert "shop" not in found.out
    assert Path("a.pact").read_bytes() == UGLY.encode()
    assert pactc("fmt", "--diff", "--check", "a.pact").code == exits.FOUND


def test_standard_input_goes_to_standard_output(pactc: Pactc) -> None:
    process = pactc.start("fmt", "-")
    out, err = process.communicate(UGLY.encode())
    assert (process.returncode, out, err) == (exits.FINE, NEAT.encode(), b"")
    found = pactc("fmt", "--check", "-", stdin=UGLY.encode())
    assert (found.code, found.out) == (exits.FOUND, "")
    assert "would reformat <stdin>" in found.err


def test_a_folder_is_walked(pactc: Pactc) -> None:
    for name in ("deep/er/b.pact", "deep/a.pact", "deep/a.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        pactc.write(name, UGLY)
    found = pactc("fmt", ".", "deep", "deep/a.pact")
    assert found.out.splitlines() == ["reformatted ./deep/a.pact", "reformatted ./deep/er/b.pact"]
    assert Path("deep/a.txt").read_bytes() == UGLY.encode()


@pytest.mark.parametrize("options", [[], ["--check"], ["--diff"]])
def test_what_cannot_be_parsed_is_left_alone(pactc: Pactc, options: list[str]) -> None:
    broken = 'pact a "1.0.0"\nclause b {require )}\n'
    pactc.write("bad.pact", broken)
    pactc.write("a.pact", UGLY)
    found = pactc("fmt", "bad.pact", "a.pact", *options)
    assert found.code == exits.FOUND
    assert "bad.pact:2:19" in found.err
    assert "bad.pact: 1 error" in found.err
    assert Path("bad.pact").read_text() == broken
    assert (Path("a.pact").read_bytes() == NEAT.encode()) == (not options)
    assert pactc("fmt", "-", stdin=broken.encode()).out == ""


def test_a_pact_need_not_compile(pactc: Pactc) -> None:
    pactc.write("bad.pact", BROKEN)
    assert pactc("fmt", "bad.pact").code == exits.FINE
    assert pactc("check", "bad.pact").code == exits.FOUND


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b'\xef\xbb\xbfpact a "1"', b"", b"}{"])
def test_what_is_no_text(pactc: Pactc, data: bytes) -> None:
    pactc.write("x.pact", data)
    found = pactc("fmt", "x.pact")
    assert found.code == exits.FOUND
    assert "x.pact:1:1" in found.err
    assert Path("x.pact").read_bytes() == data


def test_what_cannot_be_formatted_at_all(pactc: Pactc) -> None:
    pactc("build", "shop.pact")
    for path, why in (("none.pact", "no such file"), ("shop.pactc", "is built")):
        found = pactc("fmt", path)
        assert found.code == exits.UNABLE
        assert path in found.err
        assert why in found.err
    assert "place" in pactc("fmt", "--help").out
