#!/bin/sh
# Old releases go; never the live one, the one before, or one in use.

. "$(dirname "$0")/../lib.sh"

make_site
config <<'EOF'
keep = 3
keep_failed = 2

[action fails]
phase = test
directive = fails
run = exit 1

[action dump]
phase = backup
run = echo dump > "$SLIPWAY_BACKUP_DIR/db.sql"
EOF
kept() {
	ls "$root/releases" | wc -l
}
for i in 1 2 3; do
	push_file index.html "$i" "number $i"
	[ "$i" != 1 ] || first=$(current)
done
is "as many as are to be kept are" "$(kept)" 3
backup=$repo/slipway/backup
is "each with its dump" "$(cat "$backup"/[123]/db.sql | paste -s)" \
    "dump	dump	dump"
echo mine > "$backup/before-upgrade.sql"
echo mine > "$backup/1.sql"
mkdir "$backup/1-old" "$backup/old"
push_file index.html 4 "number 4"
is "no more than that" "$(kept)" 3
like "the log has it in parentheses" "$("$slipway" log -C "$repo")" \
    "^1 .* \($first\) "
is "and what can be gone back to without" \
    "$("$slipway" log -C "$repo" | grep -c '(')" 1
is "a script is told" \
    "$("$slipway" log -C "$repo" --format '{release_state}' |
    paste -s -d ' ')" "live retired retired removed"
is "as JSON, too" "$(deploy 1 release_state)" removed
"$slipway" completion bash > "$T/completion"
is "a shell completes what can be gone back to" "$(bash -euc '. "$1"
	COMP_WORDS=(slipway -C "$2" rollback 2)
	COMP_CWORD=4
	_slipway
	echo "${COMPREPLY[@]}"' - "$T/completion" "$repo")" \
    "$("$slipway" log -C "$repo" --format '{release}' | sed -n 2,3p |
    paste -s -d ' ')"
not_ok "the oldest goes first" test -e "$root/releases/$first"
not_ok "with its manifest" test -e "$root/.slipway/manifest/$first"
is "and its dump, and nobody else's" "$(ls "$backup" | paste -s -d ' ')" \
    "1-old 1.sql 2 3 4 before-upgrade.sql old"
is "those that are kept are whole" \
    "$(cat "$backup"/[234]/db.sql | paste -s)" "dump	dump	dump"

# Judged by the journal, not by the clock of the file system.
second=$(ls "$root/releases" | head -n 1)
touch -d "2030-01-01" "$root/releases/$second"
live=$(current)
touch -d "2001-01-01" "$root/releases/$live"
push_file index.html 5 "number 5"
not_ok "what looks new is old" test -e "$root/releases/$second"
ok "what looks old is new" test -e "$root/releases/$live"

# In use.
third=$(ls "$root/releases" | head -n 1)
(cd "$root/releases/$third" && exec sleep 300) &
user=$!
started "$user"
ok "a process is in it" wait_for 5 sh -c \
    "[ \"\$(readlink /proc/$user/cwd)\" = '$root/releases/$third' ]"
push_file index.html 6 "number 6"
push_file index.html 7 "number 7"
ok "a release in which a process works stays" \
    test -d "$root/releases/$third"
is "the others went" "$(kept)" 4
slip cleanup
is_exit "cleanup by hand succeeds" 0
like "it says who is in the way" "$out$err" "$third.*(sleep|$user)"
kill "$user"
wait "$user" 2>/dev/null
slip cleanup
is "later it goes" "$(kept)" 3

# A folder that cannot be written is no obstacle.
oldest=$(ls "$root/releases" | head -n 1)
mkdir -p "$root/releases/$oldest/ro/deep"
touch "$root/releases/$oldest/ro/deep/file"
chmod -R a-w "$root/releases/$oldest/ro"
push_file index.html 8 "number 8"
not_ok "what is read-only goes, too" test -e "$root/releases/$oldest"

# Nor is a release that is read-only itself. (Root may move that, too.)
cat >> "$repo/slipway.ini" <<'EOF'

[action harden]
phase = build
directive = harden
run = chmod -R a-w .
EOF
as_owner() {
	if [ "$(id -u)" -ne 0 ]; then
		run "$@"
	else
		run setpriv --inh-caps=-all --bounding-set=-all "$@"
	fi
}
oldest=$(ls "$root/releases" | head -n 1)
chmod a-w "$root/releases/$oldest"
commit index.html 9 "number 9 -harden-"
as_owner git -C "$work" push production main
is "a release that its build makes read-only is live" "$(live_file index.html)" 9
not_ok "one that is read-only goes" test -e "$root/releases/$oldest"
commit index.html 10 "number 10 -harden- -fails-"
as_owner git -C "$work" push production main
is "one that fails is kept apart" "$(ls "$root/.slipway/failed")" \
    "$(newest release --state failed)"
unlike "and nothing is said of it" "$err" 'aside|denied'
git -C "$work" reset -q --hard HEAD~1
chmod -R u+w "$root"/releases/* "$root/.slipway/failed"
push_file index.html 11 "number 11" --force main

# The live one and the one before, whatever happens.
sed -i 's/^keep = .*/keep = 1/' "$repo/slipway.ini"
slip rollback
live=$(current)
before=$(newest previous)
slip cleanup
is_exit "with keep = 1" 0
ok "the live release stays" test -d "$root/releases/$live"
ok "the one that was live before stays" test -d "$root/releases/$before"
is "no other does" "$(kept)" 2
push_file index.html 9 "number 9"
is "keep = 1 keeps two" "$(kept)" 2

# Failed ones.
for i in 1 2 3; do
	push_file index.html "f$i" "number f$i -fails-"
done
is "failed releases are kept apart" "$(kept)" 2
is "and only so many" "$(ls "$root/.slipway/failed" | wc -l)" 2

# What is not ours is left alone.
mkdir "$root/releases/mine" "$root/releases/20200101000000.bak"
mkdir "$root/notes"
echo mine > "$root/shared/.wallet.seed"
sed -i '/^\[action fails\]/,/^run/s/^run.*/run = true/' "$repo/slipway.ini"
push_file index.html 10 "number 10"
ok "a folder of another name stays" test -d "$root/releases/mine"
ok "so does one that looks nearly like ours" \
    test -d "$root/releases/20200101000000.bak"
ok "and one beside releases/" test -d "$root/notes"
is "and a file of shared/ that is called nearly as a seed of ours" \
    "$(cat "$root/shared/.wallet.seed")" mine
done_testing
