"""What an author writes: a description of the daemon, from which its life in every surrounding follows."""

import importlib.machinery
import os
import sys
import traceback
from typing import NamedTuple, Optional, Sequence, Tuple

from . import _kit
from .life import Life

# What a program exits with whose own code failed.
_FAILED = 1


class Socket(NamedTuple):
    """A socket that the daemon wants, and where to bind it if nobody hands it over: made by ``tcp`` and its kin."""

    kind: str
    name: str
    address: str
    mode: Optional[int] = None


def tcp(name, address):
    """A listening TCP socket, at ``HOST:PORT``, ``ADDRESS:PORT`` or ``[ADDRESS]:PORT``."""
    return Socket("tcp", name, address)


def udp(name, address):
    """A UDP socket, at such an address."""
    return Socket("udp", name, address)


def unix(name, path, mode=0o666):
    """A listening Unix stream socket, at a path; ``mode`` says who may connect."""
    return Socket("unix", name, os.fspath(path), mode)


def unix_datagram(name, path, mode=0o666):
    """A Unix datagram socket, at a path."""
    return Socket("unix_datagram", name, os.fspath(path), mode)


class Announcement(NamedTuple):
    """What others are told of a daemon in a registry while it is ready: made by ``consul`` and ``avahi``."""

    registry: str
    name: str
    port: Optional[int] = None
    socket: Optional[str] = None
    address: Optional[str] = None
    tags: Sequence[str] = ()
    ttl: Optional[float] = None
    http: Optional[Tuple[str, float]] = None
    tcp: Optional[float] = None
    service_type: Optional[str] = None


def consul(name, *, port=None, socket=None, address=None, tags=(), ttl=None, http=None, tcp=None):
    """An entry at the Consul agent that ``CONSUL_HTTP_ADDR`` names, or the machine's own.

    It is found at ``port``, or at the one of the daemon's ``socket`` of this name. It is well while the daemon comes back
    to ``Life.wait`` within ``ttl`` seconds (30); or the agent asks: ``http=("/healthz", 10)`` for a path every so many
    seconds, ``tcp=10`` by a connection."""
    return Announcement("consul", name, _port(port), socket, address, list(tags), ttl, http, tcp)


def _port(port):
    if port is not None and (not isinstance(port, int) or not 0 < port < 0x10000):
        raise ValueError(f"port: {port!r}: expected a number from 1 to 65535")
    return port


def avahi(name, *, port=None, socket=None, tags=(), ttl=None, service_type=None):
    """An entry of DNS-SD on the local network; ``service_type`` is ``_NAME._tcp`` if nothing else is said."""
    return Announcement("avahi", name, _port(port), socket, None, list(tags), ttl, None, None, service_type)


