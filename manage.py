#!/usr/bin/env python
"""Yiquan's commands. Each works on its own: it uses the database that is running, or starts the embedded
one for its duration (marketplace/config/embedded.py)."""

import os
import sys

# These only look at the code; a database would be started for nothing.
WITHOUT_DATABASE = {
    "help",
    "version",
    "startapp",
    "collectstatic",
    "findstatic",
    "makemessages",
    "compilemessages",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.config.settings")
    from django.core.management import execute_from_command_line

    arguments = sys.argv[1:]
    command = arguments[0] if arguments else "help"
    if command in WITHOUT_DATABASE or command.startswith("-") or {"-h", "--help"} & set(arguments):
        return execute_from_command_line(sys.argv)

    from marketplace.config import embedded, environment

    try:
        with embedded.servers(environment.data_dir(), postgres=environment.uses_embedded_database()):
            execute_from_command_line(sys.argv)
    except embedded.CannotStart as refusal:
        sys.exit(f"manage.py: {refusal}")


if __name__ == "__main__":
    main()
