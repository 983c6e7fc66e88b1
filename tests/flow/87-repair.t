#!/bin/sh
# What is put right in folders that commands made read-only or private, and in
# those of somebody else.

. "$(dirname "$0")/../lib.sh"
. "$here/nobody.sh"
strace -f -o "$T/trace" -e trace=mkdirat true > /dev/null 2>&1 ||
    skip_all "strace cannot trace here"

look() {
	stat -c %a "$root/current/$1"
}

# edit RELEASE: all that can be done to a read-only folder.
edit() {
	echo edited > "$1/ro/file"
	rm -r "$1/ro/sub"
	mkdir "$1/ro/new"
	echo added > "$1/ro/new/file"
	rm "$1/ro/other"
	mkdir "$1/ro/other"
	echo edited > "$1/ro/kept"
	chown -R nobody "$1/ro"
}

make_site
config <<'EOF_CONFIG'
[action close]
phase = build
run = chmod 555 ro ro/sub && chmod 700 private
EOF_CONFIG
for name in ro/file ro/other ro/kept ro/sub/file private/in/file st/file; do
	put "$name" "$name"
done
chmod 711 "$T"
chown -R nobody "$repo" "$root" "$work"
push_as_nobody one
is_exit "a release with folders that may not be written" 0
one=$(current)

edit "$root/current"
drift --repair
is_exit "what was done in a read-only folder is put right" 0
unlike "with no complaint" "$err" 'denied|stays'
is "the edit" "$(live_file ro/file)" ro/file
is "the folder in the place of a file" "$(live_file ro/other)" ro/other
is "what was removed" "$(live_file ro/sub/file)" ro/sub/file
not_ok "what was added" test -e "$root/current/ro/new"
is "and the folders are as they were" "$(look ro) $(look ro/sub)" "555 555"
drift
is_exit "it is what was deployed" 0

push_as_nobody two
edit "$root/releases/$one"
rollback
is_exit "a rollback to one with such edits" 0
is "is one" "$(current)" "$one"
is "put right" "$(live_file ro/file) $(live_file ro/sub/file)" \
    "ro/file ro/sub/file"
is "with folders as they were" "$(look ro) $(look ro/sub)" "555 555"

# The way to a file of a private folder is open to nobody else.
rm -r "$root/current/private"
chown nobody "$T/trace"
as_nobody strace -f -y -e trace=mkdir,mkdirat -o "$T/trace" \
    "$slipway" drift -C "$repo" --repair
is_exit "a private folder that is gone is put right" 0
is "made" "$(sed -n 's/.*\/releases\/.*"private", \([0-7]*\)) *= 0$/\1/p' "$T/trace" |
    sort -u)" 0700
is "as it was" "$(look private) $(look private/in)" "700 755"

# The top of a release is a folder as any.
echo edited > "$root/current/index.html"
chmod 555 "$root/current/"
drift --repair
is_exit "a release that is read-only as a whole is put right" 0
is "with what is in it" "$(live_file index.html) $(look .)" "one 755"

# In a sticky folder one may change what is one's own.
sticky=$root/current/st
chown root "$sticky" "$sticky/file"
chmod 1777 "$sticky"
echo edited > "$root/current/index.html"
drift --repair
is_exit "what is in a sticky folder of somebody else's stays" 1
is "and is told" "$(printf '%s\n' "$err" |
    sed -n 's/^slipway: \(.*\) stays$/\1/p')" "mode st/
mode st/file"
like "as what root is to run" "$err" 'sudo chown -h [0-9]+ .*/st$'
is "the rest is put right" "$(live_file index.html)" one
echo edited > "$sticky/file"
drift --repair
is_exit "so does another content" 1
is "with no failure" "$(printf '%s\n' "$err" |
    sed -n 's/^slipway: \(.*file\) stays$/\1/p')" "modified st/file"
chown nobody "$sticky/file"
drift --repair
is "what is one's own in it is put right" "$(live_file st/file)" st/file
done_testing
