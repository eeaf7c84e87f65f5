"""Run a command and print, as JSON, the seconds it took, the most megabytes it held, and how it ended.

A process of its own, and a small one: a child's memory is never counted as less than its parent's was.
"""

import json
import os
import subprocess
import sys
import time

begun = time.perf_counter()
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - begun
print(json.dumps({"seconds": seconds, "megabytes": usage.ru_maxrss / 1024, "status": status}))
