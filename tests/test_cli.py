"""`pactc check`, `build`, `explain`: what they say and how they leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_tools import BROKEN, LOG, Pactc, pactc

import pactlang
from pactlang.cli import exits

__all__ = ["pactc"]


# check ---------------------------------------------------------------------------------------------


def test_check_says_what_a_pact_is(pactc: Pactc) -> None:
    found = pactc("check", "shop.pact")
    assert found.code == exits.FINE
    digest = pactlang.load("shop.pact").digest
    assert found.out.splitlines()[-1].startswith("shop.pact: shop 1.2.0, 3 clauses, reads Step (")
    assert digest[:12] in found.out


def test_check_draws_every_error_and_leaves_with_1(pactc: Pactc) -> None:
    pactc.write("bad.pact", BROKEN)
    found = pactc("check", "bad.pact", "shop.pact")
    assert found.code == exits.FOUND
    assert "error[unknown-field]" in found.out
    assert "bad.pact:2:20" in found.out
    assert "bad.pact:3:" in found.out
    assert "bad.pact: 2 errors" in found.out
    assert "shop.pact: shop 1.2.0" in found.out


def test_check_json(pactc: Pactc) -> None:
    pactc.write("bad.pact", BROKEN)
    found = pactc("check", "shop.pact", "bad.pact", "--format", "json")
    assert found.code == exits.FOUND
    good, bad = found.data["pacts"]
    assert found.data["ok"] is False
    assert found.data["errors"] == 2
    assert (good["ok"], good["name"], good["clauses"]) == (
        True,
        "shop",
        ["small_refunds", "no_secrets", "cheap"],
    )
    assert good["reads"]["Step"]
    assert bad["ok"] is False
    assert [d["start"]["line"] for d in bad["diagnostics"]] == [2, 3]
    assert bad["diagnostics"][0]["code"] == "unknown-field"


def test_check_reads_standard_input(pactc: Pactc) -> None:
    assert pactc("check", "-", stdin=Path("shop.pact").read_bytes()).out.startswith("<stdin>: shop 1.2.0")
    found = pactc("check", "-", stdin=BROKEN.encode())
    assert found.code == exits.FOUND
    assert "<stdin>:2:20" in found.out


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b'\xef\xbb\xbfpact a "1"',
        b"pact",
        b"\x00",
        b"}{",
        b'pact a "1" clause',
        b"(" * 1000,
    ],
)
def test_check_of_no_pact_is_an_error_with_a_place(pactc: Pactc, data: bytes) -> None:
    pactc.write("x.pact", data)
    found = pactc("check", "x.pact")
    assert found.code == exits.FOUND
    assert "x.pact:" in found.out
    assert "error" in found.out


def test_a_pact_cannot_move_the_cursor(pactc: Pactc) -> None:
    pactc.write("x.pact", 'pact a "1.0.0"\nclause b { require output == "\x1b[2J\u202e" && nothing }\n')
    found = pactc("check", "x.pact")
    assert found.code == exits.FOUND
    assert "\x1b" not in found.out
    assert "\u202e" not in found.out


def test_a_built_pact_can_be_checked(pactc: Pactc) -> None:
    assert pactc("build", "shop.pact").code == exits.FINE
    assert "shop 1.2.0" in pactc("check", "shop.pactc").out


@pytest.mark.parametrize(
    ("command", "path", "why"),
    [("check", "none.pact", "no such file"), ("build", "none.pact", "no such file"), ("build", ".", "is a directory")],
)  # fmt: skip
def test_an_unreadable_pact(pactc: Pactc, command: str, path: str, why: str) -> None:
    found = pactc(command, path)
    assert found.code == exits.UNABLE
    assert why in found.err
    assert path in found.err


# build ---------------------------------------------------------------------------------------------


def test_build_writes_the_same_bytes_every_time(pactc: Pactc) -> None:
    assert pactc("build", "shop.pact").code == exits.FINE
    assert pactc("build", "shop.pact", "-o", "other.pactc").code == exits.FINE
    assert Path("shop.pactc").read_bytes() == Path("other.pactc").read_bytes()
    assert pactlang.load("other.pactc") == pactlang.load("shop.pact")
    assert sorted(os.listdir()) == ["log.jsonl", "other.pactc", "shop.pact", "shop.pactc"]


def test_build_to_standard_output(pactc: Pactc) -> None:
    process = pactc.start("build", "shop.pact", "-o", "-")
    out, err = process.communicate()
    assert process.returncode == exits.FINE, err
    assert pactlang.load(out) == pactlang.load("shop.pact")


def test_build_of_a_pact_with_errors_leaves_what_is_there(pactc: Pactc) -> None:
    pactc.write("bad.pact", BROKEN)
    pactc.write("bad.pactc", "what was there")
    found = pactc("build", "bad.pact")
    assert found.code == exits.FOUND
    assert found.out == ""
    assert "2 errors" in found.err
    assert Path("bad.pactc").read_text() == "what was there"


def test_build_does_not_write_over_its_source(pactc: Pactc) -> None:
    before = Path("shop.pact").read_bytes()
    os.symlink("shop.pact", "link")
    for output in ("shop.pact", "./shop.pact", "link"):
        found = pactc("build", "shop.pact", "-o", output)
        assert found.code == exits.UNABLE
        assert "overwritten" in found.err
    assert Path("shop.pact").read_bytes() == before


def test_build_keeps_permissions_and_follows_links(pactc: Pactc) -> None:
    pactc.write("real.pactc", "old").chmod(0o640)
    os.symlink("real.pactc", "link.pactc")
    assert pactc("build", "shop.pact", "-o", "link.pactc").code == exits.FINE
    assert os.path.islink("link.pactc")
    assert Path("real.pactc").stat().st_mode & 0o777 == 0o640
    assert Path("real.pactc").read_bytes()[:4] == b"PACT"


def test_build_writes_to_a_device_instead_of_replacing_it(pactc: Pactc) -> None:
    assert pactc("build", "shop.pact", "-o", "/dev/null").code == exits.FINE
    assert Path("/dev/null").is_char_device()


def test_build_into_nowhere(pactc: Pactc) -> None:
    found = pactc("build", "shop.pact", "-o", "no/such/place.pactc")
    assert found.code == exits.UNABLE
    assert "cannot write no/such/place.pactc: no such file" in found.err


def test_build_of_an_artifact(pactc: Pactc) -> None:
    pactc("build", "shop.pact")
    assert "built already" in pactc("build", "shop.pactc", "-o", "again.pactc").err


# explain -------------------------------------------------------------------------------------------


def test_explain_draws_a_call_by_its_id(pactc: Pactc) -> None:
    found = pactc("explain", "shop.pact", "log.jsonl", "--call", "b")
    assert found.code == exits.FINE
    assert "log.jsonl:2" in found.out
    for said in ("small_refunds", "no_secrets", "cheap", "args.amount", "80"):
        assert said in found.out


def test_explain_one_clause(pactc: Pactc) -> None:
    found = pactc("explain", "shop.pact", "log.jsonl", "--call", "e", "--clause", "no_secrets")
    assert "sk-abc123" in found.out
    assert "small_refunds" not in found.out


def test_explain_by_line_and_by_a_missing_id(pactc: Pactc) -> None:
    by_line = pactc("explain", "shop.pact", "log.jsonl", "--line", "7")
    assert by_line.code == exits.FINE
    assert "no id" in by_line.out
    assert pactc("explain", "shop.pact", "log.jsonl", "--call", "7").out == by_line.out


def test_explain_json(pactc: Pactc) -> None:
    found = pactc(
        "explain", "shop.pact", "log.jsonl", "--call", "b", "--clause", "small_refunds", "--format", "json"
    )
    assert (found.data["line"], found.data["id"], found.data["outside"]) == (2, "b", False)
    assert len(found.data["clauses"]) == 1


def test_explain_finds_an_id_that_is_written_with_escapes(pactc: Pactc) -> None:
    pactc.write("odd.jsonl", '{"id": "other"}\n{"id": "\\u0061\\/b"}\n{"id": "grün"}\n')
    assert "odd.jsonl:2" in pactc("explain", "shop.pact", "odd.jsonl", "--call", "a/b").out
    assert "odd.jsonl:3" in pactc("explain", "shop.pact", "odd.jsonl", "--call", "grün").out


def test_explain_says_that_a_call_is_outside(pactc: Pactc) -> None:
    found = pactc("explain", "shop.pact", "log.jsonl", "--call", "f")
    assert found.code == exits.FINE
    assert found.out == (
        "log.jsonl:6  f\n\n"
        "outside the pact\n"
        '  the pact is not about this call: kind is "ping"\n\n'
        '  > applies when  kind != "ping"  false\n'
        '  >                 kind          "ping"\n'
    )
    data = pactc("explain", "shop.pact", "log.jsonl", "--call", "f", "--format", "json").data
    assert (data["outside"], data["clauses"]) == (True, [])
    assert (data["applies"]["text"], data["applies"]["value"]) == ('kind != "ping"', False)


def test_explain_of_a_call_whose_scope_is_unknown(pactc: Pactc) -> None:
    pactc.write("odd.pact", 'pact odd "1.0.0" applies when args.n > 1 clause c { require ok == true }')
    pactc.write("odd.jsonl", '{"ok": true}\n')
    found = pactc("explain", "odd.pact", "odd.jsonl", "--line", "1")
    assert "c: unknown" in found.out
    assert "`args` is null" in found.out
    assert "`args` is null" in pactc("run", "odd.pact", "odd.jsonl").out


def test_explain_of_an_unknown_names_the_reason(pactc: Pactc) -> None:
    found = pactc("explain", "shop.pact", "log.jsonl", "--call", "d", "--clause", "small_refunds")
    assert "unknown" in found.out.lower()
    assert "amount" in found.out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--call", "zzz"], "no call has the id `zzz`"),
        (["--call", "2"], "line 2 of log.jsonl is the call `b`: `--line 2` explains it"),
        (["--line", "99"], "no record on line 99"),
        (["--call", "a", "--clause", "small_refund"], "did you mean `small_refunds`?"),
        (["--call", "a", "--clause", "zzz"], "has no clause `zzz`"),
        (["--call", "a", "--line", "1"], "--call ID"),
        ([], "--call ID"),
    ],
)
def test_explain_of_what_is_not_there(pactc: Pactc, arguments: list[str], why: str) -> None:
    found = pactc("explain", "shop.pact", "log.jsonl", *arguments)
    assert found.code == exits.UNABLE
    assert why in found.err


def test_explain_of_a_call_that_cannot_be_decoded(pactc: Pactc) -> None:
    pactc.write("bad.jsonl", LOG + b'{"id": "wrong", "tool": 5}\n')
    found = pactc("explain", "shop.pact", "bad.jsonl", "--call", "wrong")
    assert found.code == exits.UNABLE
    assert "bad.jsonl:8 holds it and cannot be decoded: $.tool" in found.err
    assert "bad.jsonl:8 cannot be decoded" in pactc("explain", "shop.pact", "bad.jsonl", "--line", "8").err


def test_explain_is_safe_for_a_terminal(pactc: Pactc) -> None:
    record = {"id": "x\x1b[2J", "output": "\x1b]0;title\x07\u202e sk-a\x1b[31m", "tool": "\r\x9b"}
    pactc.write("evil.jsonl", json.dumps(record))
    found = pactc("explain", "shop.pact", "evil.jsonl", "--line", "1")
    assert found.code == exits.FINE
    assert not set("\x1b\x07\x9b\r\u202e") & set(found.out)


# the whole -----------------------------------------------------------------------------------------


def test_help_states_the_exit_codes(pactc: Pactc) -> None:
    found = pactc("--help")
    assert found.code == exits.FINE
    codes = [v for k, v in vars(exits).items() if k.isupper() and isinstance(v, int)]
    lines = {line.split()[0] for line in found.out.splitlines() if line.strip()}
    assert {str(code) for code in codes} <= lines
    for command in ("check", "build", "run", "explain"):
        assert command in found.out
        assert pactc(command, "--help").code == exits.FINE


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["run"], ["run", "shop.pact"], ["check"], ["run", "shop.pact", "x", "--limit", "-1"]],
)
def test_wrong_usage_leaves_with_2(pactc: Pactc, arguments: list[str]) -> None:
    assert pactc(*arguments).code == exits.UNABLE


def test_a_fault_of_our_own_is_one_line(pactc: Pactc, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise KeyError("x\x1b[2J")

    monkeypatch.setattr("pactlang.cli.check.open_pact", fail)
    found = pactc("check", "shop.pact")
    assert found.code == exits.FAULT
    assert found.err.count("\n") == 1
    assert "\x1b" not in found.err
    assert "PACT_DEBUG=1" in found.err


def test_a_fault_of_our_own_shows_where_when_asked(pactc: Pactc) -> None:
    env = os.environ | {"PACT_DEBUG": "1"}
    code = "from pactlang.cli import check, main; check.open_pact = None; main(['check', 'x'])"
    found = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert "Traceback" in found.stderr


@pytest.mark.parametrize("command", ["check", "test"])
def test_a_folder_stands_for_the_pacts_below_it(pactc: Pactc, command: str) -> None:
    (pactc.folder / "more" / "deep").mkdir(parents=True)
    pactc.write("more/deep/b.pact", 'pact b "1.0.0"\nclause a { require output == "" }\n')
    pactc.write("more/a.pact", 'pact a "1.0.0"\nclause a { require output == "" }\n')
    found = pactc(command, "more")
    assert found.out.index("a.pact") < found.out.index("b.pact")
    (pactc.folder / "empty").mkdir()
    found = pactc(command, "empty")
    assert found.code == exits.UNABLE
    assert "there is no .pact file in empty" in found.err


def test_an_id_that_comes_twice_is_told_of(pactc: Pactc) -> None:
    pactc.write("log.jsonl", '{"id": "a", "cost": 2.0}\n' * 3)
    found = pactc("explain", "shop.pact", "log.jsonl", "--call", "a")
    assert "log.jsonl:1" in found.out
    assert "this is the call on line 1, the others are on line 2, line 3: `--line N`" in found.err
