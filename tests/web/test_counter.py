"""The counter's app without a browser: its queue in random lives, its words, its worker, its policy."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client

from marketplace.web.counter import views, words

HERE = Path(__file__).parent
MODULES = Path(settings.BASE_DIR) / "marketplace/static/js/counter"
MUTANTS = re.findall(r'^  "([^"]+)": \(\) => \{', (HERE / "counter_queue.mjs").read_text(), re.M)


def node(script: str, *arguments: str) -> subprocess.CompletedProcess:
    program = shutil.which("node") or str(Path(settings.BASE_DIR) / ".venv/bin/node")
    return subprocess.run(
        [program, str(HERE / script), *arguments], capture_output=True, text=True, timeout=400, check=False
    )


def test_500_lives_of_the_queue():
    """Whatever is lost, cut, repeated, killed or refused: one receipt each, none dropped, none paid twice, no cap
    passed."""
    lived = node("counter_queue.mjs", "500")
    assert lived.returncode == 0, lived.stderr
    print(lived.stdout)


@pytest.mark.long
def test_10000_lives_of_the_queue():
    lived = node("counter_queue.mjs", "10000")
    assert lived.returncode == 0, lived.stderr


@pytest.mark.parametrize("mutant", MUTANTS)
def test_control_a_broken_queue_is_noticed(mutant):
    assert len(MUTANTS) >= 8
    lived = node("counter_queue.mjs", "500", mutant)
    assert lived.returncode == 1 and re.match(r"seed \d+: ", lived.stderr), lived.stderr


def test_the_small_modules():
    done = node("counter_modules.mjs")
    assert done.returncode == 0, done.stderr


def test_it_signs_as_the_server_checks():
    done = node("counter_signing.mjs")
    assert done.returncode == 0, done.stderr


def test_every_word_that_a_module_asks_for_is_there_and_none_is_idle():
    code = "\n".join(path.read_text() for path in MODULES.glob("*.js"))
    asked = set(re.findall(r'["`]([a-z][a-z_]+)["`]', code))
    stems = set(re.findall(r"`([a-z_]+_)\$\{", code))
    idle = [
        name for name in words.WORDS if name not in asked and not any(name.startswith(stem) for stem in stems)
    ]
    assert idle == []
    direct = set(re.findall(r'\bt\("([a-z_]+)"', code)) | set(re.findall(r'\bfigure\("([a-z_]+)"', code))
    assert len(direct) > 80
    assert sorted(direct - set(words.WORDS)) == []


def test_both_languages_travel_with_the_page():
    both = words.both()
    assert set(both["en"]) == set(both["zh-hans"]) == set(words.WORDS)
    assert not any(re.search("[一-鿿]", text) for text in both["en"].values())
    places = re.compile(r"\{(\w+)\}")
    for name, text in both["en"].items():
        assert set(places.findall(text)) == set(places.findall(both["zh-hans"][name])), name


def test_every_icon_that_is_asked_for_is_drawn():
    code = "\n".join(path.read_text() for path in MODULES.glob("*.js"))
    drawn = set(re.findall(r'<symbol id="([a-z-]+)"', Path(finders.find("img/counter.svg")).read_text()))
    asked = set(re.findall(r'icon\("([a-z-]+)"', code)) | set(
        re.findall(r'button\("[a-z ]+", "([a-z-]+)"', code)
    )
    assert len(asked) > 10 and asked <= drawn


def test_the_worker_keeps_all_that_the_app_is_made_of():
    """Each module that is imported, from any of them, is in the list; its version moves with their bytes."""
    answer = Client().get("/counter/sw.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "no-cache"
    script = answer.content.decode()
    files = re.search(r"const FILES = (\[.*\]);", script)[1]
    for path in MODULES.glob("*.js"):
        for imported in re.findall(r'from "(\.\.?/[a-z./]+)"', path.read_text()):
            name = (path.parent / imported).resolve().relative_to(MODULES.parents[1])
            assert f"/static/{name}" in files, (path.name, imported)
    assert '"/counter/"' in files and "counter.css" in files
    assert "zxing_reader.wasm" in script and "zxing_reader.wasm" not in files  # only when it is needed
    assert f'const VERSION = "{views.version()}"' in script


def test_the_version_moves_with_the_bytes(monkeypatch):
    before = views.version()
    views.version.cache_clear()
    monkeypatch.setitem(words.WORDS, "title", "Another")
    try:
        assert views.version() != before
    finally:
        monkeypatch.undo()
        views.version.cache_clear()
    assert views.version() == before


def test_the_manifest_makes_it_an_app():
    answer = Client(headers={"Accept-Language": "zh-CN"}).get("/counter/counter.webmanifest")
    about = answer.json()
    assert about["start_url"] == about["scope"] == "/counter/" and about["display"] == "standalone"
    assert about["name"] == "颐券收券台" and about["lang"] == "zh-Hans"


def test_webassembly_is_allowed_here_alone():
    policy = Client().get("/counter/").headers["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval'" in policy and "unsafe-inline" not in policy
    assert "wasm" not in Client().get("/sign-in/").headers["Content-Security-Policy"]
