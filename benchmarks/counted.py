"""Run a command of itp-response and print, as JSON, what it did: counts that are alike on every run, as times are not.

Called as `python benchmarks/counted.py ARGUMENTS`: `modules` is how many were imported, `calls` how many functions in
Python were called, `megabytes` the most that Python's own allocations and numpy's held.
"""

import json
import os
import sys
import threading
import tracemalloc
from collections import Counter

before = len(sys.modules)
counts: Counter[str] = Counter()


def count(_frame, event, _argument):
    counts[event] += 1


tracemalloc.start()
threading.setprofile(count)
sys.setprofile(count)
try:
    from itp_response.cli import main

    main(args=sys.argv[1:], standalone_mode=False)
finally:
    sys.setprofile(None)
megabytes = tracemalloc.get_traced_memory()[1] / 1e6
print(json.dumps({"modules": len(sys.modules) - before, "calls": counts["call"], "megabytes": megabytes}))
# What a thread still hashes is not waited for.
sys.stdout.flush()
os._exit(0)
