"""Reports for other programs: SARIF, JUnit, GitHub's annotations, and a page that holds nothing but itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cli_tools import BROKEN, COUNTS, LOG, Pactc, pactc

from pactlang.cli import exits
from pactlang.cli.forms import html

__all__ = ["pactc"]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e\x00\x1b[31m]]>&amp; %0A::error::x\n::error::y"
VOID = {"meta", "input", "link", "br", "img"}


class Page(HTMLParser):
    """The tags of a page with their attributes, its texts, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def shown(self) -> str:
        return " ".join(self.texts)


def hostile_log(pactc: Pactc) -> None:
    records = [
        {"id": HOSTILE, "output": f"{HOSTILE} sk-abc123 {HOSTILE}"},
        {"id": "n", "output": 5},
        {HOSTILE: 1, "cost": "x"},
    ]
    pactc.write("log.jsonl", "".join(json.dumps(record) + "\n" for record in records))


# A page of HTML ------------------------------------------------------------------------------------


def test_the_page_says_what_the_report_says(pactc: Pactc) -> None:
    found = pactc("run", "shop.pact", "log.jsonl", "--format", "html")
    assert found.code == exits.FINE
    page = Page(found.out)
    for name, counts in COUNTS.items():
        row = next(part for part in found.out.split("<tr>") if f">{name}</a>" in part or f">{name} <" in part)
        assert [int(n) for n in re.findall(r'<td class="number [a-z]*"[^>]*>(\d+)</td>', row)] == list(counts)
    assert ("mark", {}) in page.tags
    assert "sk-abc123" in page.texts
    assert "no such key `amount` in `args`" in page.shown


def test_the_page_needs_nothing_and_runs_nothing_of_the_log(pactc: Pactc) -> None:
    hostile_log(pactc)
    out = pactc("run", "shop.pact", "log.jsonl", "--format", "html").out
    page = Page(out)
    scripts = [tag for tag, _ in page.tags if tag == "script"]
    assert scripts == ["script"]
    assert not [tag for tag, _ in page.tags if tag in ("img", "link", "iframe", "base")]
    assert not [name for _, given in page.tags for name in given if name.startswith("on")]
    assert not re.findall(r"(?:src|href)=\"(?!#)", out)
    assert "url(" not in out
    assert "@import" not in out
    policy = next(given["content"] for tag, given in page.tags if given.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "'unsafe-inline'" not in policy.replace("style-src 'unsafe-inline'", "")
    assert "</script><script>alert(1)" in page.shown
    assert not any(sign in out for sign in ("\u202e", "\x00", "\x1b"))


def test_a_page_is_capped_and_says_so(pactc: Pactc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "LARGEST", 700)
    out = pactc("run", "shop.pact", "log.jsonl", "--format", "html").out
    assert "too large and are left out" in Page(out).shown


def test_every_clause_has_its_share_of_a_capped_page(pactc: Pactc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "LARGEST", 20_000)
    pactc.write(
        "two.pact",
        b'pact two "1"\nclause a { never output != "" }\nclause b { never output.contains("x") }\n',
    )
    pactc.write("log.jsonl", "".join(json.dumps({"output": f"x{n}"}) + "\n" for n in range(500)))
    out = pactc("run", "two.pact", "log.jsonl", "--format", "html", "--limit", "500").out
    for part in out.split('data-group=""')[1:]:
        shown, left = part.count('class="card"'), re.search(r">(\d+) further findings would make", part)
        assert left is not None
        assert shown > 10
        assert shown + int(left[1]) == 500
    assert len(out) < 40_000


def test_what_is_alike_is_shown_once(pactc: Pactc) -> None:
    pactc.write("log.jsonl", '{"output": "sk-abc123"}\n' * 3 + '{"output": "sk-abc124"}\n')
    out = pactc("run", "shop.pact", "log.jsonl", "--format", "html", "--limit", "9").out
    assert out.count("<mark>") == 2
    assert "the same in 2 further calls: log.jsonl:2, log.jsonl:3" in out
    assert "skipped: the clause is not about the call" in out


def test_findings_of_calls_with_one_id_stay_apart(pactc: Pactc) -> None:
    pactc.write("log.jsonl", '{"id": "a", "output": "sk-abc123"}\n' * 2)
    found = results(pactc("run", "shop.pact", "log.jsonl", "--format", "sarif").data)
    prints = [each["partialFingerprints"]["call/v2"] for each in found if "partialFingerprints" in each]
    assert prints == ["no_secrets:a:1", "no_secrets:a:2"]


def test_a_page_of_a_large_log_stays_small(pactc: Pactc) -> None:
    line = json.dumps({"output": "sk-abc123" + "x" * 1_000_000}).encode() + b"\n"
    pactc.write("log.jsonl", line * 40)
    out = pactc("run", "shop.pact", "log.jsonl", "--format", "html", "--limit", "40").out
    assert len(out) < 300_000


def test_nothing_found(pactc: Pactc) -> None:
    pactc.write("log.jsonl", '{"id": "a", "output": "x"}\n')
    assert (
        "Every promise was kept."
        in Page(pactc("run", "shop.pact", "log.jsonl", "--format", "html").out).shown
    )
    pactc.write("log.jsonl", "")
    assert "No records." in Page(pactc("run", "shop.pact", "log.jsonl", "--format", "html").out).shown


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")
def test_the_page_is_searched_in_a_browser(pactc: Pactc, tmp_path: Path) -> None:
    hostile_log(pactc)
    out = pactc("run", "shop.pact", "log.jsonl", "--format", "html").out
    probe = "<script>document.title = 'injected'</script></body>"
    pactc.write("page.html", out.replace("</body>", probe))
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"file://{Path('page.html').resolve()}",
    ]  # fmt: skip
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert (
        "<title>shop 1.2.0: report</title>" in dom
    )  # the policy let the page's own script run, and no other
    assert 'aria-label="Search what is below"' in dom


