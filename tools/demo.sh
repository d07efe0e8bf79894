#!/usr/bin/env bash
# Runs the sample campaign in a copy of the workspace, so that the repository stays clean and every demo starts fresh.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1 as_of=$2
rm -rf "$folder"
mkdir -p "$folder"
cp -r ccm.yaml brands templates campaigns data "$folder"/
# A production run takes approved releases only: freeze what the campaign's messages are made of, then approve it.
.venv/bin/ccm release monthly-statement --workspace "$folder" --by author
.venv/bin/ccm approve monthly-statement@1.0.0 --workspace "$folder" --by approver
status=0
.venv/bin/ccm run october-statement --workspace "$folder" --as-of "$as_of" || status=$?
# 1 means that some recipients are held, as the sample data wants it: their rows are wrong on purpose.
[ "$status" -le 1 ] || exit "$status"
printf '\nWhat was sent:   %s\n' "$folder/outbox"
printf 'What is kept:    %s\n' "$folder/archive"
printf 'Run it again and nothing is sent twice:\n  .venv/bin/ccm run october-statement -w %s --as-of %s\n' "$folder" "$as_of"
printf 'See any customer on every channel:\n  .venv/bin/ccm preview october-statement -w %s --customer C-1001 --open\n' "$folder"
