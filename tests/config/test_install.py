"""What is said when a machine lacks something, and when a step may be left out."""

import sys

import pytest

from marketplace.config import install


def sentence(call, *arguments) -> str:
    with pytest.raises(SystemExit) as end:
        call(*arguments)
    assert "\n" not in end.value.code
    return end.value.code


@pytest.mark.parametrize("port", ["eighty", "0", "70000", "-1"])
def test_a_port_that_is_none(monkeypatch, port):
    monkeypatch.setenv("PORT", port)
    assert port in sentence(install.refuse_taken_port)


def test_an_old_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    monkeypatch.setattr(sys, "version", "3.10.4 (main)")
    monkeypatch.setattr(sys, "argv", ["install.py"])
    assert "3.11" in sentence(install.main) and "3.10.4" in sentence(install.main)


def test_no_browser_and_no_right_to_install_one(monkeypatch):
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    monkeypatch.setattr(install.os, "geteuid", lambda: 1000)
    said = sentence(install.browser)
    assert "apt-get install chromium fonts-noto-cjk" in said


def test_root_installs_what_is_missing_and_only_that(monkeypatch):
    ran = []
    monkeypatch.setattr(install.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(install, "has_chinese_font", lambda: False)
    monkeypatch.setattr(install.os, "geteuid", lambda: 0)
    monkeypatch.setattr(install, "run", lambda *command, env: ran.append(command))
    install.browser()
    assert [command[:2] for command in ran] == [("apt-get", "update"), ("apt-get", "install")]
    assert "fonts-noto-cjk" in ran[1] and "chromium" not in ran[1]


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
