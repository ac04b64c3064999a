"""A pid file by itself."""

from ._kit import PidFile as _PidFile


class PidFile(_PidFile):
    """A pid file that is locked for life, and goes with the process that wrote it.

    A context manager: on the way in it is locked and written, on the way out it goes. ``eudaemon_kit.AlreadyRunning``
    is raised when another process has it; links, directories and somebody else's files are an ``eudaemon_kit.Error``.
    It is what ``pidfile=`` of ``eudaemon_kit.daemon.DaemonContext`` takes, and in the background it is locked before
    the program detaches, so that a second start fails in front of whoever started it.
    """
