"""`make install`: everything that the project needs into .venv, node_modules and staticfiles.

Runs on the machine's own Python with nothing installed, so it imports the standard library alone. Each step
has a stamp of what it was made from (the lock, the page sources) and is left out while that is unchanged.

    python3 marketplace/config/install.py          what `make run` needs
    python3 marketplace/config/install.py --test   and what the tests need
    python3 marketplace/config/install.py --run    the first, then the site (marketplace/config/run.py)
"""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST_PYTHON, OLDEST_NODE = (3, 11), 18
BROWSERS = ("chromium-headless-shell", "chromium")  # the first opens a page with a third of the other's work
CJK_FONT = "Noto Sans CJK"


def main() -> None:
    wanted = set(sys.argv[1:])
    if sys.version_info < OLDEST_PYTHON:
        stop(
            f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed; this is {sys.version.split()[0]}."
        )
    if "--run" in wanted:
        refuse_taken_port()
    os.chdir(PROJECT)
    # Compiled once when installed, or every command would spend a second on reading its libraries.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.pop("VIRTUAL_ENV", None)
    os.environ.pop("PYTHONPATH", None)
    make_venv()
    libraries("Python libraries", "requirements")
    if "--test" in wanted:
        libraries("test libraries", "requirements-test")
    pages()
    translations()
    static_files()
    if "--test" in wanted:
        browser()
    if "--run" in wanted:
        os.execv(PYTHON, [str(PYTHON), "-m", "marketplace.config.run"])


def refuse_taken_port(
    name: str = "PORT", default: str = "8000", *, host: str = "", command: str = "make run"
) -> None:
    """Before minutes are spent on what cannot be reached in the end. `name`: where the port is set; `host`: HOST."""
    text = os.environ.get(name) or default
    if not text.isdigit() or not 0 < int(text) < 65536:
        stop(f"{name} must be a number from 1 to 65535, not {text!r}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        another = f"choose another, for example {name}={{}} {command}."
        try:
            probe.bind((host or os.environ.get("HOST") or "127.0.0.1", int(text)))
        except PermissionError:
            stop(f"Port {text} needs more rights than this user has: {another.format(default)}")
        except OSError:
            stop(f"Port {text} is taken by another program: {another.format(int(text) + 1)}")


def make_venv() -> None:
    if PYTHON.exists():
        return
    with step("Python environment"):
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
        if made.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            stop("Python cannot make a virtual environment: install its venv package (Debian: python3-venv).")


def libraries(label: str, name: str) -> None:
    lock = PROJECT / f"{name}.txt"
    stamp = Stamp(name, lock.read_bytes(), sys.version.encode())
    if stamp.holds():
        return
    pins = [line for line in lock.read_text().splitlines() if line and line[0] not in "#- "]
    with step(f"{label} ({len(pins)})"):
        uv = VENV / "bin" / "uv"
        if not uv.exists():
            pin = next(
                line
                for line in (PROJECT / "requirements.txt").read_text().splitlines()
                if line.startswith("uv==")
            )
            run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", pin)
        run(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", PYTHON, "--requirement", lock)
    stamp.put()


def pages() -> None:
    """Bootstrap, htmx and the rest from npm, by its lock, into marketplace/static/vendor."""
    source = PROJECT / "package-lock.json"
    if not source.exists():
        return
    vendor = PROJECT / "marketplace" / "static" / "vendor"
    builder = PROJECT / "marketplace" / "web" / "vendor.mjs"
    stamp = Stamp("pages", source.read_bytes(), (PROJECT / "package.json").read_bytes(), builder.read_bytes())
    if stamp.holds() and vendor.is_dir() and (PROJECT / "node_modules").is_dir():
        return
    if not node_is_here():
        libraries("Node, as this machine has none", "requirements-node")
        os.environ["PATH"] = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    with step("page libraries"):
        run("npm", "ci", "--no-audit", "--no-fund", "--loglevel", "error", "--ignore-scripts")
        run("npm", "run", "--silent", "build")
    stamp.put()


def node_is_here() -> bool:
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    said = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    return said[1:].split(".")[0].isdigit() and int(said[1:].split(".")[0]) >= OLDEST_NODE


def translations() -> None:
    sources = sorted((PROJECT / "marketplace" / "locale").rglob("*.po"))
    stamp = Stamp("translations", *(path.read_bytes() for path in sources))
    if stamp.holds() and all(path.with_suffix(".mo").exists() for path in sources):
        return
    with step("translations"):
        run(PYTHON, "manage.py", "compilemessages", "--verbosity", "0")
    stamp.put()


def static_files() -> None:
    sources = [path for path in sorted((PROJECT / "marketplace" / "static").rglob("*")) if path.is_file()]
    stamp = Stamp(
        "static",
        (PROJECT / "requirements.txt").read_bytes(),
        *(f"{path}:{path.stat().st_size}:{path.stat().st_mtime_ns}".encode() for path in sources),
    )
    if stamp.holds() and (PROJECT / "staticfiles").is_dir():
        return
    with step("static files"):
        run(PYTHON, "manage.py", "collectstatic", "--noinput", "--clear", "--verbosity", "0")
    stamp.put()


def browser() -> None:
    """Debian's Chromium and a Chinese font for the browser tests, and what reads the text of a PDF: installed where we
    may, asked for where not.

    Of the two packages the one without windows is asked for; where there is a whole Chromium, that one will do.
    """
    missing = []
    if not any(map(shutil.which, BROWSERS)):
        missing.append(BROWSERS[0])
    if not shutil.which("pdftotext"):
        missing.append("poppler-utils")
    if not has_chinese_font():
        missing.append("fonts-noto-cjk")
    if not missing:
        return
    packages = " ".join(missing)
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        stop(f"The tests need {packages}: install them (Debian: apt-get install {packages}), then run again.")
    with step(f"{packages}, by apt"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run("apt-get", "update", "-qq", env=quiet)
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "fontconfig", *missing, env=quiet)


def has_chinese_font() -> bool:
    if not shutil.which("fc-list"):
        return False
    return CJK_FONT in subprocess.run(["fc-list"], capture_output=True, text=True).stdout


class Stamp:
    """Remembers from what a step was made; kept in .venv, so that it goes when that goes."""

    def __init__(self, name: str, *sources: bytes) -> None:
        self.path = VENV / f".made-{name}"
        self.digest = hashlib.sha256(
            b"\0".join(hashlib.sha256(source).digest() for source in sources)
        ).hexdigest()

    def holds(self) -> bool:
        return self.path.exists() and self.path.read_text() == self.digest

    def put(self) -> None:
        self.path.write_text(self.digest)


class step:
    """One line of progress: what is being done, and how long it took."""

    def __init__(self, label: str) -> None:
        self.label = label

    def __enter__(self) -> None:
        print(f"  {self.label} ... ", end="", flush=True)
        self.began = time.monotonic()

    def __exit__(self, kind, error, trace) -> None:
        print(f"{time.monotonic() - self.began:.1f} s" if kind is None else "failed", flush=True)


def run(*command, env=None) -> None:
    """Run silently; when it fails, show what it said and end."""
    done = subprocess.run(
        [str(part) for part in command],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        print("failed\n" + done.stdout.strip(), flush=True)
        stop(f"This failed: {' '.join(str(part) for part in command)}")


def stop(sentence: str) -> None:
    sys.exit(sentence)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nStopped; run it again to go on.")
