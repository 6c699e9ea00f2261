#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# Installs the package, uses it, and removes it, in a Debian that has nothing else: try.sh PACKAGE
# Runs as root in there (scripts/package --try), beside a copy of examples/tinylm.
set -euo pipefail
package=$1
here=$(dirname "$0")

step() { echo "  $*"; }
fail() { echo "Package: $*" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
# As somebody who is not root, and whose home is new.
mkdir /home/somebody
chown 1000:1000 /home/somebody
as_somebody() {
  (cd /home/somebody && setpriv --reuid=1000 --regid=1000 --clear-groups env HOME=/home/somebody "$@")
}
plumb() { as_somebody plumb "$@"; }

step "installs, and apt finds all it depends on"
apt-get update -qq
apt-get install -qq -y --no-install-recommends "$package" >/var/log/install.log 2>&1 ||
  { cat /var/log/install.log; fail "apt cannot install it"; }
files=$(dpkg -L plumb)

step "says its version, helps, has its pages of the manual and its completions"
[ "$(plumb version | head -1)" = "Version: $(dpkg-query -W -f '${source:Upstream-Version}' plumb)" ] ||
  fail "'plumb version' is not the version of the package"
verbs=$(plumb help --json | sed -n 's/^ *"\(name\|alias\)": "\([a-z]*\)",$/\2/p')
[ "$(wc -w <<<"$verbs")" -gt 15 ] || fail "only these verbs: $verbs"
for verb in "" $verbs; do
  page=/usr/share/man/man1/plumb${verb:+-$verb}.1.gz
  cmp <(gzip -dc "$page") <(plumb help --man ${verb:+"$verb"}) || fail "$page is not what plumb says"
done
cmp /usr/share/zsh/vendor-completions/_plumb <(plumb completion zsh)
cmp /usr/share/fish/vendor_completions.d/plumb.fish <(plumb completion fish)
offered=$(bash --norc -c '
  source /usr/share/bash-completion/completions/plumb
  COMP_LINE="plumb unp" COMP_POINT=9 && "$(complete -p plumb | sed "s/.*-F \([^ ]*\).*/\1/")"
  echo "${COMPREPLY[*]}"')
[ "$offered" = unpack ] || fail "bash offers '$offered' for 'unp'"
for file in copyright changelog.Debian.gz THIRD-PARTY-NOTICES plumb.spdx.json docs/cli.md; do
  [ -s "/usr/share/doc/plumb/$file" ] || fail "$file is missing"
done

step "builds, unpacks, pushes to and pulls from a directory"
cp -r "$here/tinylm" /home/somebody/tinylm
chown -R 1000:1000 /home/somebody/tinylm
plumb build --quiet tinylm -t tinylm:v1 >/dev/null
plumb push tinylm:v1 oci:stick:v1 >/dev/null
as_somebody env PLUMB_HOME=/home/somebody/second plumb pull oci:stick:v1 tinylm:v1 >/dev/null
as_somebody env PLUMB_HOME=/home/somebody/second plumb unpack tinylm:v1 -d out >/dev/null
for file in base-f16.gguf adapter-lora.gguf tokenizer.model README.md; do
  cmp "$here/tinylm/$file" "/home/somebody/out/$file" || fail "$file came back changed"
done

step "without libcurl says what to install, and with it speaks to registries"
code=0
plumb push tinylm:v1 127.0.0.1:1/tinylm:v1 --plain-http >/home/somebody/said 2>&1 || code=$?
[ "$code" = 9 ] && grep -q 'apt install libcurl4' /home/somebody/said || fail "no libcurl: $code, $(cat /home/somebody/said)"
apt-get install -qq -y --no-install-recommends libcurl4 >/var/log/install.log 2>&1 ||
  { cat /var/log/install.log; fail "apt cannot install libcurl4"; }
code=0
plumb push tinylm:v1 127.0.0.1:1/tinylm:v1 --plain-http >/home/somebody/said 2>&1 || code=$?
[ "$code" = 7 ] || fail "a registry that is not there: $code, $(cat /home/somebody/said)"

step "is removed, and leaves nothing but what its user made"
kits=$(cd /home/somebody && find . -type f | sort | xargs sha256sum)
apt-get purge -qq -y plumb >/var/log/install.log 2>&1 || { cat /var/log/install.log; fail "apt cannot remove it"; }
for file in $files; do
  [ -d "$file" ] || [ ! -e "$file" ] || fail "$file is still there"
done
left=$(find / -xdev -iname '*plumb*' -not -path '/home/somebody/*' -not -path "$here/*" -not -path '/proc/*')
[ -z "$left" ] || fail "it left $left"
[ "$kits" = "$(cd /home/somebody && find . -type f | sort | xargs sha256sum)" ] || fail "its user's kits are not as they were"
echo "The package installs, works and goes."
