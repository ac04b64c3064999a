"""A daemon in its lives, as whoever starts it sees them."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import unittest

import eudaemon_kit
from surroundings import Manager, ProgramTestCase

SERVER = """
    import os, threading
    from eudaemon_kit import Daemon, Reload, unix

    def serve(life):
        door = life.socket("door")
        life.ready()
        life.status("serves")
        reloads = 0
        for moment in life.moments(door):
            if moment is door:
                client, _ = door.accept()
                client.sendall(f"pid {os.getpid()} {life.starter} {reloads} {life.is_handed('door')}".encode())
                client.close()
            elif isinstance(moment, Reload):
                reloads += 1
                if reloads > 1:
                    moment.failed("no second time")

    Daemon("d", pid_file=FOLDER + "/d.pid", sockets=[unix("door", FOLDER + "/door", mode=0o600)]).main(serve)
"""


class UnderAManager(ProgramTestCase):
    def setUp(self):
        super().setUp()
        self.manager = Manager(self.folder)
        self.addCleanup(self.manager.close)

    def start(self, text, *words, **variables):
        return super().start(text, *words, NOTIFY_SOCKET=self.manager.path, **variables)

    def test_each_step_is_told(self):
        # `--daemon` is not obeyed here.
        process = self.start(SERVER, "--daemon", WATCHDOG_USEC="3600000000")
        self.assertEqual(self.manager.hears(), "READY=1")
        self.assertEqual(self.manager.hears(), "STATUS=serves")
        self.assertEqual(self.manager.hears(), "WATCHDOG=1")
        self.assertEqual(self.ask(self.folder / "door"), f"pid {process.pid} manager 0 False")
        self.assertEqual((self.folder / "door").stat().st_mode & 0o777, 0o600)
        self.assertFalse((self.folder / "d.pid").exists())
        process.send_signal(signal.SIGHUP)
        self.assertRegex(self.manager.hears(), r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
        self.assertEqual(self.manager.hears(), "READY=1")
        process.send_signal(signal.SIGHUP)
        self.assertRegex(self.manager.hears(), r"^RELOADING=1")
        self.assertEqual(self.manager.hears(), "STATUS=reload failed: no second time")
        self.assertEqual(self.manager.hears(), "READY=1")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.manager.hears(), "STOPPING=1")
        self.assertEqual(self.ends(process), (0, "", "d: reload failed: no second time\n"))
        self.assertFalse((self.folder / "door").exists())

    def test_an_exception_is_told_with_its_number(self):
        process = self.start(
            """
            from eudaemon_kit import Daemon

            def serve(life):
                life.ready()
                open("/nowhere/at/all")

            Daemon("d").main(serve)
            """
        )
        self.assertEqual(self.manager.hears(), "READY=1")
        reason = "FileNotFoundError: [Errno 2] No such file or directory: '/nowhere/at/all'"
        self.assertEqual(self.manager.hears(), f"STATUS={reason}\nEXIT_STATUS=1\nERRNO=2")
        code, _, lines = self.ends(process)
        self.assertEqual(code, 1)
        self.assertEqual(lines.count(reason), 1, lines)
        self.assertIn("in serve", lines)

    def test_a_stored_descriptor(self):
        process = self.start(
            """
            import os
            from eudaemon_kit import Daemon, Error

            def serve(life):
                hears, tells = os.pipe()
                os.write(tells, b"kept")
                life.store("pipe", hears)
                try:
                    life.store("a:b", hears)
                except Error as error:
                    life.status(error.args[0])

            Daemon("d").main(serve)
            """
        )
        self.assertEqual(self.manager.hears(), "FDSTOREREMOVE=1\nFDNAME=pipe")
        message, fds, _, _ = socket.recv_fds(self.manager.socket, 4096, 1)
        self.assertEqual(message, b"FDSTORE=1\nFDNAME=pipe")
        self.assertEqual(os.read(fds[0], 10), b"kept")
        os.close(fds[0])
        self.assertIn("no colon", self.manager.hears())
        self.assertEqual(self.ends(process)[0], 0)

    def test_a_loop_of_asyncio(self):
        process = self.start(
            """
            import asyncio
            from eudaemon_kit import Daemon, Reload, Stop

            async def work(life):
                life.ready()
                while True:
                    moment = await life.next()
                    life.status(repr(moment))
                    if isinstance(moment, Stop):
                        return

            Daemon("d").main(lambda life: asyncio.run(work(life)))
            """
        )
        self.assertEqual(self.manager.hears(), "READY=1")
        process.send_signal(signal.SIGHUP)
        self.assertRegex(self.manager.hears(), "^RELOADING=1")
        self.assertEqual(self.manager.hears(), "STATUS=Reload()")
        self.assertEqual(self.manager.hears(), "READY=1")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.manager.hears(), "STOPPING=1")
        self.assertEqual(self.manager.hears(), "STATUS=Stop()")
        self.assertEqual(self.ends(process), (0, "", ""))

    def test_signals_of_the_program_and_other_threads(self):
        process = self.start(
            """
            import signal, threading
            from eudaemon_kit import Daemon

            def work(life, begun):
                with life.guest():
                    begun.set()
                    while not life.is_stopping():
                        pass
                    life.status("the guest was waited for")

            def serve(life):
                signal.signal(signal.SIGUSR1, lambda number, frame: life.status("heard"))
                begun = threading.Event()
                threading.Thread(target=work, args=(life, begun), daemon=True).start()
                begun.wait()
                life.ready()
                for moment in life.moments():
                    pass

            Daemon("d").main(serve)
            """
        )
        self.assertEqual(self.manager.hears(), "READY=1")
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(self.manager.hears(), "STATUS=heard")
        process.send_signal(signal.SIGTERM)
        self.assertEqual({self.manager.hears(), self.manager.hears()}, {"STOPPING=1", "STATUS=the guest was waited for"})
        self.assertEqual(self.ends(process), (0, "", ""))


class ByAScript(ProgramTestCase):
    def test_in_the_background(self):
        self.assertEqual(self.ends(self.start(SERVER, "--daemon")), (0, "", ""))
        pid = self.daemon()
        self.assertEqual(self.ask(self.folder / "door"), f"pid {pid} program 0 False")
        code, _, lines = self.ends(self.start(SERVER, "--daemon"))
        self.assertEqual(code, 1)
        self.assertEqual(lines, f"d: already running as process {pid} (pid file {self.folder}/d.pid)\n")
        os.kill(pid, signal.SIGTERM)
        self.wait("its end", lambda: self.is_gone(pid))
        self.assertFalse((self.folder / "d.pid").exists())

    def test_closed_streams(self):
        for closed in [[0], [1], [2], [0, 1, 2]]:
            with self.subTest(closed=closed):
                closing = f"import os; [os.close(one) for one in {closed}]\n"
                self.assertEqual(self.ends(self.start(closing + textwrap.dedent(SERVER), "--daemon"))[0], 0)
                pid = self.daemon()
                self.assertEqual((self.folder / "d.pid").read_text(), f"{pid}\n")
                self.assertEqual(self.ends(self.start(SERVER, "--daemon"))[0], 1)
                os.kill(pid, signal.SIGTERM)
                self.wait("its end", lambda: self.is_gone(pid))

    def test_a_start_that_fails_is_told_in_front(self):
        process = self.start(
            """
            import sys
            from eudaemon_kit import Daemon

            def serve(life):
                sys.exit("no configuration")

            Daemon("d", background=True, pid_file=FOLDER + "/d.pid").main(serve)
            """
        )
        self.assertEqual(self.ends(process), (1, "", "d: no configuration\n"))
        self.assertFalse((self.folder / "d.pid").exists())

    def test_a_description_that_cannot_be(self):
        for arguments, reason in [
            ('user="nobody-of-that-name"', "no user \"nobody-of-that-name\""),
            ('pid_file="/"', "pid file /: is a directory"),
            ('sockets=[("tcp", "door", "nowhere:x", None)]', "socket door: cannot listen at nowhere:x"),
        ]:
            process = self.start(f"from eudaemon_kit import Daemon\nDaemon('d', {arguments}).main(print)\n")
            code, _, lines = self.ends(process)
            self.assertNotEqual(code, 0)
            self.assertIn(f"d: {reason}", lines)
            self.assertEqual(lines.count("\n"), 1, lines)

    def test_what_was_written_before_is_written_once(self):
        process = self.start(
            """
            from eudaemon_kit import Daemon
            print("once")
            Daemon("d", background=True, stdout=FOLDER + "/out").main(lambda life: print("then"))
            """
        )
        self.assertEqual(self.ends(process), (0, "once\n", ""))
        self.assertEqual((self.folder / "out").read_text(), "then\n")

    def test_threads_come_afterwards(self):
        process = self.start(
            """
            import threading
            from eudaemon_kit import Daemon
            wait = threading.Event()
            threading.Thread(target=wait.wait).start()
            code = Daemon("d", background=True).run(print)
            wait.set()
            raise SystemExit(code)
            """
        )
        code, _, lines = self.ends(process)
        self.assertEqual(code, 70)
        self.assertIn("d: 2 threads are running", lines)

    def test_hooks_of_forks_run(self):
        process = self.start(
            """
            import os
            from eudaemon_kit import Daemon
            os.register_at_fork(after_in_child=lambda: open(FOLDER + "/hook", "w").write(str(os.getpid())))
            Daemon("d", background=True).main(lambda life: open(FOLDER + "/pid", "w").write(str(os.getpid())))
            """
        )
        self.assertEqual(self.ends(process), (0, "", ""))
        self.assertEqual((self.folder / "hook").read_text(), (self.folder / "pid").read_text())

    def test_sockets_that_are_handed_over(self):
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(self.folder / "given"))
        listener.listen()
        shell = f"exec 3<&{listener.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\""
        os.set_inheritable(listener.fileno(), True)
        process = subprocess.Popen(
            ["/bin/sh", "-c", shell, "sh", sys.executable, str(self.program(SERVER))],
            pass_fds=[listener.fileno()],
        )
        self._started.append(process)
        self.assertEqual(self.ask(self.folder / "given"), f"pid {process.pid} manager 0 True")
        process.terminate()
        self.assertEqual(process.wait(20), 0)
        self.assertFalse((self.folder / "door").exists())

    def test_lines_and_their_priorities(self):
        process = self.start(
            """
            import logging
            from eudaemon_kit import Daemon, Handler

            def serve(life):
                log = logging.getLogger("part")
                log.addHandler(Handler(life))
                log.error("bad: %s", 7, extra={"request": 9})
                life.log("said", priority=5)
                try:
                    life.log("said", priority=8)
                except ValueError as error:
                    print(error)

            Daemon("d").main(serve)
            """
        )
        code, out, lines = self.ends(process)
        self.assertEqual((code, out), (0, "priority 8: expected 0 to 7\n"))
        self.assertRegex(lines, r"^d: bad: 7 request=9\nd: said\n$")


class InTheProgram(unittest.TestCase):
    def test_what_is_wrong_in_a_description_is_raised(self):
        with self.assertRaisesRegex(TypeError, "colour"):
            eudaemon_kit.Daemon("d", colour="red")
        with self.assertRaisesRegex(ValueError, "no capability"):
            eudaemon_kit.Daemon("d", capabilities=["CAP_EVERYTHING"])
        with self.assertRaisesRegex(ValueError, "tcp, udp, unix"):
            eudaemon_kit.Daemon("d", sockets=[("tpc", "a", "b", None)])
        with self.assertRaisesRegex(ValueError, "stop_within"):
            eudaemon_kit.Daemon("d", stop_within=-1)

    def test_unit_files(self):
        daemon = eudaemon_kit.Daemon("d", user="www-data", sockets=[eudaemon_kit.tcp("web", "[::]:80")])
        files = daemon.unit_files("Serves", "/usr/bin/d", ["--fast"])
        self.assertEqual(sorted(files), ["d.service", "d.socket"])
        for line in ["Description=Serves", "ExecStart=/usr/bin/d --fast", "User=www-data", "NoNewPrivileges=yes"]:
            self.assertIn(line + "\n", files["d.service"])
        self.assertIn("ListenStream=[::]:80\n", files["d.socket"])

    def test_an_error_says_what_to_exit_with(self):
        with self.assertRaises(eudaemon_kit.Error) as raised:
            eudaemon_kit.Daemon("d", background=False, pid_file="/nowhere/d.pid").start()
        self.assertEqual(raised.exception.args, ("pid file /nowhere/d.pid: its directory does not exist", 73))


if __name__ == "__main__":
    unittest.main()
