"""PEP 3143's steps into the background, one function each, and the context that does them in its order."""

import atexit
import errno
import os
import pwd
import resource
import signal
import socket
import sys
import warnings

from .. import _kit
from ..pid_file import PidFile
from .front import Front

# What stands for "as many as one likes" where the system sets no limit to open files.
MAXFD = 2048


class DaemonError(Exception):
    """The daemon could not be set up."""


class DaemonOSEnvironmentError(DaemonError, OSError):
    """The system refused a step."""


class DaemonProcessDetachError(DaemonError, OSError):
    """The process could not detach itself."""


class Terminated(SystemExit):
    """Asked to stop by a signal: an end as wished, so the program exits with 0 unless it says otherwise."""

    def __init__(self, signal_number):
        super().__init__(0)
        self.signal_number = signal_number

    def __str__(self):
        return f"terminated by signal {int(self.signal_number)}"


class DaemonContext:
    """A daemon's surroundings, entered by ``with`` or ``open`` and left by ``close``: PEP 3143.

    ``files_preserve``
        Files and descriptors that stay open; all others are closed.
    ``chroot_directory``, ``working_directory`` (``/``), ``umask`` (0)
        Where the daemon lives.
    ``pidfile``
        A context manager that is entered last and left by ``close``. An ``eudaemon_kit.PidFile`` is locked before the
        process detaches, so that a second start fails in front of whoever started it.
    ``detach_process``
        None: unless whoever started the program, init, inetd, a supervisor or a service manager, wants it in front.
    ``signal_map``
        Functions by their signals; None ignores one, a text names a method of the context.
    ``uid``, ``gid``, ``initgroups``
        Who the daemon is, and whether it has that user's supplementary groups; without ``initgroups`` it keeps those that
        it was started with.
    ``prevent_core`` (True)
        Whether a crash leaves no image of the daemon's memory.
    ``stdin``, ``stdout``, ``stderr``
        Files that take the place of the three, or None for ``/dev/null``.
    """

    def __init__(
        self,
        chroot_directory=None,
        working_directory="/",
        umask=0,
        uid=None,
        gid=None,
        initgroups=False,
        prevent_core=True,
        detach_process=None,
        files_preserve=None,
        pidfile=None,
        stdin=None,
        stdout=None,
        stderr=None,
        signal_map=None,
    ):
        self.chroot_directory = chroot_directory
        self.working_directory = working_directory
        self.umask = umask
        self.uid = os.getuid() if uid is None else uid
        self.gid = os.getgid() if gid is None else gid
        self.initgroups = initgroups
        self.prevent_core = prevent_core
        self.detach_process = is_detach_process_context_required() if detach_process is None else detach_process
        self.files_preserve = files_preserve
        self.pidfile = pidfile
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.signal_map = make_default_signal_map() if signal_map is None else signal_map
        self._is_open = False
        self._front = None

    @property
    def is_open(self):
        """Whether the context was opened and not yet closed."""
        return self._is_open

    def __enter__(self):
        self.open()
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        self.close()

    def open(self):
        """Becomes a daemon. In the background only the daemon returns from it; the process that was started waits until
        it is set up, and exits with 0, or with 1 and the reason on stderr."""
        if self.is_open:
            return
        if self.pidfile is not None and not hasattr(type(self.pidfile), "__enter__"):
            raise TypeError(f"pidfile={self.pidfile!r}: expected a context manager, such as eudaemon_kit.PidFile(path)")
        locked = self.pidfile if isinstance(self.pidfile, PidFile) else None
        if locked is not None:
            # Here a second start can still be told so where it was made.
            locked.lock()
        try:
            with Front(locked) as self._front:
                self._become()
        except BaseException:
            if locked is not None:
                locked.release()
            raise
        finally:
            self._front = None
        self._is_open = True
        _tell_manager("READY=1")

    def _become(self):
        """The steps, in PEP 3143's order but for the first: what needs root comes before the change of user."""
        if self.chroot_directory is not None:
            change_root_directory(self.chroot_directory)
        if self.prevent_core:
            prevent_core_dump()
        change_file_creation_mask(self.umask)
        change_working_directory(self.working_directory)
        change_process_owner(self.uid, self.gid, self.initgroups)
        if self.detach_process:
            self._front.waits()
            detach_process_context()
            self._front.is_behind_us()
        set_signal_handlers(self._make_signal_handler_map())
        close_all_open_files(exclude=self._get_exclude_file_descriptors())
        # One that was closed when the program began is no object, but its number is free for it.
        redirect_stream(0 if sys.stdin is None else sys.stdin, self.stdin)
        redirect_stream(1 if sys.stdout is None else sys.stdout, self.stdout)
        redirect_stream(2 if sys.stderr is None else sys.stderr, self.stderr)
        if self.pidfile is not None:
            self.pidfile.__enter__()
        register_atexit_function(self.close)

    def close(self):
        """Leaves the pid file's context. It is called when the program exits, if it was not before."""
        if not self.is_open:
            return
        _tell_manager("STOPPING=1")
        if self.pidfile is not None:
            self.pidfile.__exit__(None, None, None)
        self._is_open = False

    def terminate(self, signal_number, stack_frame):
        """What SIGTERM does unless ``signal_map`` says otherwise: ends the program as ``sys.exit`` does."""
        raise Terminated(signal_number)

    def _get_exclude_file_descriptors(self):
        """The descriptors that stay open: ``files_preserve`` and the streams. What has no descriptor comes along as it
        is, for whoever wants to know; what is no file does not."""
        exclude = set()
        for item in [*(self.files_preserve or ()), self.stdin, self.stdout, self.stderr]:
            if isinstance(item, int):
                exclude.add(item)
            elif hasattr(item, "fileno"):
                exclude.add(_fileno(item))
        # Closed, the pid file would be free for the next start, and the process in front would hear of an end.
        ours = [self.pidfile.fileno() if isinstance(self.pidfile, PidFile) else None, self._front and self._front.told]
        return exclude.union(fd for fd in ours if fd is not None)

    def _make_signal_handler(self, target):
        if target is None:
            return signal.SIG_IGN
        return getattr(self, target) if isinstance(target, str) else target

    def _make_signal_handler_map(self):
        return {number: self._make_signal_handler(target) for number, target in self.signal_map.items()}


