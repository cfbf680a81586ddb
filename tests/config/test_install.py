"""What is said when a machine lacks something, and when a step may be left out."""

import socket
import sys

import pytest

from marketplace.config import books, install


def sentence(call, *arguments) -> str:
    with pytest.raises(SystemExit) as end:
        call(*arguments)
    assert "\n" not in end.value.code
    return end.value.code


@pytest.mark.parametrize("port", ["eighty", "0", "70000", "-1"])
def test_a_port_that_is_none(monkeypatch, port):
    monkeypatch.setenv("PORT", port)
    assert port in sentence(install.refuse_taken_port)


def test_books_say_that_their_port_is_taken_before_they_are_exported(monkeypatch):
    """Each by its own name: make books is not told to choose another PORT."""
    monkeypatch.setattr(sys, "argv", ["books", "2026-01"])
    monkeypatch.setattr(books.subprocess, "run", lambda *_arguments, **_options: pytest.fail("exported"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("BOOKS_PORT", str(port))
        said = sentence(books.main)
    assert f"Port {port} is taken" in said and f"BOOKS_PORT={port + 1} make books MONTH=2026-01" in said
    with pytest.raises(pytest.fail.Exception, match="exported"):  # the control: once it is free
        books.main()


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    monkeypatch.setattr(sys, "version", "3.10.4 (main)")
    monkeypatch.setattr(sys, "argv", ["install.py"])
    assert "3.11" in sentence(install.main) and "3.10.4" in sentence(install.main)


def test_no_browser_and_no_right_to_install_one(monkeypatch):
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    monkeypatch.setattr(install.os, "geteuid", lambda: 1000)
    said = sentence(install.browser)
    assert "apt-get install chromium-headless-shell poppler-utils fonts-noto-cjk" in said


def test_root_installs_what_is_missing_and_only_that(monkeypatch):
    ran = []
    here = {"apt-get", "chromium"}
    monkeypatch.setattr(install.shutil, "which", lambda name: f"/usr/bin/{name}" if name in here else None)
    monkeypatch.setattr(install, "has_chinese_font", lambda: False)
    monkeypatch.setattr(install.os, "geteuid", lambda: 0)
    monkeypatch.setattr(install, "run", lambda *command, env: ran.append(command))
    install.browser()
    assert [command[:2] for command in ran] == [("apt-get", "update"), ("apt-get", "install")]
    assert {"fonts-noto-cjk", "poppler-utils"} < set(ran[1]) and not set(install.BROWSERS) & set(ran[1])


@pytest.mark.parametrize("there", install.BROWSERS)
def test_either_browser_will_do(monkeypatch, there):
    here = {there, "pdftotext"}
    monkeypatch.setattr(install.shutil, "which", lambda name: f"/usr/bin/{name}" if name in here else None)
    monkeypatch.setattr(install, "has_chinese_font", lambda: True)
    monkeypatch.setattr(install, "run", lambda *command, env: pytest.fail(f"{command} was run"))
    install.browser()


def test_a_step_is_left_out_while_its_source_is_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr(install, "VENV", tmp_path)
    stamp = install.Stamp("lock", b"a==1", b"3.11")
    assert not stamp.holds()
    stamp.put()
    assert install.Stamp("lock", b"a==1", b"3.11").holds()
    assert not install.Stamp("lock", b"a==2", b"3.11").holds()
    assert not install.Stamp("lock", b"a==1", b"3.12").holds()


def test_the_lock_names_no_address_and_pins_everything():
    for path in install.PROJECT.glob("requirements*.txt"):
        lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
        assert lines
        assert [
            line for line in lines if "==" not in line or "://" in line or "/" in line.split(";")[0]
        ] == []
