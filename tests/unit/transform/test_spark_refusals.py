"""What a workspace with `engine: {warehouse: spark}` cannot have is refused in one line, before a server is asked."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.config import Config, load_config
from flows.erasure.forgetting import Asked, forget
from flows.errors import ConfigError
from flows.marts import PublishedMarts, open_marts
from flows.transform.spark_build import require_for_spark


def on_spark(folder: Path, more: str = "lake: lake") -> Config:
    (folder / "genchi.yaml").write_text(
        f'app: a\n{more}\nengine: {{warehouse: spark, remote: "sc://127.0.0.1:1"}}\n', encoding="utf-8"
    )
    return load_config(folder / "genchi.yaml")


@pytest.mark.parametrize(
    ("engine", "word"),
    [
        ("{warehouse: spark}", "`remote`"),
        ('{warehouse: spark, remote: "127.0.0.1:15002"}', "sc://127.0.0.1:15002"),
        ('{remote: "sc://a:1"}', "`warehouse: spark`"),
        ("{warehouse: sparks}", "spark"),
    ],
)
def test_an_engine_without_its_server_is_an_error(tmp_path: Path, engine: str, word: str) -> None:
    (tmp_path / "genchi.yaml").write_text(f"app: a\nlake: lake\nengine: {engine}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="engine") as caught:
        load_config(tmp_path / "genchi.yaml")
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_lake_in_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="s3://bucket/lake is in an object store"):
        require_for_spark(on_spark(tmp_path, "lake: s3://bucket/lake"))


def test_nobody_is_half_forgotten(tmp_path: Path) -> None:
    config = on_spark(tmp_path)
    asked = Asked(users=("u",), calls=(), is_dry=False)
    with pytest.raises(ConfigError, match="cannot erase rows of Spark's tables yet"):
        forget(config, None, asked, datetime(2026, 3, 4, tzinfo=UTC), print)
    assert not (tmp_path / "lake").exists()


def test_the_marts_are_read_as_they_were_published(tmp_path: Path) -> None:
    assert isinstance(open_marts(on_spark(tmp_path)), PublishedMarts)
