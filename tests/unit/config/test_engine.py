"""What of the machine a run takes: `engine` in genchi.yaml, the process's affinity, and the limits of a container."""

import os
from pathlib import Path

import duckdb
import pytest

from flows.config import load_config
from flows.config.machine import usable_memory, usable_processors
from flows.errors import ConfigError

PROCESSORS = len(os.sched_getaffinity(0))
GIB = 1 << 30


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def member(folder: Path, lines: str) -> Path:
    (folder / "membership").write_text(lines, encoding="utf-8")
    return folder / "membership"


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({"cpu.max": "100000 100000\n"}, "0::/\n"),
        ({"job/cpu.max": "max 100000\n", "cpu.max": "50000 100000\n"}, "0::/job\n"),
        ({"cpu.max": "100000 100000\n"}, "0::/kubepods/of-the-host\n"),
        ({"cpu,cpuacct/cpu.cfs_quota_us": "90000\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"}, "4:cpu,cpuacct:/\n"),
        ({"cpu/job/cpu.cfs_quota_us": "100000\n", "cpu/job/cpu.cfs_period_us": "100000\n"}, "1:cpu:/job\n0::/\n"),
    ],
)
def test_the_quota_of_a_control_group_limits_the_processors(tmp_path: Path, files: dict[str, str], lines: str) -> None:
    assert usable_processors(written(tmp_path, files), member(tmp_path, lines)) == 1


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({}, "0::/\n"),
        ({"cpu.max": "max 100000\n"}, "0::/\n"),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, "1:cpu:/\n"),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "0\n"}, "1:cpu:/\n"),
        ({"memory/cpu.max": "1 100000\n"}, "4:memory:/\n"),
    ],
)
def test_without_a_quota_the_affinity_counts(tmp_path: Path, files: dict[str, str], lines: str) -> None:
    assert usable_processors(written(tmp_path, files), member(tmp_path, lines)) == PROCESSORS


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({"a/memory.max": "max\n", "memory.max": f"{GIB}\n"}, "0::/a\n"),
        ({"memory/memory.limit_in_bytes": f"{GIB}\n"}, "4:memory:/\n"),
    ],
)
def test_the_limit_of_a_control_group_limits_the_memory(tmp_path: Path, files: dict[str, str], lines: str) -> None:
    groups, membership = written(tmp_path, files), member(tmp_path, lines)

    assert usable_memory(groups, membership) == GIB
    assert usable_memory(tmp_path / "absent", membership) > GIB


def test_a_connection_to_the_lake_has_the_threads_and_the_memory_of_the_section(tmp_path: Path) -> None:
    given = written(tmp_path, {"genchi.yaml": "app: a\nlake: lake\nengine: {threads: 3, memory_share: 0.25}\n"})
    config = load_config(given / "genchi.yaml")

    with duckdb.connect() as connection:
        config.open_lake().open_to(connection)
        threads, memory = connection.execute(
            "select current_setting('threads'), current_setting('memory_limit')"
        ).fetchall()[0]

    assert threads == 3
    amount, unit = memory.split()
    bytes_set = float(amount) * {"GiB": 1 << 30, "MiB": 1 << 20}[unit]
    assert bytes_set == pytest.approx(usable_memory() / 4, rel=0.05)


@pytest.mark.parametrize(
    "wrong",
    [
        "threads: 0",
        "memory_share: 0",
        "memory_share: 1.5",
        "thread: 2",
        "tasks: dask",
        "tasks: ray",
        "tasks: ray, address: 'tcp://a:1'",
        "tasks: ray, address: 'ray://:secret@a:1'",
        "tasks: dask, address: 'tcp://me:secret@a:1'",
        "address: 'tcp://a:1'",
        "tasks: dask, address: 'http://a:1'",
    ],
)
def test_a_wrong_value_is_one_line_with_its_place(tmp_path: Path, wrong: str) -> None:
    given = written(tmp_path, {"genchi.yaml": f"app: a\nlake: lake\nengine: {{{wrong}}}\n"})

    with pytest.raises(ConfigError, match="engine") as raised:
        load_config(given / "genchi.yaml")

    assert "\n" not in str(raised.value)
