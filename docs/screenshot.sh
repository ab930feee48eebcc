#!/bin/sh
# Makes docs/demo.png: the page of `review-bridge demo`, right after Slack had a bad moment.
# Needs curl, Chromium (CHROMIUM names another one) and a font with emoji (fonts-noto-color-emoji).
set -eu
cd "$(dirname "$0")/.."
program=${1:-target/debug/review-bridge}
[ -x "$program" ] || cargo build
scratch=$(mktemp -d)
: >"$scratch/out"
"$program" demo --listen 127.0.0.1:0 >"$scratch/out" &
demo=$!
trap 'kill "$demo" 2>/dev/null || true; rm -rf "$scratch"' EXIT

url=
while [ -z "$url" ]; do
    kill -0 "$demo"
    url=$(sed -n 's/^Open //p' "$scratch/out")
    sleep 0.1
done
# The moment to take: Slack refused some messages, works again, and not all were repeated yet.
until curl -fs "$url/feed?after=1000000" >"$scratch/feed" &&
    grep -q '"refused":[1-9]' "$scratch/feed" && grep -q '"out_until":null' "$scratch/feed"; do
    sleep 0.2
done
"${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars \
    --disable-background-networking --disable-component-update --disable-sync --user-data-dir="$scratch/chromium" \
    --window-size=1280,1340 --virtual-time-budget=3000 --screenshot="$scratch/demo.png" "$url" 2>"$scratch/chromium.log" ||
    { cat "$scratch/chromium.log" >&2; exit 1; }
bytes=$(wc -c <"$scratch/demo.png")
[ "$bytes" -le 409600 ] || { echo "the picture is too large for a README: $bytes bytes" >&2; exit 1; }
mv "$scratch/demo.png" docs/demo.png
echo "docs/demo.png: $bytes bytes"
