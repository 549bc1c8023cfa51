"""The worker processes of an import: they turn chunks of raw rows into clean ones on several cores.

`cleaning.py` uses it. Few chunks are under way at any time, so memory stays constant; results come in the
order of the chunks. Imports nothing heavy: a worker starts in a fraction of a second.
"""

import json
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Final

from outrider.contacts.rows import CleanRow, RowRules, clean_row
from outrider.errors import ImportFileError

Row = tuple[int, list[str]]

IN_FLIGHT: Final = 2
"""Chunks waiting per worker, besides the one in work."""


@dataclass(frozen=True, slots=True)
class CleanChunk:
    """What became of a chunk: `clean` is one line of JSON, a list of `count` clean rows."""

    clean: bytes
    count: int
    rejected: tuple[tuple[int, str], ...]
    """(index in the chunk, reason)"""


def clean_chunk(rows: Sequence[Row], rules: RowRules) -> CleanChunk:
    """Clean the rows of one chunk."""
    clean: list[CleanRow] = []
    rejected: list[tuple[int, str]] = []
    for index, (_, fields) in enumerate(rows):
        result = clean_row(fields, rules)
        if isinstance(result, str):
            rejected.append((index, result))
        else:
            clean.append(result)
    return CleanChunk(encode(clean), len(clean), tuple(rejected))


def encode(rows: Sequence[CleanRow]) -> bytes:
    """Return clean rows as one line of JSON; nothing for no rows."""
    return json.dumps(rows, separators=(",", ":")).encode() + b"\n" if rows else b""


def clean_chunks(
    chunks: Iterable[list[Row]], rules: RowRules, workers: int
) -> Iterator[tuple[list[Row], CleanChunk]]:
    """Clean chunks in `workers` processes (0: in this one); give each with its result, in order."""
    if workers == 0:
        for chunk in chunks:
            yield chunk, clean_chunk(chunk, rules)
        return
    # A fresh interpreter: forking a process with threads may copy a locked lock.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(rules,))
    waiting: deque[tuple[list[Row], Future[CleanChunk]]] = deque()
    try:
        for chunk in chunks:
            waiting.append((chunk, pool.submit(_clean_here, chunk)))
            if len(waiting) > workers * (1 + IN_FLIGHT):
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()
    except BrokenProcessPool:
        raise ImportFileError(
            "a process that reads the file was ended from outside (out of memory?); start the import again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


_rules: list[RowRules] = []
"""The rules of this worker process; empty in all others."""


def _start(rules: RowRules) -> None:
    _rules[:] = [rules]
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _clean_here(rows: list[Row]) -> CleanChunk:
    return clean_chunk(rows, _rules[0])
