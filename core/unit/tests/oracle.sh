#!/bin/bash
# Asks real systemd, booted from a root file system, what it made of every unit there: unit files and answers
# go to a folder that `completed_as_systemd` compares us with (EUDAEMON_ORACLE=FOLDER).
#   oracle.sh ROOTFS FOLDER
set -euo pipefail
root=$(realpath "$1")
out=$2
mkdir -p "$out/root"
name=oracle$$
for tree in unified systemd; do
    group=/sys/fs/cgroup/$tree/$name
    if mkdir "$group" 2>/dev/null; then echo $BASHPID > "$group/cgroup.procs"; fi
done
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
# systemd-nspawn keeps its console to itself; the container is entered through its leader.
systemd-nspawn -q -b -D "$root" --volatile=overlay --register=no --keep-unit --private-network -M "$name" \
    </dev/null >"$out/console.log" 2>&1 &
nspawn=$!
trap 'kill -s RTMIN+4 "$leader" 2>/dev/null; wait $nspawn || true' EXIT
leader=
for _ in $(seq 200); do
    leader=$(pgrep -P $nspawn | head -n1 || true)
    [ -n "$leader" ] && nsenter -t "$leader" -a systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded' && break
    read -r -t 0.5 <> <(:) || true
done
inside() { nsenter -t "$leader" -a "$@"; }
properties=Id,Names,LoadState,FragmentPath,DropInPaths,DefaultDependencies,Requires,Requisite,Wants,BindsTo,PartOf,Conflicts,Before,After,Triggers,OnFailure,Slice,RequiresMountsFor,UnitFileState,UnitFilePreset,Description
inside sh -c "{ systemctl list-units --all --plain --no-legend --no-pager | awk '{print \$1}'
    systemctl list-unit-files --plain --no-legend --no-pager | awk '\$2 != \"masked\" && \$1 !~ /@\\./ {print \$1}'; } |
    sort -u | xargs -d '\\n' systemctl show --no-pager -p $properties --" > "$out/show.txt"
inside systemctl list-unit-files --no-legend --no-pager --plain --full > "$out/unit-files.txt"
inside tar -C / --ignore-failed-read -cf - etc/systemd usr/lib/systemd/system usr/lib/systemd/user \
    usr/lib/systemd/system-preset run/systemd/system run/systemd/transient run/systemd/generator \
    run/systemd/generator.late run/systemd/generator.early usr/local/lib etc/init.d lib 2>/dev/null |
    tar -C "$out/root" -xf - 2>/dev/null || true
