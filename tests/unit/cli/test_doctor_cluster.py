"""`genchi doctor`: a cluster and the folder of exported tables, one line each, which says how to mend it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from flows.cli.doctor import Finding, cluster_checks, exit_code
from flows.cli.doctor.cluster_checks import cluster_findings
from flows.cli.doctor.place_checks import export_findings
from flows.cluster import patience
from flows.config import load_config
from tests.clusters import local_dask


def examined(folder: Path, more: str = "") -> list[Finding]:
    path = folder / "genchi.yaml"
    path.write_text(f"app: a\nlake: lake\n{more}", encoding="utf-8")
    config = load_config(path)
    return [*export_findings(config), *cluster_findings(config)]


def line(findings: list[Finding]) -> str:
    return "\n".join(finding.line for finding in findings)


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a Dask scheduler with two workers."""
    with local_dask(workers=2, threads=1) as found:
        yield found


def with_cluster(address: str) -> str:
    return f"engine: {{tasks: dask, address: '{address}'}}\n"


def test_a_cluster_whose_workers_have_what_the_run_has_is_well(tmp_path: Path, address: str) -> None:
    assert f"✓ cluster: {address}: 2 workers with the same packages; the lake does not exist yet" in line(
        examined(tmp_path, with_cluster(address))
    )
    (tmp_path / "lake").mkdir()
    findings = examined(tmp_path, with_cluster(address))
    assert line(findings) == (
        f"✓ cluster: {address}: 2 workers with the same packages; they can read and write the lake"
    )
    assert exit_code(findings) == 0
    assert not list((tmp_path / "lake").glob("_probe*"))


def test_workers_with_other_packages_or_another_lake_are_named(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lake").mkdir()
    monkeypatch.setattr(cluster_checks, "read_probe", lambda *_: None)
    monkeypatch.setattr(cluster_checks, "packages", lambda: {"numpy": "1.0", "duckdb": "2"})
    real = cluster_checks.differences
    monkeypatch.setattr(cluster_checks, "differences", lambda theirs, _: real(theirs, {"numpy": "2.0"}))
    findings = examined(tmp_path, with_cluster(address))
    assert exit_code(findings) == 1
    told = line(findings)
    assert told.count(" has numpy 1.0, and the run 2.0; install the same requirements.lock on all workers") == 2
    assert told.count(f": lake: {tmp_path}/lake: is not the one of this machine; use an object store, or a folder") == 2


def test_a_cluster_without_workers_or_without_an_answer_says_how_to_mend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalCluster(n_workers=0, processes=False, protocol="tcp", dashboard_address="127.0.0.1:0") as cluster:
        findings = examined(tmp_path, with_cluster(cluster.scheduler_address))
    assert f"✗ cluster: {cluster.scheduler_address}: no workers; start some" in line(findings)
    monkeypatch.setattr(patience, "CONNECT_S", 1)
    findings = examined(tmp_path, with_cluster("tcp://127.0.0.1:9"))
    assert exit_code(findings) == 2
    assert "✗ cluster: tcp://127.0.0.1:9: no Dask scheduler answers; start it" in line(findings)


def test_the_folder_of_exported_tables_can_be_written(tmp_path: Path) -> None:
    export = "export: {format: parquet, path: tables/all}\n"
    assert f"✓ export: {tmp_path}/tables/all does not exist yet" in line(examined(tmp_path, export))
    (tmp_path / "tables" / "all").mkdir(parents=True)
    assert f"✓ export: {tmp_path}/tables/all can be written" in line(examined(tmp_path, export))
    (tmp_path / "tables" / "all").rmdir()
    (tmp_path / "tables" / "all").write_text("x")
    findings = examined(tmp_path, export)
    assert f"✗ export: {tmp_path}/tables/all: {tmp_path}/tables/all is a file; `export.path` needs" in line(findings)
    assert exit_code(findings) == 2
    assert "export" not in line(examined(tmp_path))
