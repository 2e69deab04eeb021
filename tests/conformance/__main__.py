"""Run a file of conformance cases and say which fail.

    python -m tests.conformance FILE.jsonl [--json]

Each case that needs no protobuf goes through the production path: parse, check, emit, machine; its
bindings are supplied when it runs; once as it is and once with constant folding off.  The last line is
`N passed, M failed`; the exit code is 1 if a case failed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.conformance.cases import Case, run


def scope(case: Case) -> str:
    """Why a case is out of scope, "" if it is in."""
    if case.get("proto_free", True):
        return ""
    protos = [need for need in case.get("needs", ()) if "proto" in need or need in ("wrappers", "enums")]
    return protos[0] if protos else "needs protobuf"


def outcomes(path: Path) -> tuple[list[dict[str, Any]], Counter[str], int]:
    """The failures, why cases are out of scope, and how many passed."""
    failures: list[dict[str, Any]] = []
    apart: Counter[str] = Counter()
    passed = 0
    for line in path.read_text("utf-8").splitlines():
        if not line.strip():
            continue
        case = json.loads(line)
        if reason := scope(case):
            apart[reason] += 1
            continue
        results = {fold: run(case, fold) for fold in (True, False)}
        wrong = {fold: result for fold, result in results.items() if not result.passed}
        passed += not wrong
        for fold, result in wrong.items():
            failures.append(
                {
                    "id": case["id"], "expr": case["expr"], "folding": fold,
                    "expected": result.expected, "got": result.got,
                }
            )  # fmt: skip
    return failures, apart, passed


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__.split("\n")[0])
    options.add_argument("file", type=Path)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = options.parse_args()
    failures, apart, passed = outcomes(chosen.file)
    failed = len({failure["id"] for failure in failures})
    if chosen.json:
        report = {"passed": passed, "failed": failed, "failures": failures, "out_of_scope": apart}
        print(json.dumps(report, ensure_ascii=False, indent=1))
        return 1 if failed else 0
    for failure in failures:
        print(f"{failure['id']}{'' if failure['folding'] else ' (folding off)'}")
        print(f"  {failure['expr']}\n  expected {failure['expected']}\n  got {failure['got']}")
    for reason, count in sorted(apart.items()):
        print(f"out of scope: {reason}: {count}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
