#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Makes a golden home: make.sh PLUMB OUTPUT.tar.gz. README.md says what it is for. Names of packs and times are
# others in each run, the kits and their digests are not.
set -euo pipefail
plumb=$(realpath "$1")
output=$(realpath "$2")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
export PLUMB_HOME=$scratch/home LC_ALL=C.UTF-8
unset PLUMB_CONFIG XDG_CONFIG_HOME XDG_DATA_HOME
export HOME=$scratch

kibibytes() { yes "$2" 2>/dev/null | head -c $(($1 << 10)) || true; }
mebibytes() { kibibytes $(($1 << 10)) "$2"; }
noise() {
    head -c "$2" /dev/zero | openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$1")" -iv "$(printf '%032x' 0)"
}
step() { "$plumb" "$@" >/dev/null 2>said || { cat said >&2; exit 1; }; }

# Pieces of 4 MiB that zstd makes small, one that is kept as it is, and what is too small for a piece.
mkdir base && cd base
{ mebibytes 4 'weights of the base, first piece'; mebibytes 4 'weights of the base, second piece'
  mebibytes 1 'weights of the base, last piece'; } >w.bin
{ noise 1 $((41 << 10)); kibibytes 25 'too little to be worth it'; } >data.bin
echo 'The base.' >README.md
printf '%s\n' 'manifestVersion: 1.0.0' 'package: {name: base}' 'model: {path: w.bin}' \
    'datasets: [{name: noise, path: data.bin}]' 'docs: [{path: README.md}]' >Kitfile
step build . -t base:v1 -m 'the first'
cd ..

# A fine-tune: one piece of three is another.
cp -r base tuned && cd tuned
{ mebibytes 4 'weights of the base, first piece'; mebibytes 4 'weights that were tuned, second piece'
  mebibytes 1 'weights of the base, last piece'; } >w.bin
sed -i 's/name: base/name: tuned/' Kitfile
step build . -t tuned:v1 -m 'tuned on noise'
# And one with no tag, its files as they are.
mebibytes 5 'weights that nobody liked' >w.bin
echo small >data.bin
step build . --layer-format raw
cd ..

# A kit on a base, compressed.
mkdir based && cd based
mebibytes 1 'a text that gzip makes small' >notes.txt
printf '%s\n' 'manifestVersion: 1.0.0' 'package: {name: based}' 'model: {path: "base:v1"}' \
    'docs: [{path: notes.txt}]' >Kitfile
step build . -t based:v1 -t team/based:latest --compression gzip
cd ..

# Tags that came, moved and went, and a kit that was removed.
step tag base:v1 base:stable
step tag tuned:v1 base:stable
step tag tuned:v1 gone:v1
step remove gone:v1
sed -i 's/The base/The doomed/' base/README.md
step build base -t doomed:v1
step remove --force doomed:v1

# Noise that nobody needs is no part of it.
rm -f home/store/reserve
tar --sort=name --owner=0 --group=0 --numeric-owner -cf - home | gzip -9n >"$output"
