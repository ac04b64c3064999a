#!/bin/bash
# enter.sh STAGE COMMAND...: makes a machine of the root file system in LAYERS and becomes COMMAND, its PID 1.
# Every stage replaces the one before it, so nothing stays behind; all mounts, the fresh upper layer too, die with the last process.
#
#   outer   joins CGROUP, own mounts
#   image   overlay with its upper layer in memory, EXTRA copied over it, a minimal /dev
#   inner   PID 1 of its own namespaces, in a user namespace too when CONFINEMENT=unprivileged: /proc, /sys, cgroup2, loopback
#
# Standard input is a socket to the one who boots the machine: `map PID` asks for the user namespace's maps and is answered
# by a line, `ready` says that the root is made. Standard output is the console. Environment:
#   LAYERS       overlay's lowerdir, top layer first          WORK     an empty directory to mount it all upon
#   EXTRA        a tree that is copied over the root, or ""   CGROUP   a cgroup2 directory, or "" where there is none
#   CONFINEMENT  privileged | unprivileged | nspawn           SEAL     the compiled seal.c
#   TERMINAL     a pty's device for /dev/console, or "": none, as a container runtime without -t
#   CONTAINER    the value of $container for PID 1, or "" : none, as docker
set -euo pipefail
self=$(realpath "$0")
stage=$1; shift
root=$WORK/root

image() {
  mount -t tmpfs -o mode=755 machine "$WORK"
  mkdir "$WORK/upper" "$WORK/work" "$root"
  mount -t overlay overlay -o "lowerdir=$LAYERS,upperdir=$WORK/upper,workdir=$WORK/work" "$root"
  [ -z "$EXTRA" ] || cp -a "$EXTRA/." "$root/"
}

devices() { # as container runtimes make them
  mount -t tmpfs -o mode=755,nosuid,strictatime dev "$root/dev"
  local name
  for name in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "$root/dev/${name%:*}" c 1 "${name#*:}"; done
  mknod -m 666 "$root/dev/tty" c 5 0
  mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s fd/0 "$root/dev/stdin"; ln -s fd/1 "$root/dev/stdout"; ln -s fd/2 "$root/dev/stderr"
  [ -z "$TERMINAL" ] || { : > "$root/dev/console"; mount --bind "$TERMINAL" "$root/dev/console"; }
}

kernel_file_systems() {
  local options=nosuid,noexec,nodev path
  mount -t proc -o $options proc "$root/proc"
  for path in sys sysrq-trigger irq bus fs; do
    [ -e "$root/proc/$path" ] || continue
    [ "$CONFINEMENT" = privileged ] && [ $path != sysrq-trigger ] && continue
    mount --bind "$root/proc/$path" "$root/proc/$path"
    mount -o remount,bind,ro,$options "$root/proc/$path"
  done
  # The kernel refuses a new sysfs to a user namespace that sees only part of one: this machine's, read-only, is the same then.
  mount -t sysfs -o ro,$options sysfs "$root/sys" 2>/dev/null || { mount --rbind /sys "$root/sys"; mount -o remount,bind,ro,$options "$root/sys"; }
  if [ -n "$CGROUP" ]; then
    mount -t cgroup2 -o $options cgroup2 "$root/sys/fs/cgroup"
    [ "$CONFINEMENT" = privileged ] || mount -o remount,bind,ro,$options "$root/sys/fs/cgroup"
  fi
  mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5,nosuid,noexec devpts "$root/dev/pts"
  mount -t tmpfs -o mode=1777,nosuid,nodev shm "$root/dev/shm"
  mount -t mqueue -o $options mqueue "$root/dev/mqueue"
}

case $stage in
outer)
  [ -z "$CGROUP" ] || echo $$ > "$CGROUP/cgroup.procs"
  exec unshare --mount --propagation private bash "$self" image "$@" ;;

image)
  image
  spaces="--pid --mount --uts --ipc --net --cgroup --fork --kill-child=SIGKILL"
  case $CONFINEMENT in
  nspawn)
    echo ready >&0
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec systemd-nspawn --quiet --directory="$root" --machine="machine-$$" --hostname=machine \
      --register=no --keep-unit --private-network --resolv-conf=off --timezone=off --link-journal=no --console=pipe "$@" < /dev/null ;;
  privileged)
    devices
    mount -t tmpfs -o mode=755,nosuid,nodev run "$root/run"; mkdir -m 1777 "$root/run/lock"
    exec unshare $spaces bash "$self" inner "$@" ;;
  unprivileged)
    devices
    : > "$root/.dockerenv"
    # No name is mapped yet when the shell asks for the maps: it must not need to read a file of this directory.
    exec unshare --user bash -c 'echo "map $$" >&0; read -r answer <&0; exec unshare "$@"' map $spaces bash "$self" inner "$@" ;;
  esac ;;

inner)
  mount --rbind "$root" "$root"
  cd "$root"
  kernel_file_systems
  ip link set lo up
  hostname machine
  seal=
  [ "$CONFINEMENT" = privileged ] || { cp "$SEAL" "$root/.seal"; seal="/.seal docker"; }
  mkdir -p .old
  # Only now: a mounted root is left behind with all that was mounted on the way.
  cd "$root"; pivot_root . .old; cd /
  umount -l /.old; rmdir /.old
  environment="PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root HOSTNAME=machine ${CONTAINER:+container=$CONTAINER} ${TERMINAL:+TERM=dumb}"
  echo ready >&0
  if [ -n "$TERMINAL" ]; then exec < /dev/console > /dev/console 2>&1; else exec < /dev/null; fi
  exec $seal env -i $environment "$@" ;;
esac
