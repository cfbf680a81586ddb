"""One management command on one database of the bench: python -m tests.bench.command DATABASE NAME ARGUMENTS."""

import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from tests import databases  # noqa: E402

if __name__ == "__main__":
    with databases.pointed_at(sys.argv[1]):
        call_command(*sys.argv[2:])