def _fileno(item):
    """An object's descriptor, or itself if it has none: a text in memory, say."""
    try:
        return item.fileno()
    except (OSError, ValueError):
        return item


def _tell_manager(assignment):
    """A manager that is gone stops nobody."""
    try:
        _kit.notify(assignment)
    except _kit.Error:
        pass


def _refused(step, error):
    return DaemonOSEnvironmentError(f"Unable to {step} ({error})")


def change_working_directory(directory):
    try:
        os.chdir(directory)
    except Exception as error:
        raise _refused(f"change to the directory {directory!r}", error) from error


def change_root_directory(directory):
    """Into it first, so that nothing outside stays in reach: chroot(2)."""
    try:
        os.chdir(directory)
        os.chroot(directory)
    except Exception as error:
        raise _refused(f"make {directory!r} the root directory", error) from error


def change_file_creation_mask(mask):
    try:
        os.umask(mask)
    except Exception as error:
        raise _refused("change the file creation mask", error) from error


def change_process_owner(uid, gid, initgroups=False):
    """The groups first: afterwards the right to change them is gone. A user without a name has no groups to look up."""
    name = None
    if initgroups:
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:
            warnings.warn(f"user {uid} has no name: the supplementary groups stay as they are", RuntimeWarning, stacklevel=3)
    try:
        # initgroups(3) gives the supplementary groups alone.
        os.setgid(gid)
        if name is not None:
            os.initgroups(name, gid)
        os.setuid(uid)
    except Exception as error:
        raise _refused(f"become user {uid} and group {gid}", error) from error


