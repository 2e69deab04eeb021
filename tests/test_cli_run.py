"""`pactc run`: counts, evidence, rows and exit codes, on logs good and bad."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from cli_tools import BROKEN, COUNTS, LOG, PACT, Pactc, pactc
from hypothesis import given, settings
from hypothesis import strategies as st

import pactlang
from pactlang.cli import exits
from pactlang.cli.audit import Audit, Row
from pactlang.cli.input import Overlong, split

__all__ = ["pactc"]
EVALUATOR = pactlang.Evaluator(pactlang.compile(PACT))


def sums(data: dict) -> None:  # type: ignore[type-arg]
    """The two sums of the language hold."""
    assert data["calls"] + data["outside"] + data["undecodable"] == data["records"]
    for clause in data["clauses"].values():
        assert sum(clause[k] for k in ("satisfied", "violated", "skipped", "unknown")) == data["calls"]


def counts(data: dict) -> dict[str, tuple[int, ...]]:  # type: ignore[type-arg]
    keys = ("satisfied", "violated", "skipped", "unknown")
    return {name: tuple(c[k] for k in keys) for name, c in data["clauses"].items()}


def test_json_counts_every_record(pactc: Pactc) -> None:
    found = pactc.run("log.jsonl", "--format", "json")
    assert found.code == exits.FINE
    data = found.data
    sums(data)
    assert (data["records"], data["calls"], data["outside"], data["undecodable"]) == (7, 6, 1, 0)
    assert counts(data) == COUNTS
    assert list(data["clauses"]) == list(COUNTS)
    program = pactlang.load("shop.pact")
    assert data["pact"] == {"name": "shop", "version": "1.2.0", "digest": program.digest}
    assert data["seconds"] > 0
    assert data["calls_per_second"] > 0
    assert data["interrupted"] is False
    assert data["errors"] == data["notices"] == []


def test_json_evidence(pactc: Pactc) -> None:
    data = pactc.run("log.jsonl", "--format", "json").data
    assert [v["clause"] for v in data["violations"]] == ["small_refunds", "no_secrets", "cheap"]
    refund, secret, _ = data["violations"]
    assert (refund["file"], refund["line"], refund["id"], refund["severity"]) == (
        "log.jsonl",
        2,
        "b",
        "critical",
    )
    assert refund["values"]["args.amount"] == 80
    assert refund["threshold"] == 50
    assert refund["promise"]["line"] == 19
    start = len("your key is ")
    matched = {k: secret["matched"][k] for k in ("field", "start", "end", "text")}
    assert matched == {"field": "output", "start": start, "end": start + 9, "text": "sk-abc123"}
    (unknown,) = data["unknowns"]
    assert (unknown["clause"], unknown["line"], unknown["id"]) == ("small_refunds", 4, "d")
    assert "amount" in unknown["reason"]


def test_text_report(pactc: Pactc) -> None:
    found = pactc.run("log.jsonl")
    assert found.code == exits.FINE
    out = found.out
    assert "7 records, 6 calls, 1 outside the pact, 0 undecodable" in out
    assert ["critical", "1", "1", "3", "1"] in [line.split()[1:] for line in out.splitlines() if line]
    assert out.index("small_refunds  critical") < out.index("no_secrets  major") < out.index("cheap  minor")
    assert "A refund above 50 needs a human." in out
    assert "line 2  b" in out
    assert "no_secrets  major, violated by 1 call\n" in out
    assert "small_refunds  unknown for 1 call\n  line 4  d\n" in out
    text, marks = next(
        (a, b) for a, b in zip(out.splitlines(), out.splitlines()[1:], strict=False) if "^^^" in b
    )
    assert text[marks.index("^") : marks.rindex("^") + 1] == "sk-abc123"
    assert "calls/s" in out


def test_a_pipe_gets_whole_lines(pactc: Pactc) -> None:
    long_id, file = "id-" * 60 + "end", f"{'folder' * 30}.jsonl"
    pactc.write(file, json.dumps({"id": long_id, "output": "sk-a", "cost": 1.5}) + "\n")
    lines = pactc.run(file).out.splitlines()
    assert file in lines
    assert f"  line 1  {long_id}" in lines
    assert "    cost is 1.5, not < 1.0" in lines
    assert not [line for line in lines if line.endswith(" ")]


def test_values_that_the_sentence_gives_are_not_repeated(pactc: Pactc) -> None:
    pactc.write("p.pact", 'pact p "1.0.0" clause c { never has(tool) && latency > 1s }')
    pactc.write("p.jsonl", '{"tool": "x", "latency": 2}\n')
    out = pactc("run", "p.pact", "p.jsonl").out
    assert '    tool is present, and latency is 2s, which is > 1s\n    tool = "x"\n\n' in out


def test_the_narrow_report_has_the_same_counts(pactc: Pactc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = pactc.run("log.jsonl").out
    assert max(map(len, out.splitlines())) <= 40
    assert "1 satisfied, 1 violated, 3 skipped, 1" in out


@pytest.mark.parametrize("columns", ["0", "", "many", "-5"])
def test_a_width_of_nothing_is_no_width(columns: str, pactc: Pactc, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = pactc.run("log.jsonl").out.splitlines()[:-1]
    monkeypatch.setenv("COLUMNS", columns)
    assert pactc.run("log.jsonl").out.splitlines()[:-1] == plain


def test_limit(pactc: Pactc) -> None:
    pactc.write("many.jsonl", LOG * 10)
    for limit in (0, 1, 5):
        data = pactc.run("many.jsonl", "--limit", str(limit), "--format", "json").data
        assert len(data["violations"]) == 3 * limit
        assert len(data["unknowns"]) == limit
        assert data["clauses"]["cheap"]["violated"] == 10


def test_several_files_plain_and_gzip_and_standard_input(pactc: Pactc) -> None:
    pactc.write("log.jsonl.gz", gzip.compress(LOG))
    found = pactc.run("log.jsonl", "log.jsonl.gz", "-", "--format", "json", "--limit", "9", stdin=LOG)
    assert counts(found.data) == {name: tuple(3 * n for n in row) for name, row in COUNTS.items()}
    assert found.data["files"] == ["log.jsonl", "log.jsonl.gz", "<stdin>"]
    assert [v["file"] for v in found.data["violations"][:3]] == found.data["files"]
    assert "log.jsonl.gz:2  b" in pactc.run("log.jsonl", "log.jsonl.gz").out


def test_a_built_pact_says_the_same(pactc: Pactc) -> None:
    pactc("build", "shop.pact")
    data = [pactc("run", pact, "log.jsonl", "--format", "json").data for pact in ("shop.pact", "shop.pactc")]
    for each in data:
        del each["seconds"], each["calls_per_second"]
    assert data[0] == data[1]


# Bad lines -----------------------------------------------------------------------------------------

BAD = [
    (b"nonsense", "$"),
    (b'{"id": "x"', "$"),
    (b"[1, 2]", "$"),
    (b'"text"', "$"),
    (b'{"id": 5.5}', "$.id"),
    (b'{"kind": "none"}', "$.kind"),
    (b'{"cost": "1.0"}', "$.cost"),
    (b'{"output": "\xff\xfe"}', "$"),
    (b'{"output": "\\ud800"}', "$"),
    (b'{"id": "x"} {"id": "y"}', "$"),
    (b"{" * 100_000, "$"),
    (b'{"args": ' + b"[" * 100_000, "$"),
]


@pytest.mark.parametrize(("line", "path"), BAD)
def test_a_bad_line_is_counted_and_named(pactc: Pactc, line: bytes, path: str) -> None:
    pactc.write("bad.jsonl", LOG + line + b"\n" + LOG)
    found = pactc.run("bad.jsonl", "--format", "json")
    assert found.code == exits.FINE
    sums(found.data)
    assert found.data["undecodable"] == 1
    assert counts(found.data) == {name: tuple(2 * n for n in row) for name, row in COUNTS.items()}
    (bad,) = found.data["undecodable_records"]
    assert (bad["file"], bad["line"]) == ("bad.jsonl", 8)
    assert bad["path"].startswith(path)
    assert bad["reason"]
    assert "line 8" in pactc.run("bad.jsonl").out


def test_many_bad_lines_are_grouped_by_reason(pactc: Pactc) -> None:
    pactc.write("bad.jsonl", b'{"tool": 5}\n' * 30 + LOG + b"nonsense\n")
    data = pactc.run("bad.jsonl", "--format", "json").data
    assert data["undecodable"] == 31
    assert len(data["undecodable_records"]) == 20
    assert [r["records"] for r in data["undecodable_reasons"]] == [30, 1]
    out = pactc.run("bad.jsonl").out
    assert "30 records: $.tool: " in out
    assert "31 undecodable" in out


def test_a_log_without_one_readable_record_does_not_pass(pactc: Pactc) -> None:
    pactc.write("bad.jsonl", b"[\n1,\n2\n]\n")
    assert pactc.run("bad.jsonl").code == exits.PARTIAL
    assert pactc.run("bad.jsonl", "--fail-on", "any").code == exits.PARTIAL


@pytest.mark.parametrize(
    "data",
    [
        LOG.rstrip(b"\n"),
        LOG.replace(b"\n", b"\r\n"),
        LOG.replace(b"\n", b"\n\n \n\r\n"),
        b"\n\n" + LOG,
        b"\xef\xbb\xbf" + LOG,
    ],
)
def test_line_ends_blank_lines_and_marks_do_not_matter(pactc: Pactc, data: bytes) -> None:
    pactc.write("odd.jsonl", data)
    found = pactc.run("odd.jsonl", "--format", "json")
    assert counts(found.data) == COUNTS
    assert found.data["undecodable"] == 0
    assert bool(found.data["notices"]) == data.startswith(b"\xef\xbb\xbf")


def test_no_records(pactc: Pactc) -> None:
    found = pactc.run("-")
    assert found.code == exits.FINE
    assert "No records." in found.out
    sums(pactc.run("-", "--format", "json").data)


def test_a_line_that_is_too_long(pactc: Pactc, monkeypatch: pytest.MonkeyPatch) -> None:
    from pactlang.cli import input

    monkeypatch.setattr(input.Input.blocks, "__defaults__", (64, 1000))
    pactc.write("long.jsonl", LOG + b'{"id": "' + b"x" * 5000 + b'"}\n' + LOG)
    found = pactc.run("long.jsonl", "--format", "json", "--verdicts", "rows.jsonl")
    sums(found.data)
    assert found.data["undecodable"] == 1
    assert found.data["undecodable_records"][0]["line"] == 8
    assert "5,010 bytes long" in found.data["undecodable_records"][0]["reason"]
    rows = [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]
    assert [row["line"] for row in rows] == list(range(1, 16))
    assert "undecodable" in rows[7]


def test_broken_gzip_counts_what_was_read(pactc: Pactc) -> None:
    pactc.write("cut.jsonl.gz", gzip.compress(LOG * 2000)[:-9])
    found = pactc.run("cut.jsonl.gz", "log.jsonl", "--format", "json")
    assert found.code == exits.PARTIAL
    sums(found.data)
    assert found.data["records"] > 7
    assert "cut.jsonl.gz breaks off" in found.data["errors"][0]
    text = pactc.run("cut.jsonl.gz", "log.jsonl")
    assert "error: cut.jsonl.gz breaks off: the gzip data ends too early" in text.err
    assert pactc.run("cut.jsonl.gz", "--fail-on", "critical").code == exits.FOUND


def test_broken_gzip_of_which_nothing_was_read(pactc: Pactc) -> None:
    pactc.write("cut.gz", b"\x1f\x8b\x08")
    assert pactc.run("cut.gz").code == exits.UNABLE
    assert pactc.run("-", stdin=b"\x28\xb5\x2f\xfd").code == exits.UNABLE


@pytest.mark.parametrize("path", ["none.jsonl", "."])
def test_an_unreadable_file_stops_everything_before_it_begins(pactc: Pactc, path: str) -> None:
    found = pactc.run("log.jsonl", path, "--verdicts", "rows.jsonl")
    assert found.code == exits.UNABLE
    assert found.out == ""
    assert f"cannot read {path}" in found.err
    assert not Path("rows.jsonl").exists()


def test_pact_and_records_in_the_wrong_order(pactc: Pactc) -> None:
    found = pactc("run", "log.jsonl", "shop.pact")
    assert found.code == exits.UNABLE
    assert found.err.splitlines()[-1] == "  = help: this looks like a file of records; the pact comes first"


def test_a_pact_that_does_not_compile(pactc: Pactc) -> None:
    pactc.write("bad.pact", BROKEN)
    for command in (["run", "bad.pact", "log.jsonl"], ["explain", "bad.pact", "log.jsonl", "--call", "a"]):
        found = pactc(*command)
        assert found.code == exits.UNABLE
        assert "error[unknown-field]" in found.err
        assert found.err.splitlines()[-1] == "error: bad.pact does not compile: 2 errors"


@pytest.mark.parametrize("spoil", [lambda d: d[:30], lambda d: d[:-1], lambda d: d[:100] + b"\xff" + d[101:]])
def test_an_artifact_that_is_spoiled(pactc: Pactc, spoil: object) -> None:
    pactc("build", "shop.pact")
    pactc.write("bad.pactc", spoil(Path("shop.pactc").read_bytes()))  # type: ignore[operator]
    found = pactc("run", "bad.pactc", "log.jsonl")
    assert found.code == exits.UNABLE
    assert found.err.startswith("error: cannot use bad.pactc: ")


# --fail-on -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "failing"),
    [
        (1, ["critical", "major", "any"]),
        (4, ["major", "any"]),
        (0, []),
        (3, []),
    ],
)
def test_fail_on(pactc: Pactc, line: int, failing: list[str]) -> None:
    pactc.write("one.jsonl", LOG.splitlines()[line])
    for level in ("critical", "major", "any"):
        assert pactc.run("one.jsonl", "--fail-on", level).code == (exits.FOUND if level in failing else 0)


def test_fail_on_unknown_hears_of_what_could_not_be_judged(pactc: Pactc) -> None:
    pactc.write("fine.jsonl", LOG.splitlines()[0])
    assert pactc.run("fine.jsonl", "--fail-on", "unknown").code == exits.FINE
    for doubtful in (b"{", LOG.splitlines()[3]):
        pactc.write("doubt.jsonl", LOG.splitlines()[0] + b"\n" + doubtful)
        assert pactc.run("doubt.jsonl", "--fail-on", "any").code == exits.FINE
        assert pactc.run("doubt.jsonl", "--fail-on", "unknown").code == exits.FOUND


def test_fail_on_any_hears_of_the_smallest(pactc: Pactc) -> None:
    pactc.write("one.jsonl", '{"cost": 5.0}')
    assert pactc.run("one.jsonl", "--fail-on", "major").code == exits.FINE
    assert pactc.run("one.jsonl", "--fail-on", "any").code == exits.FOUND


# --verdicts ----------------------------------------------------------------------------------------


def test_a_row_per_record(pactc: Pactc) -> None:
    pactc.write("mixed.jsonl", LOG + b"nonsense\n")
    assert pactc.run("mixed.jsonl", "--verdicts", "rows.jsonl").code == exits.FINE
    rows = [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]
    assert [row["line"] for row in rows] == list(range(1, 9))
    assert [row["id"] for row in rows] == ["a", "b", "c", "d", "e", "f", 7, 8]
    assert rows[1] == {
        "file": "mixed.jsonl",
        "line": 2,
        "id": "b",
        "violated": ["small_refunds"],
        "unknown": [],
    }
    assert rows[3]["unknown"] == ["small_refunds"]
    assert rows[4]["violated"] == ["no_secrets", "cheap"]
    assert rows[5] == {"file": "mixed.jsonl", "line": 6, "id": "f", "outside": True}
    assert rows[7]["undecodable"]["path"] == "$"


def test_rows_do_not_depend_on_how_the_log_is_cut(pactc: Pactc, monkeypatch: pytest.MonkeyPatch) -> None:
    from pactlang.cli import input

    pactc.write("mixed.jsonl", (LOG + b"nonsense\n\n") * 20)
    pactc.run("mixed.jsonl", "--verdicts", "whole.jsonl")
    monkeypatch.setattr(input.Input.blocks, "__defaults__", (37, 100_000))
    data = pactc.run("mixed.jsonl", "--verdicts", "cut.jsonl", "--format", "json").data
    assert Path("whole.jsonl").read_bytes() == Path("cut.jsonl").read_bytes()
    assert counts(data) == {name: tuple(20 * n for n in row) for name, row in COUNTS.items()}


@pytest.mark.parametrize("target", ["log.jsonl", "shop.pact", "./log.jsonl"])
def test_verdicts_do_not_overwrite_what_is_read(pactc: Pactc, target: str) -> None:
    before = Path(target).read_bytes()
    found = pactc.run("log.jsonl", "--verdicts", target)
    assert found.code == exits.UNABLE
    assert "overwritten" in found.err
    assert Path(target).read_bytes() == before


@pytest.mark.parametrize(
    ("target", "why"), [("no/where.jsonl", "no such file"), ("/dev/full", "no space left")]
)
def test_verdicts_that_cannot_be_written(pactc: Pactc, target: str, why: str) -> None:
    pactc.write("big.jsonl", LOG * 2000)
    found = pactc.run("big.jsonl", "--verdicts", target)
    assert found.code == exits.UNABLE
    assert f"cannot write {target}: {why}" in found.err


# Terminals -----------------------------------------------------------------------------------------


def test_values_cannot_drive_the_terminal(pactc: Pactc) -> None:
    record = {
        "id": "\x1b[2J\x07",
        "output": "\x1b]0;x\x07\u202e[bold]sk-abc[/] \x9b31m\r\n",
        "tool": "refund\x1b",
    }
    pactc.write("evil\x1b[31m.jsonl", json.dumps(record) + "\n" + '{"kind": "\\u001b[2J"}\n')
    found = pactc.run("evil\x1b[31m.jsonl")
    assert not set("\x1b\x07\x9b\r\u202e") & set(found.out + found.err)
    assert "[bold]" in found.out
    assert "\\x1b" in found.out
    assert pactc.run("evil\x1b[31m.jsonl", "--format", "json").data["violations"][0]["id"] == "\x1b[2J\x07"


def test_a_clause_that_never_applied_is_told_of(pactc: Pactc) -> None:
    pactc.write("chat.jsonl", '{"output": "hello"}\n')
    found = pactc.run("chat.jsonl")
    assert "warning: `small_refunds` applied to no call: no record has `args` or `tool`" in found.err
    assert "Every promise was kept." in found.out
    pactc.write("refund.jsonl", '{"tool": "refund", "args": {}}\n')
    assert "`small_refunds` could not be decided on any call" in pactc.run("refund.jsonl").err


PIECES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [*LOG.splitlines(), b"\n", b"\r\n", b"{}", b"nul", b'{"cost": 1e999}', b'{"cost": NaN}', b"\0"]
    ),
    st.sampled_from(
        [b'{"args": {"amount": 99999999999999999999}}', b'{"output": "\\ud800"}', b'{"id": 7}', b"[]"]
    ),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(PIECES, max_size=30), st.integers(1, 60), st.booleans())
def test_the_sums_hold_whatever_the_bytes_are(pieces: list[bytes], chunk: int, every: bool) -> None:
    data = b"".join(piece + b"\n" * (i % 3 > 0) for i, piece in enumerate(pieces))
    audit = Audit(EVALUATOR, EVALUATOR.names, 2, every)
    rows: list[Row] = []
    for block in split(io.BytesIO(data), chunk, 120):
        if isinstance(block, Overlong):
            rows.append(audit.pass_over("f", block))
        else:
            rows += audit.feed("f", block).all_rows()
    total = audit.total
    lines = [i for i, line in enumerate(data.split(b"\n"), 1) if line and not line.isspace()]
    assert [row.place.line for row in rows] == lines
    assert total.records == len(lines)
    assert total.clauses.sum(axis=1).tolist() == [total.calls] * 3
    assert sum(row.outside for row in rows) == total.outside
    assert sum(row.unreadable is not None for row in rows) == total.undecodable == sum(audit.reasons.values())
    for column, name in enumerate(EVALUATOR.names):
        assert sum(name in row.violated for row in rows) == total.clauses[column, 1]
        assert sum(name in row.unknown for row in rows) == total.clauses[column, 3]
