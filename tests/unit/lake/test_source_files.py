"""Each file of a path is found once, and what cannot be looked at is told and hides nothing."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from flows.errors import UnreadableError
from flows.lake.source_files import open_binary, search
from flows.lake.store_addresses import Storage
from tests.nobody import needs_root, open_folders


def found(folder: Path, pattern: str) -> tuple[list[str], dict[str, str]]:
    listing = search(f"{folder}/{pattern}", Storage())
    names = [one.name.removeprefix(f"{folder}/") for one in listing.files]
    return names, {one.name.removeprefix(f"{folder}/"): one.why for one in listing.unread}


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def test_each_file_is_found_once_though_links_lead_to_it_in_circles(tmp_path: Path) -> None:
    write(tmp_path, "real/a.jsonl", "real/deep/b.jsonl", "z.jsonl")
    (tmp_path / "real/deep/up").symlink_to(tmp_path / "real")
    (tmp_path / "again").symlink_to(tmp_path / "real")
    (tmp_path / "copy.jsonl").symlink_to(tmp_path / "z.jsonl")
    (tmp_path / "self").symlink_to("self")
    names, unread = found(tmp_path, "**/*.jsonl")
    assert names == ["real/a.jsonl", "real/deep/b.jsonl", "z.jsonl"]
    assert set(unread) == {"real/deep/up", "self"}
    assert all("loop of symbolic links" in why for why in unread.values())


def test_many_links_between_folders_do_not_multiply(tmp_path: Path) -> None:
    for number in range(12):
        write(tmp_path, f"{number}/{number}.jsonl")
    for one in range(12):
        for other in range(12):
            (tmp_path / f"{one}/to{other}").symlink_to(tmp_path / f"{other}")
    assert len(found(tmp_path, "**/*.jsonl")[0]) == 12


def test_pipes_sockets_and_folders_with_a_files_name_are_no_files(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", "folder.jsonl/b.jsonl")
    os.mkfifo(tmp_path / "pipe.jsonl")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s.jsonl"))
        assert found(tmp_path, "*.jsonl") == (["a.jsonl"], {})
    assert found(tmp_path, "**/*.jsonl")[0] == ["a.jsonl", "folder.jsonl/b.jsonl"]


def test_a_pipe_that_took_a_files_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jsonl")
    with pytest.raises(UnreadableError, match="no regular file any more"):
        open_binary(f"{tmp_path}/a.jsonl", Storage())


def test_a_link_to_nothing_is_told_and_a_name_that_leads_nowhere_is_not(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl")
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    assert found(tmp_path, "*.jsonl") == (["a.jsonl"], {"gone.jsonl": "a symbolic link to nothing; remove it"})
    assert found(tmp_path, "nowhere/*.jsonl") == ([], {})
    assert found(tmp_path, "a.jsonl/*.jsonl") == ([], {})


AS_NOBODY = """
import os, sys
from flows.lake.source_files import search, open_binary
from flows.lake.store_addresses import Storage
from flows.errors import UnreadableError
os.setgid(65534); os.setuid(65534)
folder = sys.argv[1]
listing = search(f"{folder}/logs/*/*.jsonl", Storage())
print([one.name.removeprefix(folder) for one in listing.files])
print([one.name.removeprefix(folder) for one in listing.unread], [one.why[:17] for one in listing.unread])
print(search(f"{folder}/logs/shut/a.jsonl", Storage()).unread[0].why[:17])
try:
    open_binary(f"{folder}/logs/open/shut.jsonl", Storage())
except UnreadableError as error:
    print(error.why[:17])
"""


@needs_root
def test_what_may_not_be_listed_or_read_is_told(tmp_path: Path) -> None:
    write(tmp_path, "logs/open/a.jsonl", "logs/open/shut.jsonl", "logs/shut/a.jsonl")
    (tmp_path / "logs/open/shut.jsonl").chmod(0)
    (tmp_path / "logs/shut").chmod(0)
    open_folders(tmp_path, of_root_only=True)
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        "['/logs/open/a.jsonl', '/logs/open/shut.jsonl']",
        "['/logs/shut'] ['permission denied']",
        "permission denied",
        "permission denied",
    ], done.stderr
