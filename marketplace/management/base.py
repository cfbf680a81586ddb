"""What all commands of contracts.md share: how they refuse, how they show progress, who is acting.

    class Command(base.Command):
        help = gettext_noop("Close a month: ...")       # translated when it is shown
        refusals = (CannotClose,)                        # domain exceptions with a sentence as their text

        def add_arguments(self, parser):
            parser.add_argument("month", type=base.month, help=_("..."))

        def handle(self, *, month, **options):
            close_month(month=month, by=self.by, at=timezone.now(), progress=self.progress)

Exit status 0 when done, 1 when refused: the reason stands in one line on stderr (a refused file gives one
line for each problem). Called from Python, a refusal is `Refused`.
"""

import argparse
import getpass
import os
import re
import sys
import time
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, SystemCheckError
from django.utils.translation import gettext as _

from ledger.files.problems import FileRefused
from ledger.journal.operations import Busy
from marketplace.accounts.models import User

PROGRESS_SECONDS = 1.0


class Refused(CommandError):
    """A command was refused; its text is what the person at the terminal reads."""


class Command(BaseCommand):
    requires_system_checks = []  # they look at the code, not at the data: the tests run them
    # What a clerk has no use for stays out of --help; it works all the same.
    suppressed_base_arguments = {
        "--version",
        "--verbosity",
        "--settings",
        "--pythonpath",
        "--traceback",
        "--no-color",
        "--force-color",
    }
    refusals: tuple[type[Exception], ...] = ()

    _progress_shown_at = 0.0
    _progress_wanted = False
    _progress_open = False  # an unfinished line stands on the terminal

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if self.help:
            parser.description = _(self.help)
        if getattr(self, "_called_from_command_line", False):
            parser.error = lambda message: _stop(parser, message)  # type: ignore[method-assign, assignment]
        parser.add_argument(
            "--progress", action="store_true", help=_("show progress also where stderr is not a terminal")
        )
        return parser

    def execute(self, *args: Any, **options: Any) -> Any:
        """Run the command; turn what it refuses into one line on stderr and exit status 1."""
        self._progress_wanted = bool(options.pop("progress", False)) or _is_terminal(self.stderr)
        refusals: tuple[type[Exception], ...] = (CommandError, FileRefused, Busy, *self.refusals)
        try:
            return super().execute(*args, **options)
        except SystemCheckError:
            raise
        except refusals as refusal:
            self.end_progress()
            if not getattr(self, "_called_from_command_line", False) or options.get("traceback"):
                raise Refused(str(refusal)) from refusal
            self.stderr.write(str(refusal))
            sys.exit(1)
        finally:
            self.end_progress()

    @property
    def by(self) -> str:
        """Under whose name the audit notes what this command does."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError, ImportError):  # an account without a name
            user = str(os.getuid())
        return f"command:{user}"

    def progress(self, done: int, total: int | None = None, what: str = "") -> None:
        """Show how far a long run is: at most once a second, and only to somebody who looks.

        Give this method to operations as their `progress`; `what` names the step, such as a file.
        """
        now = time.monotonic()
        if not self._progress_wanted or now - self._progress_shown_at < PROGRESS_SECONDS:
            return
        self._progress_shown_at = now
        line = f"{done:,}" if total is None else f"{done:,} / {total:,} ({done * 100 // max(total, 1)} %)"
        line = f"{what}: {line}" if what else line
        if _is_terminal(self.stderr):
            self.stderr.write(f"\r\x1b[K{line}", str, ending="")
            self.stderr.flush()
            self._progress_open = True
        else:
            self.stderr.write(line, str)

    def end_progress(self) -> None:
        """Take an unfinished progress line off the terminal."""
        if self._progress_open:
            self.stderr.write("\r\x1b[K", str, ending="")
            self.stderr.flush()
            self._progress_open = False


def _is_terminal(stream: Any) -> bool:
    return bool(getattr(stream, "isatty", lambda: False)())


def _stop(parser: CommandParser, message: str) -> None:
    sys.stderr.write(
        _("%(message)s (%(command)s --help explains)\n") % {"message": message, "command": parser.prog}
    )
    sys.exit(1)


def user(name: str) -> User:
    """The user of this name, refused in a sentence where there is none."""
    found = User.objects.filter(username=name).first()
    if found is None:
        raise Refused(_("There is no user named %(name)s.") % {"name": name})
    return found


# Kinds of arguments


def day(text: str) -> date:
    """A day written 2026-07-01."""
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise argparse.ArgumentTypeError(_("“%(text)s” is not a day written YYYY-MM-DD") % {"text": text})


def month(text: str) -> date:
    """The first day of a month written 2026-07."""
    if re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII):
        try:
            return date.fromisoformat(f"{text}-01")
        except ValueError:
            pass
    raise argparse.ArgumentTypeError(_("“%(text)s” is not a month written YYYY-MM") % {"text": text})
