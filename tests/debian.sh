#!/bin/sh
# Installs what the tests need beside Python: Chromium, for the pages, and Java 17, for Spark.
set -eu
if ! command -v apt-get >/dev/null; then
    echo "The tests need chromium and java (17 or later); install them with your system's own tools." >&2
    exit 1
fi
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    chromium fonts-dejavu-core openjdk-17-jre-headless >/dev/null
