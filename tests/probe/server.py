"""The cloud that is asked: `outgrow cloud`, started for the questions and ended after them."""

import json
import subprocess
import tempfile


class Server:
    """A running cloud; `with` ends it."""

    def __init__(self, program):
        self.home = tempfile.TemporaryDirectory(prefix="outgrow-probe-")
        self.process = subprocess.Popen(
            [program, "cloud", "--listen", "127.0.0.1:0", "--dir", self.home.name, "--json"],
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{program} cloud did not start (exit code {self.process.wait()})")
        self.ready = json.loads(line)

    def __enter__(self):
        return self.ready

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.home.cleanup()
