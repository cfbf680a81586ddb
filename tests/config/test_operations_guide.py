"""docs/operations.md says nothing that does not work."""

import re
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from tests.config import processes


def test_every_command_of_the_guide_works_in_its_order(tmp_path):
    guide = (Path(settings.BASE_DIR) / "docs" / "operations.md").read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 3
    for line in "".join(blocks).splitlines():
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", line.replace("manage.py", f"{sys.executable} manage.py")],
            env=processes.environment(tmp_path),
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert not processes.of(tmp_path)
