#!/bin/sh
# Builds the seed services and installs them to /opt/seed and /etc/systemd/system. Needs root, go and cc.
set -eu
cd "$(dirname "$0")"
mkdir -p /opt/seed /etc/systemd/system
# Not /tmp: a machine that is just booting empties that.
TMPDIR=$(mktemp -d /opt/seed/build.XXXXXX)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
install -m 755 python-loop/loop.py /opt/seed/python-loop
install -m 644 node-net/server.js /opt/seed/node-net.js
install -m 644 node-http/server.js /opt/seed/node-http.js
cc -O2 -Wall -o /opt/seed/c-daemon c-daemon/daemon.c
# Those two want eudaemon-kit: `cargo xtask kit-c`, and the package of kit/python.
if [ -e /usr/local/include/eudaemon-kit.h ] || [ -e /usr/include/eudaemon-kit.h ]; then
    # A library in /usr/local is found without ldconfig.
    cc -O2 -Wall -o /opt/seed/c-kit c-kit/counter.c -leudaemon-kit -Wl,-rpath,/usr/local/lib
else
    echo "left out: c-kit: there is no eudaemon-kit.h" >&2
fi
install -m 755 python-kit/clock.py /opt/seed/python-kit
python3 -c 'import eudaemon_kit' 2>/dev/null || echo "python-kit will not start: there is no package eudaemon_kit" >&2
GOCACHE=${GOCACHE:-$TMPDIR/go-cache} GO111MODULE=off go build -o /opt/seed/go-tcp go-tcp/main.go
install -m 644 ./*/*.service ./*/*.socket /etc/systemd/system/