# SARIF ---------------------------------------------------------------------------------------------


def results(document: Any) -> list[Any]:
    """The results, each checked for what every reader of SARIF relies on."""
    assert document["version"] == "2.1.0"
    run = document["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        for location in result["locations"]:
            place = location["physicalLocation"]
            assert place["region"]["startLine"] >= 1
            assert re.fullmatch(r"[A-Za-z0-9%/._~+=@,-]+", place["artifactLocation"]["uri"])
    found: list[Any] = run["results"]
    return found


def test_findings_as_sarif(pactc: Pactc) -> None:
    pactc.write("bad dir.pact", BROKEN)
    found = pactc("check", "bad dir.pact", "shop.pact", "--format", "sarif")
    assert found.code == exits.FOUND
    errors = [result for result in results(found.data) if result["level"] == "error"]
    assert [result["ruleId"] for result in errors] == ["unknown-field", "type-mismatch"]
    place = errors[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "bad%20dir.pact"
    assert place["region"] == {"startLine": 2, "startColumn": 20, "endLine": 2, "endColumn": 26}
    change = errors[0]["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert change["insertedContent"]["text"] == "latency"


def test_a_run_as_sarif(pactc: Pactc) -> None:
    found = results(pactc("run", "shop.pact", "log.jsonl", "--format", "sarif").data)
    assert [(r["ruleId"], r["locations"][0]["physicalLocation"]["region"]["startLine"]) for r in found] == [
        ("small_refunds", 2), ("no_secrets", 5), ("cheap", 5),
    ]  # fmt: skip
    assert found[0]["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "shop.pact"
    hostile_log(pactc)
    assert {r["ruleId"] for r in results(pactc("run", "shop.pact", "log.jsonl", "--format", "sarif").data)} == {
        "no_secrets", "undecodable",
    }  # fmt: skip


# JUnit ---------------------------------------------------------------------------------------------


def cases(out: str) -> dict[str, str]:
    """Name of a case -> failure, error, skipped, or passed; the counts of the document are theirs."""
    root = ElementTree.fromstring(out.encode())
    found = {}
    for case in root.iter("testcase"):
        kinds = [child.tag for child in case if child.tag != "system-out"]
        found[case.get("name", "")] = kinds[0] if kinds else "passed"
    assert int(root.get("tests", "")) == len(found)
    assert int(root.get("failures", "")) == list(found.values()).count("failure")
    assert int(root.get("errors", "")) == list(found.values()).count("error")
    return found


def test_junit(pactc: Pactc) -> None:
    pactc.write("bad.pact", BROKEN)
    assert cases(pactc("check", "bad.pact", "--format", "junit").out) == {"compiles": "error"}
    assert cases(pactc("check", "shop.pact", "--format", "junit").out) == {"compiles": "passed"}
    pactc.write("log.jsonl", b"nonsense\n" + LOG.splitlines(True)[3])
    assert cases(pactc("run", "shop.pact", "log.jsonl", "--format", "junit").out) == {
        "small_refunds": "error", "no_secrets": "skipped", "cheap": "skipped", "records": "error",
    }  # fmt: skip
    hostile_log(pactc)
    assert cases(pactc("run", "shop.pact", "log.jsonl", "--format", "junit").out)["no_secrets"] == "failure"


# GitHub --------------------------------------------------------------------------------------------


def annotations(out: str) -> list[tuple[str, str, int]]:
    """Level, file and line of each annotation; every line must be one."""
    found = []
    for line in out.splitlines():
        match = re.fullmatch(r"::(error|warning|notice) file=([^,:]+),line=(\d+),title=[^,:]*::.*", line)
        assert match, line
        found.append((match[1], match[2], int(match[3])))
    return found


def test_github(pactc: Pactc) -> None:
    pactc.write("bad.pact", BROKEN)
    assert annotations(pactc("check", "bad.pact", "--format", "github").out) == [
        ("error", "bad.pact", 2),
        ("error", "bad.pact", 3),
    ]
    assert annotations(pactc("run", "shop.pact", "log.jsonl", "--format", "github").out) == [
        ("error", "shop.pact", 16), ("error", "shop.pact", 22), ("warning", "shop.pact", 24),
    ]  # fmt: skip
    hostile_log(pactc)
    found = annotations(pactc("run", "shop.pact", "log.jsonl", "--format", "github").out)
    assert found == [("error", "shop.pact", 22), ("warning", "log.jsonl", 2)]


@pytest.mark.parametrize("form", ["sarif", "junit", "github", "html"])
def test_exit_codes_do_not_depend_on_the_form(form: str, pactc: Pactc) -> None:
    assert (
        pactc("run", "shop.pact", "log.jsonl", "--format", form, "--fail-on", "critical").code == exits.FOUND
    )
    assert pactc("run", "shop.pact", "log.jsonl", "--format", form).code == exits.FINE


def test_cost_has_two_forms(pactc: Pactc) -> None:
    assert pactc("check", "shop.pact", "--cost", "--format", "sarif").code == exits.UNABLE
