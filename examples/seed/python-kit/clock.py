#!/usr/bin/env python3
"""clock [--daemon]: tells every connection to /run/clock/door the time, in words that a reload reads anew from /etc/clock.txt."""

import logging
import time

from eudaemon_kit import Daemon, Handler, Reload, unix

log = logging.getLogger("clock")


def words():
    try:
        with open("/etc/clock.txt") as file:
            return file.read().strip()
    except FileNotFoundError:
        return "it is"


def serve(life):
    log.addHandler(Handler(life))
    log.setLevel(logging.INFO)
    door, said = life.socket("door"), words()
    life.ready()
    told = 0
    for moment in life.moments(door):
        if moment is door:
            client, _ = door.accept()
            with client:
                client.sendall(f"{said} {time.strftime('%H:%M:%S')}\n".encode())
            told += 1
            life.status(f"told the time {told} times")
        elif isinstance(moment, Reload):
            said = words()
            log.info("words are %r now", said, extra={"words": said})


Daemon("clock", pid_file="/run/clock.pid", sockets=[unix("door", "/run/clock/door")]).main(serve)
