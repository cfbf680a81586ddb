"""Plays a scenario through the reckoning, and compares or writes what is expected of it.

Where the rules leave room, these readings are taken. "Sample": the sample city's figures would differ
otherwise (each was turned round once and played again). "Here": only the town of tests/cities/lakeside
tells them apart.

Redemption. The share of one programme is floored from the whole price, and is the programme's, not the
voucher's (sample). P equal to `min_spend` is enough (here). An indivisible voucher that holds too much is
passed over, later ones may still pay (sample). On a tie between offset and payout the first paying voucher
decides, whichever kind it is (here both ways). The daily limit is over all premises (sample). The channel
is part of a key's content (sample). A reversed redemption told again is `repeated` (here). Government's or
charity's part alone is a claim (sample). Unknown ability fails any `min_ability`.

Issue. A death on the day of issue excludes; one later that is known already is issued and voided (here).
A budget counts face value ever issued, whatever became of it (here). A day of issue may be run again when
its month is locked: who is new to the register is served (here).

Reversal, expiry, voiding. All vouchers of a dead elder count as voided, empty ones (sample) and expired ones
(here) too: what comes back to them is voided, whatever the days of death and reversal. Of a living elder's
voucher past its validity only the value that came back expires at once; what was left on it before waits
for the run (here). A corrected death gives back what it voided; what is past its validity then waits for
the next run (here). Reviews decided before stay decided.

The month. What is reversed or held back is asked of the moment at which the statement is drawn: the date of
a reversal is not compared with the month (here). A redemption on an approved statement that is held back
later stays on it and is not `under_review` (here). Credit is rounded once for the statement (sample). What
lapses goes before a negative credit uses up the carry (here). The months before the first one closed give
`late` (here). An offset programme of scope `city` earns for its lease even when that has ended (here); a
payout programme that hangs on a lease earns it nothing (here).

Bank. Lines are taken in the file's order (here). Open dues: proposals come off their own month first, then
receipts off what remains, oldest month first (here). A line with several codes can still be proposed (here).
Codes are sought in each column by itself, without folding case or width; only ASCII letters and digits
touch (here). A code wins over the payer (here). The balance column is not posted (sample).
"""

import csv
import sys
from dataclasses import astuple, fields
from datetime import date
from decimal import Decimal
from pathlib import Path

from . import closing
from .arithmetic import instant, service_date
from .model import City
from .records import Refused
from .terms import rows

# Decisions of a clerk are dated by the day they are made; the reckoning has no clock, so this is that day.
# No balance hangs on it: only a dead elder's redemption is decided on, and its value is voided at once.
DECIDED_ON = date(2099, 1, 1)


class Played:
    """A scenario being played: `files` maps the name of each expected file to its rows, header first;
    with `check`, `broken` gathers every invariant that any step left broken."""

    def __init__(self, scenario, check=False):
        self.scenario, self.city, self.check = Path(scenario), City(), check
        self.broken = []
        self.files = {"imports.csv": [["file", "line", "outcome"]]}

    def steps(self):
        for line in (self.scenario / "steps.txt").read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                self.step(line)
        return self

    def step(self, line):
        self._do(*line.split())
        if self.check:
            self.broken += [f"{line}: {what}" for what in self.city.broken()]

    def _do(self, word, *rest):
        if word == "load_city":
            self.city.load(self.scenario / rest[0])
        elif word == "issue_vouchers":
            self.city.issue(on=date.fromisoformat(rest[1]))
        elif word == "expire_vouchers":
            self.city.expire(on=date.fromisoformat(rest[1]))
        elif word == "import_redemptions":
            self._import(rest[0], self._redeem)
        elif word == "import_reversals":
            self._import(rest[0], self._reverse)
        elif word == "decide_review":
            self.city.decide_review(rest[0], rest[1], on=DECIDED_ON)
        elif word == "correct_death":
            self.city.correct_death(rest[0], on=DECIDED_ON)
        elif word == "close_month":
            self.city.close(rest[0])
        elif word == "settle_month":
            self.city.settle(rest[0])
            drawn = self.city.drawn[rest[0]].values()
            head = [f.name for f in fields(closing.Statement)]
            self.files[f"statements-{rest[0]}.csv"] = [head, *(list(astuple(s)) for s in drawn)]
            self._balances(rest[0])
        else:
            raise ValueError(f"no such step: {word}")

    def _redeem(self, row):
        _, repeated = self.city.redeem(
            key=row["key"],
            happened_at=instant(row["happened_at"]),
            premises=row["premises"],
            service=row["service"],
            elder=row["elder"],
            quantity=int(row["quantity"]),
            channel=row["channel"],
        )
        return repeated

    def _reverse(self, row):
        return self.city.reverse(row["key"], on=service_date(instant(row["reversed_at"])))

    def _import(self, name, one):
        tally = {"accepted": 0, "repeated": 0, "refused": 0}
        told = self.files["imports.csv"]
        for number, row in enumerate(rows(self.scenario / name), start=2):
            try:
                tally["repeated" if one(row) else "accepted"] += 1
            except Refused as refused:
                tally["refused"] += 1
                told.append([name, number, refused.code])
        told.append([name, 0, ", ".join(f"{what} {n}" for what, n in tally.items())])

    def _balances(self, when):
        self.files[f"balances-{when}.csv"] = [
            ["account", "commodity", "balance"],
            *([a, c, amount] for (a, c), amount in sorted(self.city.balances.items()) if amount),
        ]

    def bank(self, order=None):
        """The bank files in this order, or in that of the expected bank.csv."""
        told = self.files["bank.csv"] = [["file", "new", "repeated", "matched", "proposed", "unmatched"]]
        for name in order or [r["file"] for r in rows(self.scenario / "expected" / "bank.csv")]:
            with open(self.scenario / name, encoding="utf-8-sig", newline="") as file:
                tally = self.city.import_bank(list(csv.reader(file))[1:])
            told.append([name, *tally.values()])
        if self.check:
            self.broken += [f"bank: {what}" for what in self.city.broken()]
        self._balances("bank")
        return self

    def write(self, directory):
        directory.mkdir(parents=True, exist_ok=True)
        for name, table in self.files.items():
            with open(directory / name, "w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(table)

    def differences(self):
        """What the scenario's expected files say otherwise, as sentences. Amounts compare as numbers."""
        found = []
        expected = self.scenario / "expected"
        for name in sorted({p.name for p in expected.glob("*.csv")} | set(self.files)):
            if not (expected / name).exists() or name not in self.files:
                found.append(f"{name}: only one side has it")
                continue
            with open(expected / name, encoding="utf-8-sig", newline="") as file:
                want = [[_plain(cell) for cell in row] for row in csv.reader(file)]
            got = [[_plain(cell) for cell in row] for row in self.files[name]]
            found += [
                f"{name}:{n}: {g}; expected {w}"
                for n, (g, w) in enumerate(zip(got, want, strict=False), 1)
                if g != w
            ]
            if len(got) != len(want):
                found.append(f"{name}: {len(got)} rows; expected {len(want)}")
        return found


def _plain(cell):
    try:
        return Decimal(str(cell))
    except ArithmeticError:
        return str(cell)


def main(scenario):
    played = Played(scenario, check=True).steps().bank()
    found = played.differences() + played.broken
    for line in found:
        print("differs:", line)
    print(f"{len(found)} differences")
    return not found


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1]))
