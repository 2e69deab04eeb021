"""Ask every question, each in a process of its own.

    python -m benchmarks [--only rules text ...] [--quick] [--write] [--list]

--quick: few records and one round; it shows that all sides agree, and measures nothing.
--write: the tables go into README.md, the plots into plots/, and the headlines of all tables (bold
there) into the table of the main README.  A question whose sides disagree ends with the record, is
named at the end, and writes nothing.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
MAIN = HERE.parent / "README.md"
FIRST = ("rules", "machine", "guards", "text", "decode", "fleet", "ndjson", "columns", "growth", "length")


def questions() -> list[str]:
    """The names of all files bench_NAME.py; the main ones first."""
    found = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    return [*(name for name in FIRST if name in found), *(name for name in found if name not in FIRST)]


def ask(name: str, options: list[str]) -> bool:
    """Run one question; whether it ended well."""
    print(f"\n== {name}", flush=True)
    begun = time.monotonic()
    command = [sys.executable, str(HERE / f"bench_{name}.py"), *options]
    code = subprocess.call(command)
    print(f"== {name}: {'done' if code == 0 else f'FAILED ({code})'}, {time.monotonic() - begun:.0f} s")
    return code == 0


def headlines(text: str) -> list[list[str]]:
    """Figure, target and what was measured, of every bold row of the tables."""
    found = re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \| (.+?) \|", text, re.MULTILINE)
    return [list(row) for row in found]


def table(rows: list[list[str]]) -> str:
    lines = [["figure", "target", "measured"], ["---"] * 3, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--only", nargs="+", metavar="NAME", help="these questions")
    options.add_argument("--quick", action="store_true", help="few records, one round: do all sides agree?")
    options.add_argument("--write", action="store_true", help="tables into the READMEs, plots into plots/")
    options.add_argument("--list", action="store_true", help="the names of the questions")
    chosen = options.parse_args()
    names = questions()
    if unknown := set(chosen.only or ()) - set(names):
        options.error(f"no question {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    if chosen.list:
        print("\n".join(names))
        return
    passed = [f"--{word}" for word in ("quick", "write") if getattr(chosen, word)]
    failed = [name for name in chosen.only or names if not ask(name, passed)]
    if chosen.write:
        sys.path.insert(0, str(HERE))
        from measure import README, write

        write(MAIN, table(headlines(README.read_text("utf-8"))))
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
