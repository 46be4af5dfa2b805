"""A real PostgreSQL server for the tests, in a folder that is thrown away; it does not run as root."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

PASSWORD = "s3cret/word@home"
_PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@contextmanager
def running() -> Iterator[str]:
    """The DSN of a server whose user `postgres` needs PASSWORD."""
    if not (_PROGRAMS / "initdb").exists():
        pytest.skip(f"PostgreSQL 15 is not at {_PROGRAMS}")
    user = None
    if os.getuid() == 0:
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    folder = Path(tempfile.mkdtemp(prefix="genchi-pg-"))
    secret = folder / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    if user:
        for path in (folder, secret):
            os.chown(path, user.pw_uid, user.pw_gid)

    def run(*command: str) -> None:
        subprocess.run(
            [str(_PROGRAMS / command[0]), *command[1:]], check=True, stdout=subprocess.DEVNULL, cwd=folder,
            user=user.pw_uid if user else None, group=user.pw_gid if user else None,
        )  # fmt: skip

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(folder / "data")
    run(
        "initdb", "-D", data, "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C"
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://postgres:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)
