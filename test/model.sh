#!/bin/sh
# Checks the claims about the protocol, docs/model.md, with Maude. Minutes; the same result in every run.
#
#   sh test/model.sh [NAME...]        all claims of test/model/claims.table, or those named
#   sh test/model.sh --write          also writes the attacks to test/model/traces.json, which test/hostile replays
#
# Ends with "model: N claims, N failed", and with a status other than 0 when one failed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
command -v maude >/dev/null || sh "$here/deps.sh" all
exec /usr/bin/python3 -B "$here/model/check.py" "$@"
