"""Imports: what comes in, what is refused, what is listed; and files that mean harm."""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

import golden
import pytest
from cli_tools import Pactc, pactc

import pactlang
from pactlang import program
from pactlang.build import compile_linked, linked
from pactlang.diagnostic import Diagnostic
from pactlang.errors import CompileError
from pactlang.link import Library, library_of
from pactlang.link.gather import DEEPEST, MOST_FILES
from pactlang.link.library import MOST_BYTES
from pactlang.link.paths import beside, wrong_with
from pactlang.render import render_all
from pactlang.source import Source

__all__ = ["pactc"]

HEAD = 'pact p "1.0.0"\n'
BASE = (
    HEAD
    + 'let cap = 50.0\nclause small { when has(cost) require cost <= cap }\nclause said { never output == "x" }\n'
)


def files(folder: Path, **texts: str) -> Path:
    """The files `NAME.pact`; the path of the first one."""
    for name, text in texts.items():
        path = folder / f"{name}.pact"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder / f"{next(iter(texts))}.pact"


def found_in(path: Path) -> tuple[Diagnostic, ...]:
    return compile_linked(linked(Source(path.name, path.read_text("utf-8")), library_of(str(path))))[1]


def codes(path: Path) -> list[str]:
    return [d.code for d in found_in(path) if d.level == "error"]


