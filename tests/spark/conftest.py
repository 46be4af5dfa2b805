"""One Spark server for all tests of the folder, without the tables of the workspace before."""

from collections.abc import Iterator

import pytest

from tests.spark.server import emptied, spark_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server."""
    with spark_server(tmp_path_factory.mktemp("spark")) as address:
        yield address


@pytest.fixture(scope="module")
def remote(server: str) -> str:
    """The address of the server, for a module of one workspace: a server has the warehouse of one lake."""
    return emptied(server)
