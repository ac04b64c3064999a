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
GOCACHE=${GOCACHE:-$TMPDIR/go-cache} GO111MODULE=off go build -o /opt/seed/go-tcp go-tcp/main.go
install -m 644 ./*/*.service /etc/systemd/system/
