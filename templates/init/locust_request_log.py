"""A request log of a Locust run, for loadgate. Locust 2.x, Python 3.9 or newer; nothing else is needed.

    locust -f locust_request_log.py,locustfile.py --headless ...

or `import locust_request_log` in the locustfile: the way for a Locust too old for a list. Every process writes a file of
its own into the folder: `requests.jsonl`, or `requests-worker-N.jsonl` for each worker. When a test starts, files of these names from an earlier
run are removed: one folder holds one run. A worker on another machine writes there; bring its file along.

Environment:
    LOADGATE_LOG         the folder, `results` if not set; empty for no log
    LOADGATE_MEMORY_PID  a process of the system under test on this machine; its memory is logged as `memory_mb`

Numbers of your own become measured fields, which gates can limit (`max(api_calls) <= 2`). Give them with the request:

    self.client.post(url, json=body, context={"rows": len(rows)})

or, when only the response tells:

    with self.client.post(url, json=body, catch_response=True) as response:
        response.request_meta["context"]["api_calls"] = response.json()["api_calls"]

or by a response header, below.
"""

import atexit
import json
import math
import os
import pathlib
import time

import gevent
from locust import events
from locust.runners import MasterRunner, WorkerRunner

try:
    import psutil
except ImportError:  # memory is then not sampled, and gates on it are undecided
    psutil = None

FOLDER = os.environ.get("LOADGATE_LOG", "results")
# Response header -> measured field.
HEADERS = {"X-Api-Calls": "api_calls"}
# Seconds between two looks at the memory, and between two flushes: a killed process loses this much at most.
EVERY_S = 1.0

# Keys of a line that are no measured fields.
TAKEN = frozenset(
    "timestamp method name response_time_ms status success error response_length users".split()
)


class RequestLog:
    """One file of JSON lines."""

    def __init__(self, path, runner):
        path.parent.mkdir(parents=True, exist_ok=True)
        # One large write for many lines; `flush` sees to it that they are not kept for long.
        self.file = open(path, "w", buffering=1 << 18, encoding="utf-8")
        # A worker knows only its own users: Locust's history then tells how many there were.
        self.runner = None if isinstance(runner, WorkerRunner) else runner
        self.quoted = {}
        self.processes = watched()
        self.flusher = gevent.spawn(self.keep_flushing)

    def quote(self, text):
        """JSON of a text that comes again and again."""
        quoted = self.quoted.get(text)
        if quoted is None:
            quoted = json.dumps(text)
            if len(self.quoted) < 10_000:
                self.quoted[text] = quoted
        return quoted

    def request(self, request_type, name, response_time, response_length, response=None, context=None,
                exception=None, start_time=None, **_):
        # A request without a response time counts as one; its time is not known, and so is not 0.
        took_ms = "null" if response_time is None else f"{response_time:.3f}"
        start = start_time if start_time is not None else time.time() - (response_time or 0.0) / 1000
        status = getattr(response, "status_code", None) or "null"
        error = "null"
        if exception is not None:
            error = json.dumps(f"{exception}" or type(exception).__name__)
        parts = [
            f'{{"timestamp":{start:.6f},"method":{self.quote(request_type)},"name":{self.quote(name)},'
            f'"response_time_ms":{took_ms},"status":{status},'
            f'"success":{"true" if exception is None else "false"},"error":{error},'
            f'"response_length":{response_length or 0}'
        ]
        if self.runner is not None:
            parts.append(f',"users":{self.runner.user_count}')
        headers = getattr(response, "headers", None)
        if headers is not None:
            for header, field in HEADERS.items():
                value = headers.get(header)
                if value is not None:
                    parts.append(self.field(field, value))
        if context:
            for field, value in context.items():
                if field not in TAKEN:
                    parts.append(self.field(field, value))
        parts.append("}\n")
        self.file.write("".join(parts))

    def field(self, name, value):
        """A number; anything else is left out."""
        if isinstance(value, str):
            try:
                value = int(value) if value.isdecimal() else float(value)
            except ValueError:
                return ""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return ""
        return f",{self.quote(str(name))}:{value!r}"

    def sample(self):
        """Memory, in a line that is no request."""
        for field, process in self.processes:
            try:
                memory = process.memory_info().rss
            except psutil.Error:
                continue  # it ended; its last value stands
            self.file.write(f'{{"timestamp":{time.time():.6f},"{field}":{memory / 1e6:.3f}}}\n')

    def keep_flushing(self):
        while not self.file.closed:
            self.sample()
            self.file.flush()
            gevent.sleep(EVERY_S)

    def close(self):
        if not self.file.closed:
            self.sample()
            self.file.close()
        self.flusher.kill(block=False)


def watched():
    """Field -> process, for memory samples."""
    if psutil is None:
        return []
    processes = [("generator_memory_mb", psutil.Process())]
    pid = os.environ.get("LOADGATE_MEMORY_PID")
    if pid:
        processes.append(("memory_mb", psutil.Process(int(pid))))
    return processes


def worker_number(runner):
    """The worker's number; an older Locust has only a random id."""
    return getattr(runner, "worker_index", runner.client_id)


class Recorder:
    """Opens a log when a test starts, and closes it at its end."""

    def __init__(self):
        self.log = None

    def start(self, environment, **_):
        runner = environment.runner
        self.stop()
        if not FOLDER:
            return
        folder = pathlib.Path(FOLDER)
        if isinstance(runner, WorkerRunner):
            self.log = RequestLog(folder / f"requests-worker-{worker_number(runner)}.jsonl", runner)
            return
        # What an earlier run left: it may have had more workers than this one. Workers start after their master.
        for old in [folder / "requests.jsonl", *folder.glob("requests-worker-*.jsonl")]:
            old.unlink(missing_ok=True)
        if not isinstance(runner, MasterRunner):  # a master makes no requests
            self.log = RequestLog(folder / "requests.jsonl", runner)

    def request(self, **event):
        if self.log is not None and not self.log.file.closed:
            self.log.request(**event)

    def stop(self, **_):
        if self.log is not None:
            self.log.close()


if FOLDER:
    # Already now: an older Locust does not make the folder that `--csv` names.
    pathlib.Path(FOLDER).mkdir(parents=True, exist_ok=True)
RECORDER = Recorder()
events.test_start.add_listener(RECORDER.start)
events.request.add_listener(RECORDER.request)
events.quitting.add_listener(RECORDER.stop)
atexit.register(RECORDER.stop)
