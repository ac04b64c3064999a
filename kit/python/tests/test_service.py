"""A program's own service, and its entries in registries."""

import http.server
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import unittest

from surroundings import SOON, ProgramTestCase

SERVED = """
    import sys
    from eudaemon_kit import Daemon, consul, tcp, unix

    daemon = Daemon("greeter", user="daemon", announcements=[consul("greeter", port=80)])
    code = daemon.answer_service("Says hello", ["--polite"])
    if code is not None:
        sys.exit(code)
    print("it is meant itself")
"""

ANNOUNCED = """
    from eudaemon_kit import Daemon, consul, tcp

    def serve(life):
        life.ready()
        for moment in life.moments():
            pass

    web = consul("web", socket="web", tags=["v1"], http=("/healthz", 10))
    Daemon("d", sockets=[tcp("web", "127.0.0.1:0")], announcements=[web]).main(serve)
"""


class ItsOwnService(ProgramTestCase):
    def service(self, *words):
        return self.ends(self.start(SERVED, *words))

    def test_files_below_a_directory(self):
        root = self.folder / "root"
        root.mkdir()
        below = ["--to", "sysv", "--root", str(root)]
        code, out, err = self.service("service", "install", *below)
        self.assertEqual((code, out), (1, ""))
        self.assertIn("say by --program which path it has there", err)
        code, out, err = self.service("service", "install", *below, "--program", "/usr/bin/greeter")
        self.assertEqual(code, 0, err)
        script = root / "etc/init.d/greeter"
        text = script.read_text()
        self.assertIn(" /usr/bin/greeter --polite", text)
        self.assertIn("lost protection: ", err)
        self.assertEqual(self.service("service", "uninstall", *below)[0], 0)
        self.assertFalse(script.exists())
        nothing = "nothing of greeter is installed for sysv: nothing to do\n"
        self.assertEqual(self.service("service", "uninstall", *below), (0, nothing, ""))

    def test_the_program_is_a_file_that_this_interpreter_reads(self):
        code, out, err = self.service("service", "install", "--to", "sysv", "--print")
        self.assertEqual(code, 0, err)
        self.assertIn(f"{sys.executable} {self.folder}/program.py --polite", out)

    def python(self, *words, **variables):
        """The interpreter alone, in this test's folder."""
        run = subprocess.run(
            [sys.executable, *words], cwd=self.folder, env={**os.environ, **variables}, capture_output=True, text=True
        )
        return run.returncode, run.stdout, run.stderr

    PRINTED = """
import sys
from eudaemon_kit import Daemon
sys.argv[1:] = ["service", "install", "--to", "sysv", "--print"]
print(Daemon("greeter", user="daemon").answer_service("Says hello", ["--polite"]))
"""

    def test_a_module_is_started_as_one(self):
        code, out, err = self.python("-m", "timeit", "-n", "1", "-r", "1", self.PRINTED)
        self.assertEqual(code, 0, err)
        self.assertIn(f"{sys.executable} -m timeit --polite", out)

    def test_a_module_that_is_found_here_alone_is_refused(self):
        (self.folder / "pk").mkdir()
        (self.folder / "pk/__init__.py").touch()
        (self.folder / "pk/__main__.py").write_text(self.PRINTED)
        for words, variables in [(("-m", "pk"), {}), (("-m", "pk.__main__"), {"PYTHONPATH": str(self.folder)})]:
            code, out, err = self.python(*words, **variables)
            self.assertEqual((code, out), (0, "1\n"), err)
            self.assertIn("pk is found by the working directory or PYTHONPATH alone", err)
        code, out, err = self.python("pk")
        self.assertIn(f"{sys.executable} {self.folder}/pk --polite", out)

    def test_what_cannot_be_started_again_is_refused(self):
        code, out, err = self.python("-c", self.PRINTED)
        self.assertEqual(out, "1\n")
        self.assertIn("given by -c or on its stdin cannot be started again", err)
        nowhere = "import sys\nsys.executable = ''\n" + self.PRINTED
        code, out, err = self.python("-c", nowhere)
        self.assertEqual(out, "1\n")
        self.assertIn("does not know where its interpreter is", err)
        printed = "from eudaemon_kit import Daemon\nDaemon('greeter').unit_files('Says hello')"
        self.assertIn("ValueError: a program that Python was given by -c", self.python("-c", printed)[2])

    def test_threads_go_on_while_a_manager_is_told(self):
        tools = self.folder / "tools"
        tools.mkdir()
        launchctl = tools / "launchctl"
        launchctl.write_text(
            f"""#!/bin/sh
: >{self.folder}/called
for _ in $(seq 500); do [ -e {self.folder}/go ] && exit 0; sleep 0.01; done
exit 1
"""
        )
        launchctl.chmod(0o755)
        threaded = """
import pathlib, sys, threading, time
from eudaemon_kit import Daemon
def goes():
    while not pathlib.Path("called").exists():
        time.sleep(0.01)
    pathlib.Path("go").touch()
threading.Thread(target=goes, daemon=True).start()
sys.argv[1:] = ["service", "install", "--user", "--to", "launchd", "--program", "/usr/bin/greeter"]
print(Daemon("greeter", user="daemon").answer_service("Says hello"))
"""
        path = f"{tools}:{os.environ['PATH']}"
        code, out, err = self.python("-c", threaded, PATH=path, HOME=str(self.folder))
        self.assertEqual(out.splitlines()[-1], "0", err)

    def test_a_program_that_its_unit_would_hide(self):
        code, _, err = self.service("service", "install", "--to", "systemd", "--print")
        self.assertEqual(code, 1)
        # The interpreter may be somebody's own as well.
        self.assertRegex(err, r"(program\.py|/python[^ ]*) is hidden from the service")

    def test_help_and_the_program_itself(self):
        code, out, _ = self.service("service", "--help")
        self.assertEqual(code, 0)
        self.assertIn("usage: greeter service install|", out)
        self.assertEqual(self.service("other"), (0, "it is meant itself\n", ""))
        code, _, err = self.service("--daemon", "service", "start")
        self.assertEqual(code, 1)
        self.assertIn("--daemon before the word service", err)