@golden.parametrize("link")
def test_golden(
    case: golden.Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    texts = {name: text for name, text in case.sections.items() if name not in ("text", "pact")}
    files(tmp_path, a=case.sections["pact"], **texts)
    whole = linked(Source("a.pact", case.sections["pact"]), library_of("a.pact"))
    compiled, found = compile_linked(whole)
    clauses = f"clauses: {' '.join(c.name for c in compiled.clauses)}\n" if compiled else ""
    drawn = render_all(found, whole.source)
    golden.settle(case, "text", clauses + (drawn + "\n" if drawn else ""), request)


# Where files are looked for ----------------------------------------------------------------------


def test_paths_go_from_the_file_that_imports(tmp_path: Path) -> None:
    files(tmp_path / "lib" / "deep", low='pact low "1.0.0"\nclause low { require output != "low" }\n')
    files(tmp_path / "lib", mid=HEAD + 'import "deep/low.pact"\nclause mid { require output != "mid" }\n')
    main = files(tmp_path, a=HEAD + 'import "lib/mid.pact"\n')
    made = pactlang.load(main)
    assert [clause.name for clause in made.clauses] == ["low", "mid"]
    assert [name for name, _ in made.imports.files] == ["lib/mid.pact", "lib/deep/low.pact"]


def test_a_text_has_no_folder_unless_one_is_given(tmp_path: Path) -> None:
    files(tmp_path, lib=BASE)
    text = HEAD + 'import "lib.pact"\n'
    with pytest.raises(CompileError, match=r"only `std/...` can be imported here"):
        pactlang.compile(text)
    assert len(pactlang.compile(text, folder=tmp_path).clauses) == 2
    assert pactlang.compile(HEAD + 'import "std/pii.pact"\n').clauses


def test_std_is_what_comes_with_pactlang(tmp_path: Path) -> None:
    files(tmp_path / "std", secrets=BASE, own=BASE)
    main = files(tmp_path, a=HEAD + 'import "std/secrets.pact"\n')
    assert [clause.name for clause in pactlang.load(main).clauses] == ["no_secrets"]
    assert codes(files(tmp_path, a=HEAD + 'import "std/own.pact"\n')) == ["import-file"]


def test_what_an_editor_has_open_counts(tmp_path: Path) -> None:
    main = files(tmp_path, a=HEAD + 'import "lib.pact"\n', lib=BASE)
    unsaved = {os.path.realpath(tmp_path / "lib.pact"): HEAD + 'clause new { require output != "" }\n'}
    whole = linked(Source("a.pact", main.read_text("utf-8")), Library(str(tmp_path), unsaved))
    made, _ = compile_linked(whole)
    assert made is not None
    assert [clause.name for clause in made.clauses] == ["new"]


# What comes of it --------------------------------------------------------------------------------

IMPORTING = (
    HEAD
    + 'import "lib.pact"\noverride let cap = 7.0\ndrop clause said\nclause own { require output != "" }\n'
)
WRITTEN = (
    HEAD
    + 'clause small { when has(cost) require cost <= cap }\nlet cap = 7.0\nclause own { require output != "" }\n'
)


def test_identity_is_what_is_decided_not_where_it_is_written(tmp_path: Path) -> None:
    made = pactlang.load(files(tmp_path, a=IMPORTING, lib=BASE))
    assert made.digest == pactlang.compile(WRITTEN).digest


def test_the_artifact_is_the_same_everywhere_and_holds_all_texts(tmp_path: Path) -> None:
    one = pactlang.load(files(tmp_path / "one", a=IMPORTING, lib=BASE)).to_bytes()
    two = pactlang.load(files(tmp_path / "two" / "deep", a=IMPORTING, lib=BASE)).to_bytes()
    assert one == two
    read = program.read(one)
    assert read.imports.files == (("lib.pact", BASE),)
    (changed,), (gone,) = read.imports.overridden, read.imports.dropped
    texts = [read.source.text[start:end] for start, end in (changed.span, *changed.replaced, *gone.removed)]
    assert texts == ["override let cap = 7.0", "let cap = 50.0", 'clause said { never output == "x" }']
    assert [read.source.named(gone.span[0]), read.source.named(gone.removed[0][0])] == ["a.pact", "lib.pact"]


def test_an_artifact_without_imports_has_the_bytes_it_had() -> None:
    annex = pactlang.compile(WRITTEN).annex_bytes
    assert b"imports" not in annex


def test_evidence_shows_the_imported_text(tmp_path: Path, pactc: Pactc) -> None:
    pactc.write("lib.pact", BASE)
    pactc.write("a.pact", IMPORTING)
    pactc.write("log.jsonl", '{"id": "1", "cost": 9.5, "output": "y"}\n')
    told = pactc("explain", "a.pact", "log.jsonl", "--call", "1", "--clause", "small")
    assert "require  cost <= cap" in told.out
    found = pactc("run", "a.pact", "log.jsonl", "--format", "json").data["violations"]
    assert [v["promise"]["file"] for v in found] == ["lib.pact"]
    assert found[0]["promise"]["line"] == 3


def test_check_lists_what_is_imported_overridden_and_dropped(pactc: Pactc) -> None:
    pactc.write("lib.pact", BASE)
    pactc.write("a.pact", IMPORTING)
    lines = pactc("check", "a.pact").out.splitlines()[-8:]
    assert lines == [
        "  imports   lib.pact, 1 clause",
        "  overrides let cap at a.pact:3",
        "    of lib.pact:2",
        "    - let cap = 50.0",
        "    + override let cap = 7.0",
        "  drops     clause said at a.pact:4",
        "    of lib.pact:4",
        '    - clause said { never output == "x" }',
    ]
    pactc("build", "a.pact")
    assert pactc("check", "a.pactc").out.splitlines()[-8:] == lines[-8:]
    (found,) = pactc("check", "a.pact", "--format", "json").data["pacts"]
    assert found["imports"] == [{"file": "lib.pact", "clauses": ["small"]}]
    assert [(o["what"], o["to"], o["from"][0]["text"]) for o in found["overrides"]] == [
        ("let cap", "override let cap = 7.0", "let cap = 50.0")
    ]
    assert [(d["what"], d["from"][0]["file"], d["from"][0]["line"]) for d in found["drops"]] == [
        ("clause said", "lib.pact", 4)
    ]


def test_every_command_reads_imports(pactc: Pactc) -> None:
    pactc.write("lib.pact", BASE)
    pactc.write(
        "a.pact", IMPORTING + 'test "dear" { call { cost: 8.0, output: "y" } expect violation of small }\n'
    )
    assert pactc("test", "a.pact").out.endswith("1 passed, 0 failed\n")
    assert pactc("check", "a.pact", "--cost").code == 0
    assert pactc("fmt", "a.pact", "lib.pact").code == 0
    assert "override let cap = 7.0" in Path("a.pact").read_text("utf-8")
    assert pactc("check", "-", stdin=IMPORTING.encode()).code == 0
    assert pactc("check", "std/pii.pact").code == 0
    missing = pactc("check", "std/none.pact")
    assert (missing.code, "std/pii.pact" in missing.err) == (2, True)


def test_findings_of_an_imported_file_name_it(pactc: Pactc) -> None:
    pactc.write("lib.pact", HEAD + "clause bad { require outptu == 5 }\n")
    pactc.write("a.pact", HEAD + 'import "lib.pact"\n')
    found = pactc("check", "a.pact")
    assert (found.code, "--> lib.pact:2:22" in found.out, "::: a.pact:2:8" in found.out) == (1, True, True)
    (said,) = pactc("check", "a.pact", "--format", "json").data["pacts"][0]["diagnostics"]
    assert (said["file"], said["start"]["line"]) == ("lib.pact", 2)
    assert (said["related"][-1]["file"], said["related"][-1]["text"]) == ("a.pact", "imported here")
    assert "::error file=lib.pact,line=2" in pactc("test", "a.pact", "--format", "github").out
    assert "lib.pact, line 2" in pactc("test", "a.pact", "--format", "junit").out


def test_reports_of_a_run_name_the_file_of_a_clause(pactc: Pactc) -> None:
    Path("sub").mkdir()
    pactc.write("sub/lib.pact", BASE)
    pactc.write("sub/a.pact", IMPORTING + 'import "std/payment.pact"\n')
    pactc.write("log.jsonl", '{"id": "1", "cost": 9.5, "output": "4111111111111111"}\n')
    pactc("build", "sub/a.pact")
    for pact in ("sub/a.pact", "sub/a.pactc"):
        lines = pactc("run", pact, "log.jsonl", "--format", "github").out
        assert "file=sub/lib.pact,line=3" in lines
        assert "file=std/payment.pact,line=" in lines
        assert 'file="sub/lib.pact" line="3"' in pactc("run", pact, "log.jsonl", "--format", "junit").out
        assert '"sub/lib.pact"' in pactc("run", pact, "log.jsonl", "--format", "sarif").out
    pactc.write("sub/lib.pact", HEAD + "clause bad { require outptu == 5 }\n")
    pactc.write("sub/a.pact", HEAD + 'import "lib.pact"\n')
    assert '"sub/lib.pact"' in pactc("check", "sub/a.pact", "--format", "sarif").out


# Files that mean harm ----------------------------------------------------------------------------


def test_links_must_stay_in_the_folder(tmp_path: Path) -> None:
    files(tmp_path / "out", secret=BASE)
    main = files(tmp_path / "in", a=HEAD + 'import "x.pact"\n', lib=BASE)
    link = tmp_path / "in" / "x.pact"
    link.symlink_to(tmp_path / "out" / "secret.pact")
    assert codes(main) == ["import-file"]
    assert "secret" not in pactlang_error(main).split("= help")[0]
    link.unlink()
    link.symlink_to("lib.pact")
    assert codes(main) == []
    link.unlink()
    (tmp_path / "in" / "sub").symlink_to(tmp_path / "out")
    assert codes(files(tmp_path / "in", a=HEAD + 'import "sub/secret.pact"\n')) == ["import-file"]


def pactlang_error(path: Path) -> str:
    with pytest.raises(CompileError) as error:
        pactlang.load(path)
    return str(error.value)


def test_one_file_under_two_names_is_one(tmp_path: Path) -> None:
    main = files(tmp_path, a=HEAD + 'import "x.pact"\nimport "y.pact"\n', x=BASE)
    (tmp_path / "y.pact").symlink_to("x.pact")
    assert codes(main) == []
    (tmp_path / "me.pact").symlink_to("a.pact")
    assert codes(files(tmp_path, a=HEAD + 'import "me.pact"\n')) == ["import-cycle"]


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    text = "".join(f'import "{name}.pact"\n' for name in ("fifo", "folder", "gone", "loop", "null"))
    main = files(tmp_path, a=HEAD + text)
    os.mkfifo(tmp_path / "fifo.pact")
    (tmp_path / "folder.pact").mkdir()
    (tmp_path / "loop.pact").symlink_to("loop.pact")
    (tmp_path / "null.pact").symlink_to("/dev/null")
    said = [d.message.partition(": ")[2] for d in found_in(main)]
    assert said[:3] == ["this is no regular file", "this is a folder", "there is no such file"]
    assert len(said) == 5


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    main = files(tmp_path, a=HEAD + 'import "lib.pact"\n', lib=BASE)
    (tmp_path / "lib.pact").chmod(0)
    assert codes(main) == ["import-file"]


def test_sizes_are_bounded(tmp_path: Path) -> None:
    main = files(tmp_path, a=HEAD + 'import "lib.pact"\n')
    with (tmp_path / "lib.pact").open("wb") as file:
        file.truncate(1 << 40)  # a file of holes
    tracemalloc.start()
    assert codes(main) == ["import-file"]
    assert tracemalloc.get_traced_memory()[1] < 4 * MOST_BYTES
    tracemalloc.stop()


def test_all_imports_together_are_bounded(tmp_path: Path) -> None:
    big = "//" + "x" * (MOST_BYTES // 2) + "\n" + BASE
    main = files(
        tmp_path, a=HEAD + 'import "b.pact"\nimport "c.pact"\n', b=big, c=big.replace("small", "tall")
    )
    assert codes(main) == ["import-file"]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    main = files(tmp_path, a=HEAD + 'import "b.pact"\nimport "c.pact"\nimport "d.pact"\n', d="\ufeff" + BASE)
    (tmp_path / "b.pact").write_bytes(b"PACT\x01\x00\xff\x00")
    (tmp_path / "c.pact").write_bytes(b'pact p "1.0.0"\n\xc3(')
    found = found_in(main)
    places = linked(Source("a.pact", main.read_text("utf-8")), library_of(str(main))).source
    assert [(places.named(d.primary.span.start), d.code) for d in found] == [
        (str(tmp_path / "b.pact")[-6:], "not-utf-8"), ("c.pact", "not-utf-8"), ("d.pact", "byte-order-mark"),
    ]  # fmt: skip


def test_diamonds_are_read_once(tmp_path: Path) -> None:
    """Every file imports the next one twice over: 2^n ways to the last, n files."""
    for n in range(DEEPEST - 1):
        for side in "lr":
            both = (
                f'import "l{n + 1}.pact"\nimport "r{n + 1}.pact"\n'
                if n < DEEPEST - 2
                else 'import "end.pact"\n'
            )
            files(tmp_path, **{f"{side}{n}": f'pact p "1.0.0"\n{both}'})
    main = files(tmp_path, a=HEAD + 'import "l0.pact"\nimport "r0.pact"\n', end=BASE)
    begun = time.perf_counter()
    made = pactlang.load(main)
    assert time.perf_counter() - begun < 2
    assert (len(made.clauses), len(made.imports.files)) == (2, 2 * DEEPEST - 1)


def test_the_number_of_files_is_bounded(tmp_path: Path) -> None:
    text = "".join(f'import "f{n}.pact"\n' for n in range(3000))
    begun = time.perf_counter()
    found = found_in(files(tmp_path, a=HEAD + text))
    assert time.perf_counter() - begun < 3
    assert [d.code for d in found[-2:]] == ["import-file", "too-many-imports"]
    assert len(found) == MOST_FILES + 1
    for n in range(200):
        files(tmp_path, **{f"f{n}": f'pact p "1.0.0"\nlet v{n} = 1\n'})
    assert codes(tmp_path / "a.pact") == ["too-many-imports"]


def test_depth_is_bounded(tmp_path: Path) -> None:
    for n in range(DEEPEST + 2):
        files(tmp_path, **{f"f{n}": f'pact p "1.0.0"\nimport "f{n + 1}.pact"\n'})
    main = files(tmp_path, a=HEAD + 'import "f0.pact"\n')
    assert codes(main) == ["too-many-imports"]


def test_names_are_bounded(tmp_path: Path) -> None:
    """Many names through many files: each would be passed on by each."""
    many = "".join(f"let v{n}=1\n" for n in range(30_000))
    files(tmp_path, base=HEAD + many)
    for n in range(20):
        files(tmp_path, **{f"f{n}": f'pact p "1.0.0"\nimport "base.pact"\nlet w{n} = 1\n'})
    main = files(tmp_path, a=HEAD + "".join(f'import "f{n}.pact"\n' for n in range(20)))
    whole = linked(Source("a.pact", main.read_text("utf-8")), library_of(str(main)))
    assert {d.code for d in whole.found if d.level == "error"} == {"too-many-imports"}


def test_twins_are_told_of(tmp_path: Path) -> None:
    main = files(
        tmp_path, a=HEAD + 'import "lib.pact"\nimport "LIB.pact"\n', lib=BASE, LIB='pact q "1.0.0"\n'
    )
    assert [d.code for d in found_in(main)] == ["import-twin"]


def test_names_are_spelt_as_the_system_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system that takes `LIB.pact` for `lib.pact` (here a link plays it), only `lib.pact` is imported."""
    main = files(tmp_path, a=HEAD + 'import "LIB.pact"\n', lib=BASE)
    (tmp_path / "LIB.pact").symlink_to("lib.pact")
    scan = os.scandir

    class Listing:
        def __init__(self, folder: str) -> None:
            self.entries = [entry for entry in scan(folder) if entry.name != "LIB.pact"]

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self.entries

        def __exit__(self, *_: object) -> None:
            return None

    monkeypatch.setattr(os, "scandir", Listing)
    (found,) = found_in(main)
    assert (found.code, found.fix.replacement if found.fix else "") == ("import-file", '"lib.pact"')


@pytest.mark.parametrize(
    "path",
    [
        "a.pact",
        "deep/er/a.pact",
        "std/pii.pact",
        "a b.pact",
        "é.pact",
        "a.b.pact",
        "-.pact",
        "..a.pact",
        "a..pact",
    ],
)
def test_paths_that_are_right(path: str) -> None:
    assert wrong_with(path) is None


@pytest.mark.parametrize(
    "path",
    ["a.pact/", "~/a.pact/..", "/a.pact", "//a.pact", "a/./b.pact", "C:a.pact", "a\nb.pact", "a\u202eb.pact",
     "\ud800.pact", "e\u0301.pact", "\uff0fetc.pact", "x" * 300 + ".pact", "a.PACT", "std", "std/", "a.pactc"],
)  # fmt: skip
def test_paths_that_are_wrong(path: str) -> None:
    assert wrong_with(path) is not None


def test_names_beside_a_file() -> None:
    assert beside("b.pact", "a.pact") == "b.pact"
    assert beside("b.pact", "lib/a.pact") == "lib/b.pact"
    assert beside("std/pii.pact", "lib/a.pact") == "std/pii.pact"
    assert beside("pii.pact", "std/a.pact") == "std/pii.pact"
