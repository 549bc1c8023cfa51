"""SQLite's one writer thread: what waits in its queue is committed together, each part on its own savepoint.

`Database` uses it. A disk flush costs more than the work of most transactions; when several wait, one flush
serves them all. Each caller still sees all of its own work committed, or none of it.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from sqlalchemy import Connection

MOST_TOGETHER = 32

Work = Callable[[Connection], Any]


class SingleWriter:
    """Runs pieces of work in order of arrival. `connect` opens the one connection that writes."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._queue: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="outrider-write", daemon=True)
        self._kept: Connection | None = None
        self._closed = False
        self._thread.start()

    def submit(self, work: Work) -> Future[Any]:
        """Queue work; its future has the result once it is committed, or the exception that undid it."""
        if self._closed:
            raise RuntimeError("the database is closed")
        future: Future[Any] = Future()
        self._queue.put((work, future))
        return future

    def close(self) -> None:
        """Finish what is queued, and end the thread."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            self._thread.join()

    def _open(self) -> Connection:
        """Return the connection, opened when there is none; keeping it saves a tenth of a small write."""
        if self._kept is None:
            self._kept = self._connect()
        return self._kept

    def _drop(self) -> None:
        """Give the connection up after trouble; the next work opens a new one."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _run(self) -> None:
        try:
            self._work_through()
        finally:
            self._drop()

    def _work_through(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            batch, last = [first], False
            while len(batch) < MOST_TOGETHER:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last = True
                    break
                batch.append(following)
            self._commit_together(batch)
            if last:
                return

    def _commit_together(self, batch: list[tuple[Work, Future[Any]]]) -> None:
        """Do all of a batch in one transaction; a part that fails is undone and told, the rest goes on."""
        waiting = [(work, future) for work, future in batch if future.set_running_or_notify_cancel()]
        if len(waiting) == 1:
            self._commit_alone(*waiting[0])
            return
        done: dict[Future[Any], Any] = {}
        failed: dict[Future[Any], BaseException] = {}
        try:
            tx = self._open()
            with tx.begin():
                for work, future in waiting:
                    try:
                        with tx.begin_nested():
                            done[future] = work(tx)
                    except BaseException as problem:
                        if not tx.in_transaction():
                            raise
                        failed[future] = problem
        except BaseException as problem:  # noqa: BLE001 - begin or commit failed: nobody's work was kept
            self._drop()
            failed = {future: failed.get(future, problem) for _, future in waiting}
            done = {}
        for future, reason in failed.items():
            future.set_exception(reason)
        for future, result in done.items():
            future.set_result(result)

    def _commit_alone(self, work: Work, future: Future[Any]) -> None:
        try:
            tx = self._open()
            with tx.begin():
                result = work(tx)
        except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
            self._drop()
            future.set_exception(error)
        else:
            future.set_result(result)
