"""`pactc`: the compiler and the checker at the command line.

In: arguments, files, standard input.  Out: reports for people or as JSON, and an exit code (`exits`).

The commands stand in modules of their own and are imported when they are called; whatever goes wrong
in them ends here, in one sentence.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from pactlang import __version__
from pactlang.cli import exits
from pactlang.cli.screen import prepare_outputs, printable

COMMANDS = (
    "init", "check", "fmt", "build", "test", "run", "score", "replay", "explain", "docs", "baseline",
    "ledger", "demo", "lsp",
)  # fmt: skip


class ClosedPipe(Exception):
    """The reader of the output went away; click has an end of its own for a BrokenPipeError."""


class Commands(click.Group):
    """The commands by name, each imported when it is asked for."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ClosedPipe from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"pactlang.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"pactc {__version__}")
        ctx.exit()


@click.command(cls=Commands, epilog=exits.HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version,
              help="Show the version and exit.")  # fmt: skip
def pactc() -> None:
    """Check what an AI agent promises against what it did.

    A pact is written in a .pact file, compiled (to a .pactc file, or in memory), and run over records
    of calls: JSON, one record per line.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `pactc` with these arguments (the process's own if None) and leave with an exit code."""
    prepare_outputs()
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except (BrokenPipeError, ClosedPipe):
        code = _hush()
    except OSError as error:
        code = _say(f"cannot write to standard output: {exits.reason(error)}", exits.UNABLE)
        _hush()
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        return int(pactc.main(arguments, prog_name="pactc", standalone_mode=False) or exits.FINE)
    except exits.Fault as fault:
        return _fault(fault)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted", exits.INTERRUPTED)
    except (BrokenPipeError, ClosedPipe):
        raise
    except Exception as error:
        return _last_resort(error)


def _fault(fault: exits.Fault) -> int:
    for line in fault.message.splitlines():
        _say(line, exits.UNABLE)
    if fault.hint:
        click.echo(f"  = help: {fault.hint}", err=True)
    return exits.UNABLE


def _last_resort(error: Exception) -> int:
    from pactlang.errors import PactError

    if os.environ.get("PACT_DEBUG"):
        raise error
    if isinstance(error, PactError):
        return _say(printable(str(error)), exits.UNABLE)
    if isinstance(error, OSError):
        place = printable(str(error.filename)) if error.filename else "cannot write to standard output"
        return _say(f"{place}: {exits.reason(error)}", exits.UNABLE)
    if isinstance(error, MemoryError):
        return _say("out of memory", exits.FAULT)
    what = printable(f"{type(error).__name__}: {error}")[:300]
    return _say(f"a fault in pactc itself: {what} (PACT_DEBUG=1 shows where)", exits.FAULT)


def _say(message: str, code: int) -> int:
    click.echo(f"error: {message}" if code != exits.INTERRUPTED else message, err=True)
    return code


def _hush() -> int:
    """Point standard output at nothing, so that the interpreter has nothing left to fail on at its end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
    return exits.CLOSED_PIPE
