"""What the tests of publication share: generations of a few files, published together, by who may die at any step."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from flows.lake import lock
from flows.lake.lake import Lake, from_rows
from flows.lake.store_addresses import Storage

DAYS = (date(2026, 3, 1), date(2026, 3, 2))
TABLES = ("manifest", "quarantine")


def publish(lake: Lake, generation: int) -> None:
    """Four files that say `generation`, and a fifth in odd generations only."""
    with lake.staging() as staged:
        for day in DAYS:
            for table in TABLES:
                pq.write_table(from_rows([{"source": str(generation)}], table), staged.place(table, day))
        if generation % 2:
            pq.write_table(
                from_rows([{"source": str(generation)}], "manifest"), staged.place("manifest", DAYS[0], "odd")
            )
        else:
            staged.remove("manifest", DAYS[0], "odd")


def generation_of(lake: Lake) -> int:
    """The one generation that all files are of."""
    found = {lake.read(table, day, "data").column("source").to_pylist()[0] for day in DAYS for table in TABLES}
    assert len(found) == 1, f"a mixture: {found}"
    generation = int(found.pop())
    odd = lake.read("manifest", DAYS[0], "odd").column("source").to_pylist()
    assert odd == ([str(generation)] if generation % 2 else []), f"{odd} in generation {generation}"
    return generation


class Killed(BaseException):
    """What stands for a kill: nothing is done after it."""


class Dying:
    """A ground on which the process dies before the n-th step that changes something; no later step is done."""

    def __init__(self, backend: Any, steps: int) -> None:
        self._backend, self._left = backend, steps

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Killed

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._backend, name)
        if name not in ("keep", "move", "remove", "clear", "write_text"):
            return found

        def step(*arguments: Any) -> Any:
            self._step()
            return found(*arguments)

        return step


@contextmanager
def dying(lake: Lake, steps: int) -> Iterator[Lake]:
    """The same lake for a process that dies after so many steps; the kernel or time has given its lock back after."""
    mortal = Lake(lake.root, lake.storage)
    mortal.__dict__["backend"] = Dying(lake.backend, steps)
    yield mortal


def die_at_every_step(lake: Lake, take: Callable[[Lake, str], AbstractContextManager[None]] = Lake.lock) -> list[int]:
    """Publish generations, dying after 0, 1, 2... steps until one is through; what stands after each recovery."""
    with take(lake, "test"):
        publish(lake, 0)
    stands = [0]
    for steps in count():
        generation, through = stands[-1] + 1, False
        with take(lake, "test"):
            try:
                with dying(lake, steps) as mortal:
                    publish(mortal, generation)
                through = True
            except Killed:
                pass
        with take(lake, "test"):  # recovers
            pass
        stands.append(generation_of(lake))
        assert lake.backend.children("_staging") == lake.backend.children("_runs") == []
        assert stands[-1] in (generation, generation - 1)
        if through:
            assert stands[-1] == generation
            return stands
    raise AssertionError


if __name__ == "__main__":
    root, options, beat = sys.argv[1:]
    lock.RENEWAL = float(beat)
    lake = Lake(root if "://" in root else Path(root), Storage.model_validate_json(options))
    with lake.lock("test"):
        first = generation_of(lake) + 1
        print("ready", flush=True)
        for generation in count(first):
            publish(lake, generation)
