"""A running daemon: when to stop, when to reload, and what to tell whoever started it."""

import asyncio
import contextlib
import socket


class Stop:
    """Asked to stop: finish what is open and return. The time for it runs."""

    def __repr__(self):
        return "Stop()"


class TimeOver:
    """The time asked for is over."""

    def __repr__(self):
        return "TimeOver()"


class Reload:
    """Asked to read the configuration again. Whoever started the daemon is told that it is finished by ``done``, or when
    the daemon waits for the next moment; ``failed`` says why it did not come to anything, and that the daemon goes on."""

    def __init__(self, life):
        self._life = life

    def done(self):
        self._life._kit.reloaded()

    def failed(self, reason):
        self._life._kit.reload_failed(str(reason))

    def __repr__(self):
        return "Reload()"


class Life:
    """A running daemon, from ``Daemon.start`` or as what ``Daemon.main`` hands over.

    ``ready``, ``wait``, ``moments``, ``heard`` and the sockets belong to one thread at a time; ``status``, ``alive``,
    ``log``, ``stop``, ``is_stopping`` and ``guest`` may be called by every thread.
    """

    def __init__(self, kit):
        self._kit = kit

    def ready(self):
        """Says that the daemon does its work now: to the manager, the supervisor, or the process that waits in front."""
        self._kit.ready()

    def wait(self, *readable, timeout=None):
        """Waits for what happens next: a ``Stop``, a ``Reload``, a ``TimeOver`` after so many seconds, or one of the
        objects given here (with ``fileno()``, or descriptors), which can be read or was closed.

        While it waits, the watchdog is answered: a daemon that comes back here in time is alive."""
        word, place = self._kit.wait([_fileno(item) for item in readable], timeout)
        return readable[place] if word == "readable" else self._moment(word)

    def moments(self, *readable, timeout=None):
        """What happens, one after the other, until the daemon is to stop."""
        while True:
            moment = self.wait(*readable, timeout=timeout)
            if isinstance(moment, Stop):
                return
            yield moment

    def heard(self):
        """A ``Stop`` or ``Reload`` that was not dealt with yet, or None. Waits for nothing; answers the watchdog."""
        word = self._kit.heard()
        return None if word is None else self._moment(word)

    async def next(self):
        """Waits for the next ``Stop`` or ``Reload`` in asyncio's loop, and answers the watchdog meanwhile."""
        loop = asyncio.get_running_loop()
        while True:
            moment = self.heard()
            if moment is not None:
                return moment
            woken = asyncio.Event()
            loop.add_reader(self.fileno(), woken.set)
            try:
                pause = None if self.watchdog is None else self.watchdog / 2
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(woken.wait(), pause)
            finally:
                loop.remove_reader(self.fileno())

    def fileno(self):
        """A descriptor that is readable when ``heard`` has something: for loops of another make."""
        return self._kit.fileno()

    def _moment(self, word):
        return {"stop": Stop(), "time over": TimeOver()}.get(word) or Reload(self)

    def socket(self, name):
        """Takes the socket of this name, of whatever kind it was declared or handed over with, as Python's ``socket``."""
        fd = self._kit.take_any(name)
        if fd is None:
            raise KeyError(f"socket {name}: nobody handed it over and it was not declared")
        return socket.socket(fileno=fd)

    def fd(self, name):
        """Takes a descriptor of any kind, out of the fd store, say; None if there is none of this name."""
        return self._kit.take_any(name)

    def connection(self):
        """Takes the one connection that inetd, or a socket unit with ``Accept=yes``, started the program for, or None."""
        fd = self._kit.take_connection()
        return None if fd is None else socket.socket(fileno=fd)

    def names(self):
        """The names of the descriptors that nobody took yet."""
        return self._kit.names()

    def is_handed(self, name):
        """Whether the socket of this name was handed over: by a socket unit, or out of the fd store."""
        return self._kit.is_handed(name)

    def store(self, name, item):
        """Leaves a copy of a descriptor with the manager, which hands it to the next start under this name."""
        self._kit.store(name, _fileno(item))

    def credential(self, name):
        """A secret that the manager gave, as bytes, or None."""
        return self._kit.credential(name)

    def status(self, text):
        """Tells people what the daemon is at, in one line: ``systemctl status`` shows it."""
        self._kit.status(str(text))

    def alive(self):
        """Tells the manager that the daemon is alive, for daemons that do not wait in ``wait``."""
        self._kit.alive()

    def notify(self, assignments):
        """Tells the manager something else: ``KEY=VALUE`` in lines, sd_notify(3)."""
        self._kit.notify(assignments)

    def keeps_fields(self):
        """Whether fields of a line reach somebody as fields: in the journal. Elsewhere they stand behind the line."""
        return self._kit.keeps_fields()

    def log(self, line, priority=6, **fields):
        """Writes a line where the daemon's lines go, with a priority of syslog(3) and fields for the journal."""
        self._kit.log(priority, str(line), [(name, str(value)) for name, value in fields.items()])

    def stop(self):
        """Asks the daemon to stop, as SIGTERM does."""
        self._kit.stop()

    def is_stopping(self):
        """Whether the daemon was asked to stop."""
        return self._kit.is_stopping()

    @contextlib.contextmanager
    def guest(self):
        """Open work that a stop waits for, within a ``with``."""
        guest = self._kit.guest()
        try:
            yield
        finally:
            guest.leave()

    @property
    def starter(self):
        """Who started the program: ``eudaemon_kit.starter``."""
        return self._kit.starter

    @property
    def invocation(self):
        """The number of this run, as the journal has it, or None."""
        return self._kit.invocation

    @property
    def watchdog(self):
        """How often a sign of life is expected at the latest, in seconds, or None."""
        return self._kit.watchdog

    def finish(self):
        """The end as wished: waits for guests as long as a stop may take, and takes away what was made."""
        self._kit.finish()

    def fail(self, reason, exit_code=1, errno=None):
        """The end by an error: it is told once, where it is read, and what was made is taken away."""
        self._kit.fail(exit_code, errno, str(reason))


def _fileno(item):
    return item if isinstance(item, int) else item.fileno()
