"""A Spark server over Spark Connect on this machine, from the wheel of pyspark; it needs Java 17 or later."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.reviewing import free_port

_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
_SETTINGS = {
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.sql.catalogImplementation": "hive",
    "spark.sql.shuffle.partitions": "2",
}
_PATIENCE_S = 300
_QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Options of Java for a server of a few minutes, which compiles less than one that lasts."""

_EMPTY = """
import sys
from pyspark.sql import SparkSession
session = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
for row in session.sql("show schemas").collect():
    if row[0] != "default":
        session.sql(f"drop schema {row[0]} cascade")
session.stop()
"""


@contextmanager
def spark_server(folder: Path, memory: str = "3g", java: str = _QUICK) -> Iterator[str]:
    """The address of a server of two threads, whose tables and log are in `folder`; it ends with the block."""
    spec = find_spec("pyspark")
    assert spec is not None, "pip install 'genchi[spark]'"
    assert spec.origin is not None
    home = Path(spec.origin).parent
    port = free_port()
    settings = {
        **_SETTINGS,
        "spark.connect.grpc.binding.port": str(port),
        **({"spark.driver.extraJavaOptions": java} if java else {}),
    }
    told = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    log = folder / "server.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [home / "bin" / "spark-submit", "--class", _CLASS, "--master", "local[2]", "--driver-memory", memory, *told,
             "spark-internal"],
            cwd=folder, stdout=written, stderr=subprocess.STDOUT,
            env={
                **os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "JAVA_HOME": java_home(),
                "PYSPARK_PYTHON": sys.executable,
            },
        )  # fmt: skip
    try:
        for _ in range(_PATIENCE_S):
            if "server started at" in log.read_text("utf-8", errors="replace"):
                break
            assert process.poll() is None, log.read_text("utf-8", errors="replace")[-2000:]
            time.sleep(1)
        yield f"sc://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def emptied(remote: str) -> str:
    """Drop every schema that the server of this address has: the next workspace finds it new. Returns the address."""
    subprocess.run([sys.executable, "-c", _EMPTY, remote], check=True, timeout=_PATIENCE_S)
    return remote


def java_home() -> str:
    """Where the `java` of the path lies."""
    found = shutil.which("java")
    assert found is not None, "install Java 17 or later, such as Debian's openjdk-17-jre-headless"
    return str(Path(found).resolve().parents[1])
