#!/usr/bin/env python3
"""Tells the time to who asks: python3 clock.py [HOST PORT]"""
import socket, sys, time

host, port = sys.argv[1:] or ("127.0.0.1", 5463)
bus = socket.create_connection((host, port)).makefile("rw", encoding="utf-8", newline="\n")
print("recv clock", file=bus, flush=True)
for line in bus:
    if line == "recv clock time?\n":
        print("send clock", time.strftime("%T", time.gmtime()), file=bus, flush=True)
