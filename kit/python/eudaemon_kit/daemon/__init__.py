"""The ``DaemonContext`` of PEP 3143, for programs that were written for python-daemon::

    from eudaemon_kit import daemon         # instead of: import daemon

    with daemon.DaemonContext(pidfile=...):
        serve()

It has python-daemon's names, options and order of steps, and it knows more of the world: it stays in the foreground under
every supervisor that wants that, tells a service manager when it is ready and when it stops, and the process that was
started exits only when the daemon is set up, with the reason if it could not be.
"""

from .daemon import DaemonContext

__all__ = ["DaemonContext"]
