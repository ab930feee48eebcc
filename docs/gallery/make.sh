#!/usr/bin/env bash
# Makes docs/gallery.md and its pictures: what every kind of destination shows, drawn by Chromium. `just gallery` runs
# it. Needs Chromium (CHROMIUM names another one), npm, pngquant, and the fonts of the pictures: `apt-get install
# chromium nodejs npm pngquant fonts-noto-core fonts-noto-color-emoji fonts-dejavu-core`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
largest_picture=122880
largest_gallery=1572864

folder=target/gallery
rm -rf "$folder"
mkdir -p "$folder"
tests/oracles/web/install
cargo run --quiet --locked --example gallery -- "$folder"

# A page in Chromium, with what its window needs; nothing of it depends on this machine's settings.
browse() {
  TZ=Europe/Amsterdam LC_ALL=C.UTF-8 "${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars \
    --no-first-run --disable-background-networking --disable-component-update --disable-sync --lang=en-GB \
    --force-device-scale-factor=1 --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir="$folder/chromium" "$@" \
    2>"$folder/chromium.log" || { cat "$folder/chromium.log" >&2; return 1; }
}

page="file://$PWD/$folder/gallery.html"
browse --window-size=800,600 --dump-dom "$page" >"$folder/drawn.html"
sizes=$(sed -n '/<pre[^>]*id="sizes"/,/<\/pre>/p' "$folder/drawn.html" | sed 's/<[^>]*>//g; /^$/d')
[[ -n $sizes ]] || { echo "the page drew nothing: see $folder/drawn.html" >&2; exit 1; }

# Those of a kind that is gone must not stay.
rm -f docs/gallery/*.png
while read -r name width height; do
  browse --window-size="$width,$height" --screenshot="$folder/$name.png" "$page#$name"
  pngquant --force --strip --speed 1 --output "docs/gallery/$name.png" 64 "$folder/$name.png"
  bytes=$(wc -c <"docs/gallery/$name.png")
  echo "docs/gallery/$name.png: $width x $height, $bytes bytes"
  ((bytes <= largest_picture)) || { echo "that is too large for a document" >&2; exit 1; }
done <<<"$sizes"
bytes=$(cat docs/gallery/*.png | wc -c)
((bytes <= largest_gallery)) || { echo "the gallery is too large: $bytes bytes" >&2; exit 1; }
cp "$folder/gallery.md" docs/gallery.md
echo "docs/gallery.md: $(wc -l <<<"$sizes") pictures, $bytes bytes"
