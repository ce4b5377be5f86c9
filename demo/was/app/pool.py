"""A pool of database connections, opened when first needed; one that breaks is thrown away, never handed out again."""

import queue
import sys
from contextlib import contextmanager

import psycopg2


class Unavailable(Exception):
    """No database connection is to be had, or the one in use broke."""


BROKEN = (psycopg2.OperationalError, psycopg2.InterfaceError)


class Pool:
    def __init__(self, dsn, size, wait):
        self.dsn, self.wait = dsn, wait
        # A slot is an open connection, or None: a permission to open one. The last used comes first.
        self.slots = queue.LifoQueue()
        for _ in range(size):
            self.slots.put(None)
        self.down = False

    def run(self, work):
        """work(cursor) in a transaction of its own; returns after COMMIT.

        A connection that turns out to be broken before COMMIT was sent is replaced once: nothing can have been
        written. An error while committing is not retried: the write may stand.
        """
        try:
            return self._once(work)
        except _BrokenEarly:
            self._drop_idle()
            return self._once(work)

    def _once(self, work):
        with self._slot() as connection:
            try:
                with connection.cursor() as cursor:
                    result = work(cursor)
            except BROKEN as error:
                raise _BrokenEarly(str(error).strip()) from error
            except psycopg2.errors.ReadOnlySqlTransaction as error:
                raise Unavailable(str(error).strip()) from error
            try:
                connection.commit()
            except BROKEN as error:
                raise Unavailable(f"while committing: {str(error).strip()}") from error
            return result

    @contextmanager
    def _slot(self):
        try:
            connection = self.slots.get(timeout=self.wait)
        except queue.Empty:
            raise Unavailable(f"no free connection within {self.wait:g} s") from None
        keep = None
        try:
            if connection is None or connection.closed:
                connection = self._open()
            yield connection
            keep = connection
        finally:
            if keep is None and connection is not None:
                try:
                    connection.close()
                except psycopg2.Error:
                    pass
            self.slots.put(keep)

    def _open(self):
        try:
            connection = psycopg2.connect(**self.dsn)
        except psycopg2.Error as error:
            self._say(True, str(error).strip())
            raise Unavailable(str(error).strip()) from error
        self._say(False, "the database answers")
        return connection

    def _drop_idle(self):
        """One connection broke, so the idle ones most likely did too: forget them."""
        idle = []
        try:
            while True:
                idle.append(self.slots.get_nowait())
        except queue.Empty:
            pass
        for connection in idle:
            if connection is not None:
                try:
                    connection.close()
                except psycopg2.Error:
                    pass
            self.slots.put(None)

    def _say(self, down, text):
        if down != self.down:
            self.down = down
            print(f"database {'away' if down else 'back'}: {text}", file=sys.stderr)


class _BrokenEarly(Unavailable):
    pass
