"""For people who write daemons.

A program describes its daemon, says when it is ready and is told when to stop. Where it was started, by a shell, with
``--daemon``, by systemd, eudaemon, s6, runit, inetd or as a container's first process, it does what is right there::

    from eudaemon_kit import Daemon, Reload, tcp

    def serve(life):
        server = life.socket("greeter")
        life.ready()
        for moment in life.moments(server):     # ends when the daemon is to stop
            if moment is server:
                client, _ = server.accept()
                client.sendall(b"hello\\n")
                client.close()
            elif isinstance(moment, Reload):
                pass                            # read the configuration again

    Daemon("greeter", pid_file="/run/greeter.pid", sockets=[tcp("greeter", "127.0.0.1:7007")]).main(serve)

``eudaemon_kit.daemon`` has the ``DaemonContext`` of PEP 3143, for programs that were written for python-daemon.
"""

from ._kit import AlreadyRunning, Error, notify
from .description import Announcement, Daemon, Socket, avahi, consul, tcp, udp, unix, unix_datagram
from .life import Life, Reload, Stop, TimeOver
from .log import Handler
from .pid_file import PidFile
from .starter import lets_detach, starter

__all__ = [
    "AlreadyRunning",
    "Announcement",
    "Daemon",
    "Error",
    "Handler",
    "Life",
    "PidFile",
    "Reload",
    "Socket",
    "Stop",
    "TimeOver",
    "avahi",
    "consul",
    "lets_detach",
    "notify",
    "starter",
    "tcp",
    "udp",
    "unix",
    "unix_datagram",
]
