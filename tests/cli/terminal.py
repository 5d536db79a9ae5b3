#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""terminal.py COLUMNS COMMAND...: run it on a terminal of its own, of that width.

What it wrote, byte by byte, goes to the file `raw`, what a person sees in the end to `screen`, and
what stood in the line of the cursor whenever that was drawn anew, one a line, to `live`. What comes
on standard input is typed, and then goes to `terminal.typed`. The exit status is the command's; its process
id is in `terminal.pid`.
"""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import unicodedata


def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


class Screen:
    """As much of a terminal as is needed: printing, CR, LF, erasing to the end, colours."""

    def __init__(self, columns):
        self.columns, self.lines, self.at, self.live = columns, [[]], 0, []

    def put(self, char):
        columns = width(char)
        if self.at + columns > self.columns:  # it wraps
            self.lines.append([])
            self.at = 0
        line = self.lines[-1]
        line.extend(" " * (self.at + columns - len(line)))
        line[self.at:self.at + columns] = [char] + [""] * (columns - 1)
        self.at += columns

    def feed(self, text):
        for part in re.findall(r"\x1b\[[0-9;]*[A-Za-z]|.", text, re.S):
            if part == "\r":
                if self.at:
                    self.live.append("".join(self.lines[-1]).rstrip())
                self.at = 0
            elif part == "\n":
                self.lines.append([])
            elif part == "\x1b[K":
                del self.lines[-1][self.at:]
            elif part.endswith("m") and len(part) > 1 or part == "\a":
                pass
            elif part[0] < " ":
                raise ValueError("what does %r do?" % part)
            else:
                self.put(part)

    def text(self):
        return "\n".join("".join(line).rstrip() for line in self.lines)


def main():
    columns = int(sys.argv[1])
    pid, master = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.execvp(sys.argv[2], sys.argv[2:])
    with open("terminal.pid", "w") as f:
        print(pid, file=f)
    raw, ears = b"", [master, 0]
    while True:
        ready = select.select(ears, [], [])[0]
        if 0 in ready:
            typed = os.read(0, 100)
            if typed:
                os.write(master, typed)
                with open("terminal.typed", "ab") as f:
                    f.write(typed)
            else:
                ears.remove(0)
        if master in ready:
            try:
                got = os.read(master, 65536)
            except OSError:  # the last one has closed it
                break
            raw += got
            with open("raw", "wb") as f:
                f.write(raw)
    status = os.waitpid(pid, 0)[1]
    screen = Screen(columns)
    screen.feed(raw.decode())
    with open("screen", "w") as f:
        print(screen.text().rstrip("\n"), file=f)
    with open("live", "w") as f:
        f.writelines(line + "\n" for line in screen.live)
    return os.waitstatus_to_exitcode(status)


sys.exit(main())
