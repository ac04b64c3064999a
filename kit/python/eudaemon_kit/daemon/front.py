"""The process in front: what was started, and waits until the daemon is set up."""

import os
import signal
import sys

_READY = b"+"


class Front:
    """Tells the process in front what came of the daemon. Entered before the process detaches; left when the daemon is set
    up, or by an exception, which then is also the reason that the process in front tells and exits by."""

    # A process detaches once, in a function that takes nothing: the two ends of what it hears by, and the pid file that
    # goes if nothing comes of the daemon.
    _ends = None
    _pid_file = None

    def __init__(self, pid_file):
        self._pid_file_here = pid_file
        # Where it is told, once there is somebody in front.
        self.told = None

    def waits(self):
        """From here on the process in front waits."""
        Front._ends = os.pipe()
        Front._pid_file = self._pid_file_here

    def is_behind_us(self):
        """In the daemon: hearing is not its business."""
        hears, self.told = Front._ends
        Front._ends = Front._pid_file = None
        os.close(hears)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if Front._ends is not None:
            # Nobody detached.
            for end in Front._ends:
                os.close(end)
            Front._ends = Front._pid_file = None
        if self.told is not None:
            self._say(_READY if error is None else f"{error or repr(error)}\n".encode(errors="replace"))
            os.close(self.told)
            self.told = None

    def _say(self, text):
        try:
            os.write(self.told, text)
        except OSError:
            # Nobody waits any more; the daemon lives on.
            pass

    @classmethod
    def leave(cls, child):
        """In the process in front: waits until the daemon is set up, if it was to wait for that, and exits."""
        if cls._ends is None:
            os._exit(0)
        hears, told = cls._ends
        os.close(told)
        # Ctrl-C ends this process; what has its own session by now lives on.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        said = b""
        while not said.startswith(_READY):
            more = os.read(hears, 4096)
            if not more:
                break
            said += more
        if said.startswith(_READY):
            os._exit(0)
        reason = said.decode(errors="replace").strip() or "ended before it was set up"
        if cls._pid_file is not None:
            cls._pid_file.release()
        os.write(2, f"{os.path.basename(sys.argv[0]) or 'daemon'}: {reason}\n".encode(errors="replace"))
        os._exit(1)
