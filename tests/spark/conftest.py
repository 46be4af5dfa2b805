"""One Spark server for all tests here."""

from collections.abc import Iterator

import pytest

from tests.spark.server import spark_server


@pytest.fixture(scope="session")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Spark server."""
    with spark_server(tmp_path_factory.mktemp("spark")) as address:
        yield address
