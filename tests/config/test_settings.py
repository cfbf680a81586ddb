"""Settings of an installation behind TLS, and of pages."""

from django.apps import apps
from django.contrib.staticfiles.finders import get_finders

from tests.config import processes

DEPLOYED = {
    "SECRET_KEY": "K8v" * 20 + "xyzXYZ0123456789-_",
    "HTTPS_HOSTS": "vouchers.example.org",
}


def test_behind_tls_djangos_own_deployment_check_is_content(tmp_path):
    said = processes.ended(
        processes.python(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", env=DEPLOYED)
    )
    assert "no issues" in said


def test_control_without_tls_it_is_not(tmp_path):
    done = processes.python(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    said, _ = done.communicate(timeout=90)
    assert done.returncode == 1 and "security.W" in said


def test_pages_allow_nothing_inline_and_nothing_from_elsewhere(client):
    policy = client.get("/healthz").headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";") if rule.strip())
    assert rules["default-src"] == "'self'"
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert not {"script-src", "style-src"} & set(rules)


def test_keys_stay_the_same_and_are_their_owners_alone(tmp_path):
    show = "from marketplace.config.environment import keys; print(keys())"
    first, again = (processes.ended(processes.python(tmp_path, "-c", show)) for _ in range(2))
    assert first == again
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0


def test_many_that_start_at_once_agree_on_the_keys(tmp_path):
    show = "from marketplace.config.environment import keys; print(keys())"
    crowd = [processes.python(tmp_path, "-c", show) for _ in range(8)]
    assert len({processes.ended(process) for process in crowd}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_what_is_collected_is_what_pages_show():
    """Oscar's dashboard would bring two thirds of all bytes, for pages that we do not have."""
    unwanted = apps.get_app_config("staticfiles").ignore_patterns
    collected = {
        path.partition("/")[0] for finder in get_finders() for path, _storage in finder.list(unwanted)
    }
    assert collected == {"admin", "css", "img", "js", "vendor"}
    assert "oscar" in {
        path.partition("/")[0] for finder in get_finders() for path, _storage in finder.list([])
    }