class Agent(http.server.BaseHTTPRequestHandler):
    """Consul's agent, as far as it is asked; what was is kept."""

    def do_PUT(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.put((self.path, body))
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Announced(ProgramTestCase):
    def setUp(self):
        super().setUp()
        self.agent = http.server.HTTPServer(("127.0.0.1", 0), Agent)
        self.agent.asked = queue.Queue()
        threading.Thread(target=self.agent.serve_forever, daemon=True).start()
        self.addCleanup(self.agent.server_close)
        self.addCleanup(self.agent.shutdown)

    def test_it_stands_there_while_it_is_ready(self):
        at = f"127.0.0.1:{self.agent.server_address[1]}"
        process = self.start(ANNOUNCED, CONSUL_HTTP_ADDR=at)
        path, body = self.agent.asked.get(timeout=SOON)
        self.assertTrue(path.startswith("/v1/agent/service/register"), path)
        entry = json.loads(body)
        self.assertEqual((entry["Name"], entry["Tags"]), ("web", ["v1"]))
        self.assertIn("/healthz", json.dumps(entry["Check"]))
        process.send_signal(signal.SIGTERM)
        path, _ = self.agent.asked.get(timeout=SOON)
        self.assertEqual(path, f"/v1/agent/service/deregister/web-{entry['Port']}")
        self.assertEqual(self.ends(process)[0], 0)

    def test_what_cannot_be_announced_says_why(self):
        wrong = {
            'consul("web", tcp=1)': "nobody can ask for its health without a port",
            'consul("web", port="80")': "port: '80': expected a number from 1 to 65535",
            'consul("web", port=65536)': "port: 65536: expected a number from 1 to 65535",
            'consul("web", port=80, ttl=1, tcp=1)': "expected one of ttl, http, tcp",
            'consul("web", port=80, address="home")': "'home' is no IP address",
        }
        for announcement, wanted in wrong.items():
            program = f"""
    from eudaemon_kit import Daemon, consul

    Daemon("d", announcements=[{announcement}]).main(lambda life: life.ready())
"""
            code, _, err = self.ends(self.start(program))
            self.assertNotEqual(code, 0)
            self.assertIn(wanted, err.replace('"home"', "'home'"))

    def test_what_is_twice_or_not_open_is_refused(self):
        wrong = {
            'sockets=[tcp("a", "127.0.0.1:0"), unix("a", "/x")]': "socket a: is declared twice",
            "keep=[4000]": "descriptor 4000 is to be kept and is not open",
            "notification_fd=1": "notification fd 1: expected a descriptor above 2",
        }
        for options, wanted in wrong.items():
            program = f"""
    from eudaemon_kit import Daemon, tcp, unix

    Daemon("d", {options}).main(lambda life: life.ready())
"""
            code, _, err = self.ends(self.start(program))
            self.assertNotEqual(code, 0)
            self.assertIn(wanted, err)


if __name__ == "__main__":
    unittest.main()
