"""SQLite's one writer thread: what waits in its queue is committed together, each part on its own savepoint.

`Database` uses it. A disk flush costs more than the work of most transactions; when several wait, one flush
serves them all. Each caller still sees all of its own work committed, or none of it. Urgent work, for which a
person waits on the line, goes before all other.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from sqlalchemy import Connection

MOST_TOGETHER = 32

Work = Callable[[Connection], Any]
Waiting = tuple[Work, "Future[Any]"]


class SingleWriter:
    """Runs pieces of work in order of arrival. `connect` opens the one connection that writes."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._urgent: deque[Waiting] = deque()
        self._ordinary: deque[Waiting] = deque()
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="outrider-write", daemon=True)
        self._kept: Connection | None = None
        self._closed = False
        self._thread.start()

    def submit(self, work: Work, *, urgent: bool = False) -> Future[Any]:
        """Queue work; its future has the result once it is committed, or the exception that undid it.

        `urgent` work waits for the piece that is being done, and for urgent work that came before.
        """
        future: Future[Any] = Future()
        with self._arrived:
            if self._closed:
                raise RuntimeError("the database is closed")
            (self._urgent if urgent else self._ordinary).append((work, future))
            self._arrived.notify()
        return future

    def close(self) -> None:
        """Finish what is queued, and end the thread."""
        with self._arrived:
            self._closed = True
            self._arrived.notify()
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
            with self._arrived:
                while not (self._urgent or self._ordinary or self._closed):
                    self._arrived.wait()
            lane = self._urgent or self._ordinary
            if not lane:
                return
            if len(lane) == 1:
                self._commit_alone(*lane.popleft())
            else:
                self._commit_together(lane)

    def _commit_together(self, lane: deque[Waiting]) -> None:
        """Do what waits in a lane in one transaction; a part that fails is undone and told, the rest goes on.

        Urgent work that arrives meanwhile ends the transaction early.
        """
        taken = deque(lane.popleft() for _ in range(min(len(lane), MOST_TOGETHER)))
        done: dict[Future[Any], Any] = {}
        failed: dict[Future[Any], BaseException] = {}
        try:
            tx = self._open()
            with tx.begin():
                while taken and not (done and self._urgent and lane is self._ordinary):
                    work, future = taken.popleft()
                    if future.set_running_or_notify_cancel():
                        self._do(tx, work, future, done, failed)
        except BaseException as problem:  # noqa: BLE001 - begin or commit failed: nobody's work was kept
            self._drop()
            failed |= {future: failed.get(future, problem) for future in done}
            failed |= {future: problem for _, future in taken if future.set_running_or_notify_cancel()}
            done, taken = {}, deque()
        lane.extendleft(reversed(taken))
        for future, reason in failed.items():
            future.set_exception(reason)
        for future, result in done.items():
            future.set_result(result)

    @staticmethod
    def _do(
        tx: Connection,
        work: Work,
        future: Future[Any],
        done: dict[Future[Any], Any],
        failed: dict[Future[Any], BaseException],
    ) -> None:
        """Do one part. What it raises is its own, unless it ended the transaction of all."""
        try:
            with tx.begin_nested():
                result = work(tx)
        except BaseException as problem:
            failed[future] = problem
            if not _is_in_transaction(tx):
                raise
        else:
            done[future] = result

    def _commit_alone(self, work: Work, future: Future[Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            tx = self._open()
            with tx.begin():
                result = work(tx)
        except BaseException as error:  # noqa: BLE001 - it is the caller's, whatever it is
            self._drop()
            future.set_exception(error)
        else:
            future.set_result(result)


def _is_in_transaction(tx: Connection) -> bool:
    """Return whether the transaction of all goes on: SQLite ends it by itself when the disk is full, say."""
    driver: Any = tx.connection.dbapi_connection
    return tx.in_transaction() and bool(driver.in_transaction)
