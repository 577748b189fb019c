#!/bin/sh
# Makes what `unshare` has begun a machine of its own, and runs the command that it was given: a
# network of loopback and one more interface, and private copies of whatever a tutorial changes. The
# stock configuration is the one that Debian's package left here.
#
# From the root of the checkout, with the path of Deno in DENO:
#
#   unshare --mount --net --uts --pid --fork --kill-child --mount-proc sh namespace.sh COMMAND...
set -e

mount --make-rprivate /

hostname raspberrypi
ip link set lo up
# The interface by which other machines come. Not every kernel has one to give; loopback does then.
other=lo
for kind in dummy veth bridge; do
  ip link add eth0 type $kind 2>/dev/null || continue
  ip link set eth0 up
  other=eth0
  break
done
for address in 10.42.0.3 10.42.0.7 10.42.0.8; do
  ip addr add $address/24 dev $other
done

mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/tutorial/etc /run/tutorial/dev
cp -a /etc/. /run/tutorial/etc
mount --bind /run/tutorial/etc /etc
# Whatever this machine's own broker was told is no part of a tutorial.
rm -f /etc/mosquitto/conf.d/*.conf

# A folder of devices of its own, since the system's log is one of them.
mount -t tmpfs -o mode=755 tmpfs /run/tutorial/dev
for device in null zero full random urandom tty; do
  cp -a /dev/$device /run/tutorial/dev/
done
mkdir /run/tutorial/dev/pts /run/tutorial/dev/shm
mount --rbind /dev/pts /run/tutorial/dev/pts
mount -t tmpfs tmpfs /run/tutorial/dev/shm
ln -s pts/ptmx /run/tutorial/dev/ptmx
ln -s /proc/self/fd /run/tutorial/dev/fd
mount --move /run/tutorial/dev /dev

for folder in /var/lib/mosquitto /var/log/mosquitto /var/cache/ldconfig; do
  [ -d $folder ] || continue
  owner=$(stat -c %u:%g $folder)
  mount -t tmpfs -o mode=755 tmpfs $folder
  chown "$owner" $folder
done
mkdir /run/mosquitto
chown mosquitto: /run/mosquitto

# The program where a user without rights can read it, wherever this checkout and Deno lie.
mkdir /run/tutorial/repo
mount --bind "$PWD" /run/tutorial/repo
if [ -n "$DENO" ]; then
  touch /run/tutorial/deno
  mount --bind "$DENO" /run/tutorial/deno
fi

# Not exec: whoever is the first process here must bury the daemons that nobody else waits for.
"$@"
