"""`make bench`: this project side by side with other software, on one PostgreSQL that waits for the disk.

python -m tests.bench                      everything, about three hours; writes docs/performance.md
python -m tests.bench --quick              everything at a tenth of the size, in minutes; only prints
python -m tests.bench redemptions books    some parts; their sections of docs/performance.md are renewed
"""

import argparse
import os
import sys
import time
from datetime import date
from importlib import import_module
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
os.environ["TEST_DATA_DIR"] = os.environ.get("BENCH_DATA_DIR") or str(
    Path(__file__).resolve().parents[2] / ".data" / "bench"
)

PARTS = ("redemptions", "issue", "month", "books", "rules", "http", "pages", "market")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="a tenth of the size; prints, writes no file")
    parser.add_argument(
        "--tiny", action="store_true", help="a hundredth, one round: only whether it all runs"
    )
    parser.add_argument("--fresh", action="store_true", help="make the kept databases anew")
    options = parser.parse_args()
    parts = options.parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")

    import django

    django.setup()
    from django.conf import settings

    from tests.bench import measure, report, server, sizes

    size = sizes.TINY if options.tiny else sizes.TENTH if options.quick else sizes.FULL
    failed = False
    kept = report.Kept(settings.DATA_DIR / f"results-{size.name}.json")
    with server.cluster():
        server.drop_stale(everything=options.fresh)
        for part in parts:
            server.say(f"{part} ({size.name})")
            load, began = measure.load(), time.monotonic()
            result = import_module(f"tests.bench.{part}").run(size)
            result.about = (
                f"{date.today()}, {time.monotonic() - began:.0f} s, load of the machine before it {load:.1f}."
            )
            failed |= any(row[-1] == "FAIL" for row in result.bars)
            kept.put(result)
            print(f"\n{result.text()}\n", flush=True)
            if size is sizes.FULL:
                report.write(kept, machine=measure.machine())
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
