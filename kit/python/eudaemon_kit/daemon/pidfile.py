"""python-daemon's pid file on top of lockfile. New programs rather use ``eudaemon_kit.PidFile``, which locks the pid file
itself and so knows a dead daemon's from a live one's."""

try:
    from lockfile.pidlockfile import PIDLockFile
except ImportError as error:
    raise ImportError("eudaemon_kit.daemon.pidfile needs lockfile: pip install 'eudaemon-kit[lockfile]'") from error


class TimeoutPIDLockFile(PIDLockFile):
    """A lock with a time of its own for how long to wait for it: seconds, None for ever, 0 or less not at all."""

    def __init__(self, path, acquire_timeout=None, *args, **kwargs):
        self.acquire_timeout = acquire_timeout
        super().__init__(path, *args, **kwargs)

    def acquire(self, timeout=None, *args, **kwargs):
        super().acquire(self.acquire_timeout if timeout is None else timeout, *args, **kwargs)
