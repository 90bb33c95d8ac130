#!/usr/bin/env python3
"""Tells the time to who asks: python3 clock.py [HOST PORT]"""
import socket, sys, time

host, port = sys.argv[1:] or ("127.0.0.1", 5463)
bus = socket.create_connection((host, port))
bus.sendall(b"recv clock\n")
for line in bus.makefile("rb"):
    if line == b"recv clock time?\n":
        bus.sendall(time.strftime("send clock %T\n", time.gmtime()).encode())
