"""The threads that read ahead and write beside: nothing changes its order, and no failure is lost."""

import threading
from collections.abc import Iterator

import pytest

from flows.ingest.read import ahead
from flows.ingest.write import Lanes


def test_what_is_read_ahead_comes_in_order_out_of_another_thread() -> None:
    threads = set()

    def items() -> Iterator[int]:
        for number in range(50):
            threads.add(threading.get_ident())
            yield number

    assert list(ahead(items())) == list(range(50))
    assert threading.get_ident() not in threads


def test_a_false_item_is_no_end() -> None:
    assert list(ahead(iter([0, 0, 1]))) == [0, 0, 1]


def test_a_failure_of_reading_is_raised_after_what_came_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(OSError, match="gone"):
        next(found)


@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_tasks_of_one_key_are_done_in_order(lanes: int) -> None:
    done: dict[int, list[int]] = {key: [] for key in (-1, 3, 8, 9)}

    with Lanes(lanes) as writers:
        for number in range(40):
            for key, numbers in done.items():
                writers.submit(key, numbers.append, number)
        writers.finish()

    assert all(numbers == list(range(40)) for numbers in done.values())


def test_a_failure_of_a_task_is_raised() -> None:
    def fails() -> None:
        raise OSError("no space left")

    with Lanes(2) as writers:
        writers.submit(0, fails)
        with pytest.raises(OSError, match="no space left"):
            writers.finish()


def test_a_failure_is_raised_before_many_more_tasks_are_taken() -> None:
    def fails() -> None:
        raise OSError("no space left")

    def submit_several(writers: Lanes) -> None:
        for _ in range(5):
            writers.submit(0, fails)

    with Lanes(1) as writers, pytest.raises(OSError, match="no space left"):
        submit_several(writers)
