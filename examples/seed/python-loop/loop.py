#!/usr/bin/env python3
"""Says a line every half second, for ever: who it is and how often it has spoken."""

import os
import time

count = 0
while True:
    count += 1
    print(f"loop {os.getpid()} as uid {os.getuid()}: {count}", flush=True)
    time.sleep(0.5)
