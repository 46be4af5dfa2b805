"""A Spark server for the tests of each module: two workspaces would share its schemas."""

from collections.abc import Iterator

import pytest

from tests.spark.server import spark_server


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Spark server."""
    with spark_server(tmp_path_factory.mktemp("spark")) as address:
        yield address
