"""A shell with job control for one job, in a terminal of its own: what tests of the terminal need.

Reads one JSON request a line on standard input, and answers each with one JSON line.
"""

import fcntl
import json
import os
import pty
import select
import signal
import sys
import termios
import time

PATIENCE = 20

os.setsid()
# A shell takes the terminal back from the background.
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
seen = b""
job = None


def start(command, foreground):
    global job
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        if foreground:
            os.tcsetpgrp(slave, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        os.execvp(command[0], command)
    # Whoever comes first, as shells do it.
    try:
        os.setpgid(job, job)
    except OSError:
        pass
    if foreground:
        os.tcsetpgrp(slave, job)


def type_keys(text):
    os.write(master, text.encode())


def see(text):
    """Waits for output, and gives what came up to its end."""
    global seen
    end = time.monotonic() + PATIENCE
    while text.encode() not in seen:
        if not select.select([master], [], [], max(0, end - time.monotonic()))[0]:
            raise TimeoutError(f"{text!r} did not come: {seen!r}")
        seen += os.read(master, 65536)
    before, _, seen = seen.partition(text.encode())
    return before.decode() + text


def state():
    """How the job is: running, stopped by which signal, or ended with which code."""
    pid, status = os.waitpid(job, os.WNOHANG | os.WUNTRACED)
    if pid == 0:
        return "running"
    os.tcsetpgrp(slave, os.getpgrp())
    if os.WIFSTOPPED(status):
        return "stopped by " + signal.Signals(os.WSTOPSIG(status)).name
    if os.WIFSIGNALED(status):
        return "killed by " + signal.Signals(os.WTERMSIG(status)).name
    return f"ended with {os.WEXITSTATUS(status)}"


def change():
    """Waits for the job to stop or to end."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        how = state()
        if how != "running":
            return how
        time.sleep(0.01)
    raise TimeoutError("the job runs on")


def to_front():
    os.tcsetpgrp(slave, job)


def resume():
    os.killpg(job, signal.SIGCONT)


def kill(name):
    os.killpg(job, getattr(signal, name))


def lines():
    """Whether the terminal is as a shell needs it: it echoes, and gives whole lines."""
    local = termios.tcgetattr(slave)[3]
    return bool(local & termios.ECHO and local & termios.ICANON)


def reads_keys():
    """Waits until the job has set the terminal to single keys."""
    end = time.monotonic() + PATIENCE
    while lines():
        if time.monotonic() > end:
            raise TimeoutError("the job does not read keys")
        time.sleep(0.01)


ACTIONS = {
    action.__name__: action
    for action in (start, type_keys, see, state, change, to_front, resume, kill, lines, reads_keys)
}

try:
    for line in sys.stdin:
        action, *args = json.loads(line)
        try:
            answer = {"result": ACTIONS[action](*args)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
finally:
    if job is not None:
        try:
            os.killpg(job, signal.SIGKILL)
        except OSError:
            pass
