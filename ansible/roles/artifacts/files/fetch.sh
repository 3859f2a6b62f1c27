#!/bin/sh
# Fetches the jars that a pom.xml leads to, holds each against SHA256SUMS, and packs them into one archive.
# Usage: fetch.sh FOLDER ARCHIVE   (FOLDER has pom.xml and SHA256SUMS)
set -eu
folder=$1 archive=$2
command -v mvn >/dev/null || { echo "Maven is not on the control node. On Debian 12: apt-get install maven" >&2; exit 1; }
mkdir -p "$(dirname "$archive")"
work=$(mktemp -d "$archive.XXXXXX")
trap 'rm -rf "$work"' EXIT
mvn -q -B -ntp -f "$folder/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/lib" >&2
(cd "$work/lib" && sha256sum --quiet --strict --check) <"$folder/SHA256SUMS"
# A jar without a checksum is one that nobody looked at.
test "$(ls "$work/lib" | wc -l)" -eq "$(wc -l <"$folder/SHA256SUMS")" || { echo "SHA256SUMS does not name every jar" >&2; exit 1; }
# Programs that are published as an archive of their own bring their jars in lib/, too.
mkdir "$work/all"
for packed in "$work"/lib/*.tar.gz; do
    [ ! -e "$packed" ] || { tar -C "$work/all" --strip-components=1 --no-same-owner -xzf "$packed" && rm "$packed"; }
done
mkdir -p "$work/all/lib" && mv "$work"/lib/* "$work/all/lib/"
touch "$work/all/zz-complete"
chmod -R u=rwX,go=rX "$work/all"
tar -C "$work/all" --sort=name --owner=0 --group=0 -cf "$work/archive" .
mv "$work/archive" "$archive"
