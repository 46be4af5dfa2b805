"""Real clusters on loopback, of processes of their own: Dask and Ray."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from distributed import Client, LocalCluster

from tests.reviewing import free_port

_PATIENCE_S = 240
# Each node of Ray takes this much memory for objects, and fails to start where a busy machine is slower than this.
_RAY_OBJECTS, _RAY_WAIT_S = str(100 << 20), "180"


@dataclass
class Cluster:
    """A cluster's address, and its workers, processes of their own, by their names."""

    address: str
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    log: Path = Path()
    head: str = ""


@contextmanager
def local_dask(workers: int, threads: int) -> Iterator[str]:
    """The address of a Dask scheduler whose workers are threads of this process, which takes no seconds to start."""
    with LocalCluster(
        n_workers=workers, threads_per_worker=threads, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address


@contextmanager
def dask_cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A cluster on loopback."""
    told, log = folder / "scheduler.json", folder / "dask.log"
    with ExitStack() as stack:
        output = stack.enter_context(log.open("wb"))

        def start(kind: str, *options: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--no-dashboard", *options]
            process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        start(
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--dashboard-address",
            ":0",
            "--scheduler-file",
            str(told),
        )
        while not told.exists() or not told.read_text():
            time.sleep(0.1)
        cluster = Cluster(json.loads(told.read_text())["address"], log=log)
        for number in range(workers):
            name = f"worker-{number}"
            options = ("--nthreads", "1", "--no-nanny", "--name", name, "--local-directory", str(folder))
            cluster.workers[name] = start("worker", cluster.address, *options)
        with Client(cluster.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=120)
        yield cluster


@contextmanager
def ray_cluster(workers: int = 2) -> Iterator[Cluster]:
    """A cluster on this machine, whose head does no tasks; `address` is Ray's client server, `head` the cluster's."""
    port, client_port = free_port(), free_port()
    ray = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--disable-usage-stats"]
    common = ["--object-store-memory", _RAY_OBJECTS]
    environment = {**os.environ, "RAY_raylet_start_wait_time_s": _RAY_WAIT_S}
    with ExitStack() as stack:

        def start(*options: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                [*ray, *options, *common], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(end, process)
            return process

        start("--head", "--port", str(port), "--ray-client-server-port", str(client_port), "--num-cpus", "0",
              "--include-dashboard", "false")  # fmt: skip
        cluster = Cluster(f"ray://127.0.0.1:{client_port}", head=f"127.0.0.1:{port}")
        _until_it_listens(port)
        _until_it_listens(client_port)
        for number in range(workers):
            # One after the other: two nodes that start at once on one machine may wait for each other.
            cluster.workers[f"worker-{number}"] = start("--address", cluster.head, "--num-cpus", "1")
            _until_it_has(cluster.head, number + 1)
        yield cluster


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and all that it has started."""
    with suppress(psutil.NoSuchProcess):
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait()


def _until_it_listens(port: int) -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.2)
    raise TimeoutError(f"nothing listens on port {port}")


def _until_it_has(head: str, workers: int) -> None:
    """Ask in a process of its own: one process talks to one cluster at a time."""
    code = (
        "import sys, time, ray; ray.init(sys.argv[1], log_to_driver=False)\n"
        "while ray.cluster_resources().get('CPU', 0) < int(sys.argv[2]): time.sleep(0.5)"
    )
    subprocess.run([sys.executable, "-c", code, head, str(workers)], check=True, timeout=_PATIENCE_S)
