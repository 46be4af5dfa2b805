"""Personal data in the names of log files is in no table of the lake."""

from datetime import date
from pathlib import Path

from flows.config import load_config
from flows.ingest import landing
from flows.ingest.redact import FileNames

DAY = date(2026, 3, 2)
CALL = '{"call_id": "%s", "started_at": "2026-03-02T10:00:00Z", "input_text": "hi"}\n'


def test_a_name_without_finds_stays_and_two_that_differ_in_them_stay_two() -> None:
    naming = FileNames(("email", "phone"), b"k" * 16)
    assert naming("logs/2026-03-02/a.jsonl") == "logs/2026-03-02/a.jsonl"
    one, other = naming("logs/ann@example.org.jsonl"), naming("logs/bob@example.org.jsonl")
    assert one.startswith("logs/[email]")
    assert one != other
    assert one == naming("logs/ann@example.org.jsonl")
    assert one != FileNames(("email",), b"x" * 16)("logs/ann@example.org.jsonl")


def test_manifest_and_quarantine_have_redacted_names_and_files_are_read_once(tmp_path: Path) -> None:
    logs = tmp_path / "logs" / str(DAY)
    logs.mkdir(parents=True)
    for name in ("ann@example.org", "bob@example.org"):
        (logs / f"{name}.jsonl").write_text(CALL % name[:3] + "{broken\n", encoding="utf-8")
    source = "{name: s, format: genchi, path: 'logs/{day}/*.jsonl'}"
    settings = f"app: a\nlake: lake\nredact: [email]\nsources: [{source}]\n"
    (tmp_path / "genchi.yaml").write_text(settings, encoding="utf-8")
    config = load_config(tmp_path / "genchi.yaml")
    assert landing.land(config, DAY).interactions == 2
    lake = config.open_lake()
    for table in ("manifest", "quarantine"):
        names = lake.read(table, DAY).column("file").to_pylist()
        assert len(set(names)) == 2
        assert not [name for name in names if "example" in name]
    again = landing.land(config, DAY)
    assert len(lake.read("quarantine", DAY)) == 2
    assert again.quarantined == 2
