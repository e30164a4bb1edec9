#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays a person at a terminal: pty.py SCRIPT CMD runs `sh CMD` on a pseudo-terminal and follows SCRIPT.

Lines of SCRIPT:
  expect TEXT    waits until TEXT appears (20 s), then forgets what came before it
  send TEXT      types TEXT and Enter
  type TEXT      types TEXT
  key C-c        types a control key (C-c, C-d, C-z, Tab)
  within MS      the next expect must come within MS milliseconds
  stdout FILE    standard output goes there instead of to the terminal (must be first)
  signal TERM    sends a signal
  resume         sends SIGCONT after a C-z once the program has stopped
The terminal's output goes to standard output, without carriage returns. At the end the terminal must be as it was.
"""
import fcntl, os, re, select, signal, struct, subprocess, sys, termios, time

LIMIT = 20.0


def say(text):
    print(f"pty: {text}", file=sys.stderr)


def main():
    script = [line.rstrip("\n").partition(" ")[::2] for line in open(sys.argv[1]) if line.strip() and line[0] != "#"]
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    before = termios.tcgetattr(slave)
    stdout = slave
    if script and script[0][0] == "stdout":
        stdout = os.open(script.pop(0)[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)

    def own_terminal():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    # exec: the program itself is the child, so that stops and signals are its own.
    child = subprocess.Popen(["sh", "-c", "exec " + open(sys.argv[2]).read()],
                             stdin=slave, stdout=stdout, stderr=slave, preexec_fn=own_terminal, close_fds=True)
    seen, fresh, failed, within = b"", b"", 0, LIMIT

    def pump(seconds):
        nonlocal seen, fresh
        if not select.select([master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(master, 65536)
        except OSError:
            return False
        seen += data
        fresh += data
        return bool(data)

    def expect(text):
        nonlocal fresh, failed
        end = time.monotonic() + within
        needle = text.encode()
        while needle not in fresh.replace(b"\r", b""):
            left = end - time.monotonic()
            if left <= 0 or (not pump(min(left, 0.2)) and child.poll() is not None and needle not in fresh.replace(b"\r", b"")):
                say(f"'{text}' did not appear within {within:.1f} s; there was: {fresh[-400:]!r}")
                failed = 1
                return
        fresh = fresh.replace(b"\r", b"").partition(needle)[2]

    keys = {"Tab": b"\t", "C-c": b"\x03", "C-d": b"\x04", "C-z": b"\x1a"}
    for word, rest in script:
        if failed:
            break
        if word == "expect":
            expect(rest)
            within = LIMIT
        elif word == "send":
            os.write(master, rest.encode() + b"\r")
        elif word == "type":
            os.write(master, rest.encode())
        elif word == "key":
            os.write(master, keys[rest])
        elif word == "within":
            within = int(rest) / 1000
        elif word == "signal":
            os.kill(child.pid, getattr(signal, "SIG" + rest))
        elif word == "resume":
            os.waitpid(child.pid, os.WUNTRACED)
            if termios.tcgetattr(slave)[3] != before[3]:
                say("a stopped program left the terminal changed")
                failed = 1
            os.kill(child.pid, signal.SIGCONT)
        else:
            say(f"no such word: {word}")
            failed = 1
    end = time.monotonic() + LIMIT
    while child.poll() is None and time.monotonic() < end and not failed:
        pump(0.1)
    while pump(0.05):
        pass
    if child.poll() is None:
        if not failed:
            say("it did not end")
        child.kill()
        failed = 1
    child.wait()
    after = termios.tcgetattr(slave)
    if after[3] != before[3] or after[0] != before[0]:
        say("the terminal was left changed")
        failed = 1
    sys.stdout.write(re.sub(r"\r", "", seen.decode(errors="replace")))
    sys.exit(99 if failed else child.returncode if child.returncode >= 0 else 128 - child.returncode)


main()