class Daemon:
    """A daemon's description.

    ``background``
        Where it runs, instead of looking for ``--daemon`` among the program's arguments. Under a supervisor it stays in
        the foreground whatever is said here.
    ``pid_file``
        Locked for life and written when the daemon is ready; not under a manager that keeps count itself.
    ``sockets``
        What ``tcp`` and its kin give: handed over by whoever started the program, or bound before rights are given up.
    ``announcements``
        What ``consul`` and ``avahi`` give: entries in registries while it is ready.
    ``user``, ``group``, ``groups``, ``root_directory``, ``capabilities`` (names), ``no_new_privileges``
        The rights that it goes on with, once sockets, pid file and log are open.
    ``directory`` (``/``), ``umask`` (0o022), ``stdout``, ``stderr`` (files), ``only_variables``, ``keep`` (descriptors)
        Its surroundings in the background.
    ``limits``
        Resource limits, soft and hard: ``{resource.RLIMIT_NOFILE: 1024}``.
    ``notification_fd``
        Where a newline says that it is ready: s6's way.
    ``stop_within`` (30), ``ready_within``
        Seconds that a stop may take before it ends by force, and that the process in front waits for the daemon.
    """

    def __init__(
        self,
        name,
        *,
        background=None,
        pid_file=None,
        sockets=(),
        announcements=(),
        user=None,
        group=None,
        groups=None,
        root_directory=None,
        capabilities=(),
        no_new_privileges=False,
        directory=None,
        umask=None,
        stdout=None,
        stderr=None,
        only_variables=None,
        limits=None,
        keep=(),
        notification_fd=None,
        stop_within=None,
        ready_within=None,
    ):
        options = {option: value for option, value in locals().items() if option not in ("self", "name")}
        for socket in sockets:
            if not isinstance(socket, tuple) or len(socket) != len(Socket._fields):
                raise TypeError(f"sockets: {socket!r}: expected what tcp, udp, unix and unix_datagram give")
        options["sockets"] = [tuple(socket) for socket in sockets]
        options["announcements"] = list(announcements)
        options["limits"] = list((limits or {}).items())
        options["keep"] = [item if isinstance(item, int) else item.fileno() for item in keep]
        options["user"] = None if user is None else str(user)
        options["group"] = None if group is None else str(group)
        options["groups"] = None if groups is None else [str(group) for group in groups]
        if background is None:
            # The interpreter's own arguments are none of the program's.
            options["background"] = "--daemon" in _before_dashes(sys.argv[1:])
        self.name = name
        self._kit = _kit.Description(name, options)

    def start(self):
        """Sets everything up and gives the running daemon, which ends by ``Life.finish`` or ``Life.fail``. In the
        background only the daemon returns from it: the process that was started waits inside, reports and exits.

        Raises ``Error``, which says what, where and why, and has what to exit with as its second argument."""
        # What is still in our buffers would be written twice.
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        return Life(self._kit.start())

    def run(self, serve):
        """Runs the daemon: sets everything up, calls ``serve`` with its ``Life``, waits for open work, cleans up; gives
        what to exit with. What goes wrong is told to whoever started the daemon, once, on the way that reaches them."""
        try:
            life = self.start()
        except _kit.Error as error:
            reason, exit_code = error.args
            _kit.tell(self.name, reason)
            return exit_code
        try:
            serve(life)
        except SystemExit as end:
            return self._ended(life, end)
        except _kit.Error as error:
            reason, exit_code = error.args
            life.fail(reason, exit_code)
            return exit_code
        except BaseException as error:
            # Where it was raised is for whoever reads the lines; the reason alone goes to the manager.
            life.log(traceback.format_exc().rstrip(), priority=3)
            reason = "".join(traceback.format_exception_only(type(error), error)).strip()
            life._kit.fail_told(_FAILED, getattr(error, "errno", None), reason)
            return _FAILED
        life.finish()
        return 0

    def main(self, serve):
        """``run``, and the program exits."""
        sys.exit(self.run(serve))

    def answer_service(self, description, arguments=()):
        """Answers ``PROGRAM service install|uninstall|start|stop|status`` and ``PROGRAM service --help`` where the program
        was called so: gives what to exit with. None where it was not, and the program is meant itself.

        The service is this interpreter and this program, as a file or by ``-m``, with ``arguments``. A module that is only
        found where the program was started is refused. What is done is told on stdout, and what goes wrong, or is lost on the way to the manager, on stderr::

            code = daemon.answer_service("Says hello")
            if code is not None:
                sys.exit(code)
            daemon.main(serve)
        """
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        return self._kit.answer_service(list(sys.argv), description, _program(), list(arguments))

    def unit_files(self, description, program=None, arguments=None):
        """Unit files for this daemon, hardened as far as the description allows: texts by their names. ``program`` and
        ``arguments`` are this interpreter and this program unless they are given."""
        if program is None:
            kind, program, what = _program()
            if kind == "unknown":
                raise ValueError(what)
            first = ["-m", what] if kind == "module" else [what]
            arguments = [*first, *(arguments or ())]
        return dict(self._kit.unit_files(description, program, list(arguments or ())))

    @staticmethod
    def _ended(life, end):
        """``sys.exit`` within the daemon: a number, None for 0, or a reason."""
        if end.code is None or end.code == 0:
            life.finish()
            return 0
        if isinstance(end.code, int):
            # What the kernel makes of it.
            exit_code = end.code & 0xFF
            life.fail(f"exited with {exit_code}", exit_code)
            return exit_code
        life.fail(end.code)
        return _FAILED


def _program():
    """What starts this program again: ``script``, ``module`` or ``unknown``, the interpreter, and what it reads, or why
    nobody can."""
    interpreter = sys.executable
    if not interpreter:
        return "unknown", "", "this Python does not know where its interpreter is"
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    # A directory or an archive has a module of that name, and is called by its path.
    if spec is not None and spec.name != "__main__":
        name = spec.name[: -len(".__main__")] if spec.name.endswith(".__main__") else spec.name
        if _is_found_from_anywhere(name, spec):
            return "module", interpreter, name
        why = f"{name} is found by the working directory or PYTHONPATH alone, which its service would not have"
        return "unknown", interpreter, f"{why}: install it, or start the program by the path of its file"
    if sys.argv[0] in ("", "-", "-c") or not os.path.exists(sys.argv[0]):
        why = "a program that Python was given by -c or on its stdin cannot be started again"
        return "unknown", interpreter, f"{why}: write it into a file"
    return "script", interpreter, os.path.abspath(sys.argv[0])


def _is_found_from_anywhere(name, spec):
    """Whether the interpreter finds the same module without what it was given for this start."""
    top = name.partition(".")[0]
    loaded = getattr(sys.modules.get(top), "__spec__", None) if top != spec.name else spec
    if loaded is None:
        return False
    given = [] if sys.flags.isolated or getattr(sys.flags, "safe_path", False) else sys.path[:1]
    if not sys.flags.ignore_environment:
        given += [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    left = list(sys.path)
    for path in given:
        for form in (path, os.path.abspath(path)):
            if form in left:
                left.remove(form)
                break

    def place(spec):
        return spec.origin or list(spec.submodule_search_locations or ())

    for finder in sys.meta_path:
        found = finder.find_spec(top, left if finder is importlib.machinery.PathFinder else None)
        if found is not None:
            return place(found) == place(loaded)
    return False


def _before_dashes(words):
    return words[: words.index("--")] if "--" in words else words
