#!/bin/sh
# A release is made of what is there: linked from the live one, or out of the
# one that is not needed any more.

. "$(dirname "$0")/../lib.sh"

inode() {
	stat -c %i "$root/releases/$1/$2"
}

make_site
config <<'EOF'
keep = 2
store = link
carry = vendor/ built.js none/

[action install]
phase = bundle
directive = install
run = mkdir -p vendor/lib && echo one > vendor/lib/a.php && echo js > built.js

[action inplace]
phase = build
directive = inplace
run = echo appended >> shared.txt

[action breaks]
phase = build
directive = breaks
run = test -e "$SLIPWAY_SHARED/mended" || { echo broken >> shared.txt; echo lost >> d1/same.txt; chmod 600 d1/same.txt d4/same.txt; exit 1; }
EOF
extras=yes
built=shared.txt
for i in 1 2 3 4 5 6; do
	put "d$i/same.txt" "same $i"
done
put shared.txt "shared"
commit index.html "one" "first -install-"
push
is_exit "the first" 0
one=$(current)

commit index.html "two" "second"
push
is_exit "the second" 0
two=$(current)
is "what is the same is one file" "$(inode "$two" d3/same.txt)" \
    "$(inode "$one" d3/same.txt)"
isnt "what is not is two" "$(inode "$two" index.html)" \
    "$(inode "$one" index.html)"
is "what was installed is carried over" \
    "$(live_file vendor/lib/a.php)$(live_file built.js)" "onejs"
isnt "as a copy" "$(inode "$two" vendor/lib/a.php)" \
    "$(inode "$one" vendor/lib/a.php)"
like "and told" "$banner$err" "carried over: vendor built.js"

commit index.html "three" "third"
push
three=$(current)
is "two releases are kept" "$(ls "$root/releases" | wc -l)" 2
is "and one to make the next of" "$(ls "$root/.slipway/spare" | paste -s)" \
    "$one	$one.manifest"
folder=$(stat -c %i "$root/.slipway/spare/$one")
echo "tampered" > "$root/.slipway/spare/$one/d2/same.txt"
echo "extra" > "$root/.slipway/spare/$one/extra"

commit index.html "four" "fourth"
push
is_exit "the fourth" 0
four=$(current)
is "is that folder" "$(stat -c %i "$root/releases/$four")" "$folder"
is "with what was changed" "$(live_file index.html)" "four"
is "without what somebody did to it" "$(live_file d2/same.txt)" "same 2"
not_ok "nor what they added" test -e "$root/current/extra"
is "what was edited there is put right in the others" \
    "$(cat "$root/releases/$three/d2/same.txt")" "tampered"
like "and it is told" "$banner$err" "put right"

# The release that is rolled back to shares a file with the spare.
slip rollback
is_exit "a rollback" 0
is "finds what came through a shared file" "$(live_file d2/same.txt)" "same 2"

# A command that writes into a file of the live release.
commit index.html "five" "fifth -inplace-"
push
is_exit "a command writes in place" 0
like "the warning says where" "$banner$err" "shared.txt was written into"
is "the release has it" "$(live_file shared.txt)" "shared
appended"
is "the one that was live has not" \
    "$(cat "$root/releases/$three/shared.txt")" "shared"

# And one that fails then.
commit index.html "broken" "sixth -breaks-"
push
like "a build that fails" "$banner$err" "failed at build"
is "leaves nothing in the live release" "$(live_file shared.txt)" "shared
appended"
is "nor another mode" "$(stat -c %a "$root/current/d1/same.txt")" 644
like "and says so" "$banner$err" "d1/same.txt, with others, was written into"

# What was written may be an edit by hand: nothing else has it.
saved=$root/.slipway/edited/$(current)
like "and where that is" "$banner$err" \
    "what was written is in $saved/d1/same.txt now"
is "which it is" "$(cat "$saved/d1/same.txt")" "same 1
lost"
is "and is put right" "$(live_file d1/same.txt)" "same 1"
not_ok "a mode is no content" test -e "$saved/d4"
touch "$root/shared/mended"

# Copies share nothing.
sed -i 's/store = link/store = copy/' "$repo/slipway.ini"
for i in 6 7 8; do
	commit index.html "$i" "number $i"
	push
	is_exit "number $i" 0
done
is "no file has two names" \
    "$(find "$root/releases" -type f -links +1 | wc -l)" 0
slip cleanup
is_exit "a cleanup by hand" 0
is "frees the spare, too" "$(ls "$root/.slipway/spare")" ""
check_invariants "in the end"

# Only what somebody has changed counts as put right: not links to shared/ in
# the place of files, what commands made, or what a repair has put back.
config <<'EOF'
keep = 2
shared = uploads/ local.php

[action make]
phase = build
run = date >> same.txt; mkdir -p made; date > made/it
EOF
mkdir -p "$root/shared/uploads"
touch "$root/shared/local.php"
put uploads/.keep ""
put same.txt same
commit local.php default "files that are shared"
built="same.txt made"
push
for i in 1 2 3 4 5; do
	push_file index.html "unedited $i" "unedited $i"
	unlike "nobody touched anything ($i)" "$banner" "put right"
done
sed -i '/^.action make/,$d' "$repo/slipway.ini"
built=
for i in 1 2 3; do
	push_file index.html "unmade $i" "unmade $i"
done
echo edited > "$root/current/d1/same.txt"
slip drift --repair
is_exit "an edit is put right" 0
for i in 1 2 3 4; do
	push_file index.html "repaired $i" "repaired $i"
	unlike "and not again ($i)" "$banner" "put right"
done
done_testing
