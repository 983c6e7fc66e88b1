#!/bin/sh
# What no git would push, but anybody can who may push: names that are none,
# refs that are said to be elsewhere, options for what git turns away.

. "$(dirname "$0")/../lib.sh"

zero=0000000000000000000000000000000000000000

# raw [-o OPTION]... 'OLD NEW REF'...
raw() {
	run perl "$here/tool/raw-push.pl" "$repo" "$work" "$@"
	check_invariants "after raw $*"
}

make_site
config <<EOF
[action wipe]
phase = build
directive = wipe
run = touch $T/wiped
EOF
push_file index.html one "first"
one=$(head_of)

# A name that leads to another file, of which git would hold a lock.
mkdir -p "$root/shared"
echo precious > "$root/shared/composer.lock"
touch -d '1 hour ago' "$root/shared/composer.lock" \
    "$repo/slipway/production.lock"
for name in "$(realpath --relative-to="$repo/refs" "$root/shared/composer")" \
    ../slipway/production heads/x/../../../slipway/production; do
	raw "$zero $one refs/$name"
	like "$name is no name" "$out$err" 'is no name for a ref; push to refs'
	ok "a file beside the site stays" test -e "$root/shared/composer.lock"
	ok "and one of Slipway" test -e "$repo/slipway/production.lock"
done
raw "$zero $one HEAD.lock"
like "nor is HEAD.lock" "$out$err" 'HEAD.lock is no name for a ref'
done_testing