def prevent_core_dump():
    try:
        resource.getrlimit(resource.RLIMIT_CORE)
    except ValueError as error:
        raise _refused("limit core dumps: the system has no such limit", error) from error
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def get_stream_file_descriptors(stdin=None, stdout=None, stderr=None):
    """The descriptors of these streams, or of the program's own; a stream without one has none."""
    streams = (stdin or sys.stdin, stdout or sys.stdout, stderr or sys.stderr)
    numbers = (stream.fileno() for stream in streams if hasattr(stream, "fileno"))
    return {number for number in numbers if number is not None}


def close_file_descriptor_if_open(fd):
    try:
        os.close(fd)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise _refused(f"close the descriptor {fd}", error) from error


def get_maximum_file_descriptors():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return MAXFD if limit == resource.RLIM_INFINITY else limit


_total_file_descriptor_range = range(0, get_maximum_file_descriptors())


def _get_candidate_file_descriptor_ranges(exclude):
    """The runs of numbers between those that stay open, each with the number behind its last."""
    for item in exclude:
        if not isinstance(item, int):
            raise TypeError(f"expected the numbers of file descriptors, not: {item!r}")
    total = _total_file_descriptor_range
    ranges, start = [], total.start
    for fd in sorted(fd for fd in exclude if fd in total):
        if start < fd:
            ranges.append((start, fd))
        start = fd + 1
    if start < total.stop:
        ranges.append((start, total.stop))
    return ranges


def _close_file_descriptor_ranges(ranges):
    for start, end in ranges:
        os.closerange(start, end)


def close_all_open_files(exclude=None):
    _close_file_descriptor_ranges(_get_candidate_file_descriptor_ranges(set() if exclude is None else exclude))


def redirect_stream(system_stream, target_stream):
    """Puts a file in the place of one of the three; ``/dev/null`` if there is none."""
    if target_stream is None:
        target = os.open(os.devnull, os.O_RDWR)
    else:
        target = target_stream.fileno()
    os.dup2(target, system_stream if isinstance(system_stream, int) else system_stream.fileno())


def detach_process_context():
    """Leaves the session, and cannot get a terminal again: two forks with setsid(2) between them. The parents exit, the
    first when the daemon is set up if there is somebody to hear of it."""
    _fork_and_leave("first", Front.leave)
    os.setsid()
    _fork_and_leave("second", lambda child: os._exit(0))


def _fork_and_leave(which, leave):
    try:
        child = os.fork()
    except OSError as error:
        raise DaemonProcessDetachError(f"Failed the {which} fork: [{error.errno}] {error.strerror}") from error
    if child > 0:
        leave(child)


def is_process_started_by_init():
    return os.getppid() == 1


def is_socket(fd):
    """Whether a descriptor is a socket. Deprecated: ``is_socket_file``."""
    warnings.warn("is_socket is deprecated: use is_socket_file", DeprecationWarning, stacklevel=2)
    return _is_socket(fd)


def is_socket_file(file):
    try:
        fd = file.fileno()
    except (AttributeError, ValueError):
        # It was never open, or is closed.
        return False
    return _is_socket(fd)


def _is_socket(fd):
    try:
        asked = socket.fromfd(fd, socket.AF_INET, socket.SOCK_RAW)
        asked.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE)
    except socket.error as error:
        # Whatever else it refuses, it is a socket that does.
        return error.args[0] != errno.ENOTSOCK
    return True


def is_process_started_by_superserver():
    """Whether inetd or its like started the program: stdin is the socket then."""
    return is_socket_file(sys.__stdin__)


def is_detach_process_context_required():
    """Whether the program has to detach itself: not if whoever started it, init, inetd, a supervisor or a service manager,
    watches over it in front."""
    if is_process_started_by_init() or is_process_started_by_superserver():
        return False
    return _kit.who_started()[1]




def make_default_signal_map():
    """The terminal's signals are ignored, and SIGTERM ends the program; as far as the system has them."""
    targets = {"SIGTSTP": None, "SIGTTIN": None, "SIGTTOU": None, "SIGTERM": "terminate"}
    return {getattr(signal, name): target for name, target in targets.items() if hasattr(signal, name)}


def set_signal_handlers(signal_handler_map):
    for number, handler in signal_handler_map.items():
        signal.signal(number, handler)


def register_atexit_function(func):
    atexit.register(func)
