# SPDX-License-Identifier: GPL-3.0-or-later
"""Small servers that behave well or badly in one chosen way. Print "ready" once they listen."""
import socket
import struct
import sys
import threading
import time


def ready():
    print("ready", flush=True)


def tcp_listener(address, port, backlog=16):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen(backlog)
    return s


def each_connection(listener, handle):
    ready()
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=handle, args=(conn,), daemon=True).start()


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def echo(conn):
    while data := conn.recv(65536):
        conn.sendall(data)
    conn.close()


def mute(conn):
    while conn.recv(65536):
        pass


def reset_after_request(conn):
    conn.recv(65536)
    reset(conn)


def close_after_request(conn):
    conn.recv(65536)
    conn.close()


def tcp(kind, address, port):
    each_connection(tcp_listener(address, int(port)), globals()[kind])


def main():
    name, *args = sys.argv[1:]
    globals()[name](*args)


if __name__ == "__main__":
    main()
