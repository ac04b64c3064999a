"""Runs these tests, and python-daemon's own on our DaemonContext if its unpacked source is given. The last line counts both."""

import pathlib
import sys
import unittest


def ours():
    return unittest.defaultTestLoader.discover(str(pathlib.Path(__file__).parent))


def python_daemon(source):
    """Its tests of the daemon and of the pid file; the others are about how it is packaged."""
    import eudaemon_kit.daemon.daemon
    import eudaemon_kit.daemon.pidfile

    for name in ("daemon", "daemon.daemon", "daemon.pidfile"):
        sys.modules[name] = sys.modules[f"eudaemon_kit.{name}"]
    sys.path.insert(0, source)
    names = ["test.test_daemon", "test.test_pidfile"]
    return unittest.defaultTestLoader.loadTestsFromNames(names)


def run(name, suite):
    print(f"     Running {name}", flush=True)
    return unittest.TextTestRunner(stream=sys.stdout).run(suite)


results = [run("eudaemon-kit's tests in Python", ours())]
for source in sys.argv[1:]:
    results.append(run("python-daemon's tests", python_daemon(source)))
for result in results:
    failed = len(result.failures) + len(result.errors)
    passed = result.testsRun - failed - len(result.skipped)
    word = "ok" if result.wasSuccessful() else "FAILED"
    print(f"test result: {word}. {passed} passed; {failed} failed; {len(result.skipped)} ignored;")
sys.exit(not all(result.wasSuccessful() for result in results))
