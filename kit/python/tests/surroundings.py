"""Programs that the tests write and start, and a service manager's side of them."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

SOON = 20


class ProgramTestCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self._started = []
        self.addCleanup(self._end_what_is_left)

    def _end_what_is_left(self):
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        for pid_file in self.folder.glob("*.pid"):
            text = pid_file.read_text().strip()
            if text:
                try:
                    os.kill(int(text), signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def program(self, text):
        """A program in a file of its own; FOLDER is this test's."""
        path = self.folder / "program.py"
        path.write_text(f"FOLDER = {str(self.folder)!r}\n" + textwrap.dedent(text))
        return path

    def start(self, text, *words, before=(), **variables):
        """Starts a program in the surroundings of a script: no manager, no terminal."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "INVOCATION_ID", "JOURNAL_STREAM")
        }
        environment.update(variables)
        process = subprocess.Popen(
            [*before, sys.executable, str(self.program(text)), *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def ends(self, process):
        """How it ends: its exit code, what it said on stdout, and on stderr."""
        out, err = process.communicate(timeout=SOON)
        return process.returncode, out, err

    def wait(self, what, look):
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            seen = look()
            if seen:
                return seen
            time.sleep(0.01)
        self.fail(f"not within {SOON} s: {what}")

    def connect(self, path):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.settimeout(SOON)

        def try_it():
            try:
                client.connect(str(path))
            except OSError:
                return False
            return True

        self.wait(f"somebody at {path}", try_it)
        return client

    def ask(self, path):
        client = self.connect(path)
        said = b""
        while more := client.recv(4096):
            said += more
        return said.decode()

    def daemon(self):
        """The daemon that a pid file names."""
        text = self.wait("a pid file", lambda: (self.folder / "d.pid").exists() and (self.folder / "d.pid").read_text())
        return int(text)

    def is_gone(self, pid):
        return not os.path.exists(f"/proc/{pid}") or pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


class Manager:
    """A service manager's notify socket."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(SOON)

    def hears(self):
        return self.socket.recv(4096).decode()

    def close(self):
        self.socket.close()
