#!/usr/bin/env bash
# Re-resolve every lock file. No registry host is recorded: --no-emit-index-url.
set -euo pipefail
cd "$(dirname "$0")"
uv=${UV:-uv}
lock() {
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --custom-compile-command 'make lock' --override overrides.txt "$1.in" -o "$1.txt"
}
for name in runtime tensorflow convert dev browser tools checks ../functions/jobs/requirements; do lock "$name"; done
