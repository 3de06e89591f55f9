# Runs one program and ends it with its parent. Knows nothing of what the program does; the standard library only.
"""A process between Pipekit and a program that would not notice that Pipekit has died.

The first line of its stdin is JSON: `argv` and `cwd`; so nothing of it shows in this process's own command line. When
stdin closes, the whole process group is killed. Its exit code is the program's, 128 + N after signal N.
"""

import json
import os
import signal
import sys
import threading


def _end_with_parent() -> None:
    """Runs in a thread of its own: nobody writes after the first line, so an answer means that stdin is closed."""
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> None:
    """Runs the program."""
    request = json.loads(sys.stdin.buffer.readline())
    nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    try:
        os.chdir(request["cwd"])
        pid = os.posix_spawnp(request["argv"][0], request["argv"], os.environ, file_actions=[nothing])
    except OSError as error:
        sys.stderr.write(f"{request['argv'][0]} cannot be started: {error.strerror}.\n")
        sys.stderr.flush()
        os._exit(127)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os._exit(128 - code if code < 0 else code)


if __name__ == "__main__":
    main()
