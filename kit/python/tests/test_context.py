"""PEP 3143's context, in real processes; its functions one by one are what python-daemon's own test-suite looks at."""

import json
import os
import signal
import unittest

from surroundings import Manager, ProgramTestCase

PROGRAM = """
    import json, os, sys, time
    from eudaemon_kit import PidFile, daemon

    held = os.open("/dev/zero", os.O_RDONLY)
    os.set_inheritable(held, True)
    context = daemon.DaemonContext(pidfile=PidFile(FOLDER + "/d.pid"), working_directory=FOLDER)
    with context:
        seen = {
            "pid": os.getpid(), "session": os.getsid(0), "directory": os.getcwd(), "umask": os.umask(0),
            "files": {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                      if os.path.exists(f"/proc/self/fd/{fd}")},
            "detached": context.detach_process,
        }
        with open("seen.new", "w") as file:
            json.dump(seen, file)
        os.rename("seen.new", "seen")
        while True:
            time.sleep(60)
"""


class Context(ProgramTestCase):
    def seen(self):
        self.wait("the daemon's word", (self.folder / "seen").exists)
        return json.loads((self.folder / "seen").read_text())

    def test_a_script_starts_it_and_stops_it(self):
        front = self.start(PROGRAM)
        self.assertEqual(self.ends(front), (0, "", ""))
        pid, seen = self.daemon(), self.seen()
        self.assertEqual(seen["pid"], pid)
        self.assertNotIn(seen["session"], (pid, os.getsid(0)))
        self.assertEqual((seen["directory"], seen["umask"], seen["detached"]), (str(self.folder), 0, True))
        self.assertEqual([seen["files"][fd] for fd in "012"], ["/dev/null"] * 3)
        self.assertNotIn("/dev/zero", seen["files"].values())
        code, out, lines = self.ends(self.start(PROGRAM))
        self.assertEqual((code, out), (1, ""))
        self.assertIn(f"already running as process {pid}", lines)
        os.kill(pid, signal.SIGTERM)
        self.wait("its end", lambda: self.is_gone(pid))
        self.assertFalse((self.folder / "d.pid").exists())

    def test_what_fails_in_the_daemon_is_told_in_front(self):
        front = self.start(
            """
            import os
            from eudaemon_kit import PidFile, daemon

            class Broken:
                def __enter__(self):
                    raise OSError("no room")

            try:
                daemon.DaemonContext(pidfile=Broken()).open()
            except OSError as error:
                # The program still has it, where there is nobody to read it.
                open(FOLDER + "/raised", "w").write(str(error))
            """
        )
        self.assertEqual(self.ends(front), (1, "", "program.py: no room\n"))
        self.wait("the exception", lambda: (self.folder / "raised").exists() and (self.folder / "raised").read_text())
        self.assertEqual((self.folder / "raised").read_text(), "no room")

    def test_what_fails_before_is_raised_and_leaves_nothing(self):
        front = self.start(
            """
            from eudaemon_kit import PidFile, daemon
            daemon.DaemonContext(working_directory="/nowhere", pidfile=PidFile(FOLDER + "/d.pid")).open()
            """
        )
        code, _, lines = self.ends(front)
        self.assertEqual(code, 1)
        self.assertIn("Unable to change to the directory '/nowhere'", lines)
        self.assertFalse((self.folder / "d.pid").exists())

    def test_a_daemon_that_dies_at_once_did_not_start(self):
        front = self.start(
            """
            import os, signal
            from eudaemon_kit import daemon

            class Deadly:
                def __enter__(self):
                    os.kill(os.getpid(), signal.SIGKILL)

            daemon.DaemonContext(pidfile=Deadly()).open()
            """
        )
        self.assertEqual(self.ends(front), (1, "", "program.py: ended before it was set up\n"))

    def test_under_a_manager_it_stays_and_speaks(self):
        manager = Manager(self.folder)
        self.addCleanup(manager.close)
        process = self.start(PROGRAM, NOTIFY_SOCKET=manager.path)
        self.assertEqual(manager.hears(), "READY=1")
        seen = self.seen()
        self.assertEqual((seen["pid"], seen["detached"]), (process.pid, False))
        process.terminate()
        self.assertEqual(manager.hears(), "STOPPING=1")
        self.assertEqual(self.ends(process), (0, "", ""))
        self.assertFalse((self.folder / "d.pid").exists())

    def test_without_stdio(self):
        code, _, _ = self.ends(self.start(PROGRAM, before=["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]))
        self.assertEqual(code, 0)
        files = self.seen()["files"]
        self.assertEqual([files[fd] for fd in "012"], ["/dev/null"] * 3)


if __name__ == "__main__":
    unittest.main()
