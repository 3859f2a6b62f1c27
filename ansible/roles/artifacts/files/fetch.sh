#!/bin/sh
# Fetches what FOLDER names, and packs it into one archive. In FOLDER:
#   pom.xml, SHA256SUMS  jars by coordinates, and what each must be; packed programs among them are unpacked
#   keep                 of those, the paths to unpack; all without it
#   requirements.lock    Python packages with their checksums, into python/
#   prepare.sh           what is to be done with them before they are packed
# Usage: fetch.sh FOLDER ARCHIVE PYTHON
set -eu
folder=$1 archive=$2 python=$3

fetch_jars() {
    command -v mvn >/dev/null || { echo "Maven is not on the control node. On Debian 12: apt-get install maven" >&2; exit 1; }
    mvn -q -B -ntp -f "$folder/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/lib" >&2
    (cd "$work/lib" && sha256sum --quiet --strict --check) <"$folder/SHA256SUMS"
    # A jar without a checksum is one that nobody looked at.
    test "$(ls "$work/lib" | wc -l)" -eq "$(wc -l <"$folder/SHA256SUMS")" || { echo "SHA256SUMS does not name every jar" >&2; exit 1; }
    # Programs that are published as an archive of their own bring their jars in lib/, too.
    kept=""
    [ ! -e "$folder/keep" ] || kept="--wildcards --files-from=$folder/keep"
    for packed in "$work"/lib/*.tar.gz; do
        [ ! -e "$packed" ] || { tar -C "$work/all" --strip-components=1 --no-same-owner -xzf "$packed" $kept && rm "$packed"; }
    done
    mkdir -p "$work/all/lib"
    mv "$work"/lib/* "$work/all/lib/"
}

fetch_packages() {
    "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "The hosts have Python 3.11, $python is another." >&2; exit 1; }
    "$python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes --use-pep517 \
        --target "$work/all/python" -r "$folder/requirements.lock" >&2
}

mkdir -p "$(dirname "$archive")"
work=$(mktemp -d "$archive.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/all"
[ ! -e "$folder/pom.xml" ] || fetch_jars
[ ! -e "$folder/requirements.lock" ] || fetch_packages
[ ! -e "$folder/prepare.sh" ] || sh "$folder/prepare.sh" "$work/all" >&2
touch "$work/all/zz-complete"
chmod -R u=rwX,go=rX "$work/all"
tar -C "$work/all" --sort=name --owner=0 --group=0 -cf "$work/archive" .
mv "$work/archive" "$archive"
