#!/bin/bash
# build-rootfs.sh LAYER: makes one layer of the test machine's root file system under $CACHE, as Debian 12 ships it.
#   nine   minbase, systemd, the nine packages that the tests run, and their clients
#   seed   what examples/seed needs to be built and run, as an overlay upon nine
#   starters  other programs that start and watch daemons, as an overlay upon nine
#   names  what announces services by DNS-SD, as an overlay upon nine
# A layer is made anew when a line here changes that does not speak of another layer alone: see `recipe` in src/rootfs.rs.
# Environment: CACHE, SEAL (the compiled seal.c, whose `nosync` turns fsync into nothing: a third of the time goes there),
# MIRROR (default: the one this machine uses, else deb.debian.org). Needs root.
set -euo pipefail

layer=$1
debs=$CACHE/debs
mirror=${MIRROR:-$(awk '$1 == "URIs:" && $2 !~ /security/ { print $2; exit } $1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' \
  /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null || true)}
case $mirror in *debian*) ;; *) mirror=http://deb.debian.org/debian ;; esac
mkdir -p "$debs"

nine="systemd systemd-sysv dbus nginx redis-server postgresql openssh-server openssh-client cron rsyslog memcached apache2
  curl iproute2 procps python3 netcat-openbsd ca-certificates kmod udev psmisc strace"
seed="gcc libc6-dev golang-go nodejs"
starters="s6 runit openbsd-inetd openrc supervisor"
names="avahi-daemon avahi-utils"

# inside ROOT COMMAND...: runs a command in the root with its own mounts and processes; nothing outlives it.
inside() {
  local root=$1; shift
  unshare --mount --pid --uts --ipc --fork --kill-child=SIGKILL --propagation private bash -c '
    set -e; root=$1; debs=$2; shift 2
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=755 dev "$root/dev"
    for name in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "$root/dev/${name%:*}" c 1 "${name#*:}"; done
    mknod -m 666 "$root/dev/tty" c 5 0
    ln -s /proc/self/fd "$root/dev/fd"; mkdir "$root/dev/shm" "$root/dev/pts"; mount -t tmpfs shm "$root/dev/shm"
    mount -t tmpfs -o mode=755 run "$root/run"; mkdir "$root/run/lock"
    mount --bind "$debs" "$root/var/cache/apt/archives"
    hostname machine
    exec chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
      DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 "$@"
  ' bash "$root" "$debs" "$@"
}

configure() { # what dpkg and apt must know before the first package of ours is unpacked
  local root=$1
  printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"
  printf 'force-unsafe-io\npath-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\npath-exclude /usr/share/locale/*\npath-exclude /usr/share/info/*\n' \
    > "$root/etc/dpkg/dpkg.cfg.d/machine"
  printf 'APT::Install-Recommends "0";\nAPT::Keep-Downloaded-Packages "1";\nBinary::apt::APT::Keep-Downloaded-Packages "1";\nAPT::Sandbox::User "root";\nAcquire::Languages "none";\n' \
    > "$root/etc/apt/apt.conf.d/90machine"
  rm -f "$root/etc/apt/apt.conf.d/docker-clean"
  echo "deb $mirror bookworm main" > "$root/etc/apt/sources.list"
  echo machine > "$root/etc/hostname"
  printf '127.0.0.1 localhost machine\n::1 localhost ip6-localhost\n' > "$root/etc/hosts"
  echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
  : > "$root/etc/fstab"
  rm -f "$root/etc/resolv.conf"; cp /etc/resolv.conf "$root/etc/resolv.conf"
}

finish() { # the packages' starts are no longer held back, and nothing of this machine is left in the image
  local root=$1
  rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/resolv.conf"
  echo 'nameserver 127.0.0.1' > "$root/etc/resolv.conf"
  rm -rf "$root"/var/lib/apt/lists/*
}

build_nine() {
  local root=$1
  "$SEAL" nosync debootstrap --variant=minbase --cache-dir="$debs" bookworm "$root" "$mirror"
  configure "$root"
  inside "$root" apt-get -qq update
  inside "$root" apt-get -qqy -o Dpkg::Use-Pty=0 install $nine
  # Two web servers, one machine: apache takes the second port.
  sed -i 's/^Listen 80$/Listen 8080/' "$root/etc/apache2/ports.conf"
  sed -i 's/<VirtualHost \*:80>/<VirtualHost *:8080>/' "$root/etc/apache2/sites-available/000-default.conf"
  echo 'ServerName machine' > "$root/etc/apache2/conf-enabled/name.conf"
  inside "$root" useradd --create-home --uid 1000 --shell /bin/bash alice
  finish "$root"
}

build_seed() { upon_nine "$1" $seed; }
build_starters() { upon_nine "$1" $starters; }
build_names() { upon_nine "$1" $names; }

upon_nine() { # UPPER PACKAGE...: an overlay with more packages
  local upper=$1 root=$1.root; shift
  mkdir -p "$upper" "$upper.work" "$root"
  mount -t overlay overlay -o "lowerdir=$CACHE/nine,upperdir=$upper,workdir=$upper.work" "$root"
  configure "$root"
  inside "$root" apt-get -qq update
  inside "$root" apt-get -qqy -o Dpkg::Use-Pty=0 install "$@"
  finish "$root"
  umount "$root"
  rm -rf "$root" "$upper.work"
}

if [ -z "${IN_OWN_MOUNTS:-}" ]; then # a build that is interrupted leaves no mount behind
  IN_OWN_MOUNTS=1 exec unshare --mount --propagation private "$SEAL" nosync bash "$0" "$@"
fi
rm -rf "$CACHE/$layer" "$CACHE/$layer.new"*
log=$CACHE/$layer.log
# Not in the condition of an `if`: there the shell would go on after a failed command.
trap '[ $? = 0 ] || { tail -n 40 "$log" >&2; echo "the whole log: $log" >&2; }' EXIT
"build_$layer" "$CACHE/$layer.new" > "$log" 2>&1
mv "$CACHE/$layer.new" "$CACHE/$layer"
du -sh "$CACHE/$layer" | cut -f1
