#!/bin/sh
# What is done beside something else, or later, is there when somebody looks.

. "$(dirname "$0")/../lib.sh"

# What the journal has of releases, and nobody's folder has.
wrong() {
	n=0
	for name in $(sql "SELECT name FROM releases WHERE state = 'retired'")
	do
		[ -d "$root/releases/$name" ] || n=$((n + 1))
	done
	echo "$n"
}

make_site
config <<'EOF'
keep = 2

[action see]
phase = fetch
run = git -C "$HUB" for-each-ref refs/slipway/deploys/$SLIPWAY_DEPLOY

[action updb]
phase = migrate
directive = updb
run = true
undo = true

[action bad]
phase = build
directive = bad
run = false

[action copy]
phase = notify
directive = copy
run = cp "$HUB/slipway/journal.db" "$HUB/copy.db"
EOF
sed -i "s|^root = .*|&\nenv.HUB = $repo|" "$repo/slipway.ini"

push_file index.html one first
like "an action of fetch finds the hidden ref" "$banner" \
    'refs/slipway/deploys/1'
push_file index.html two second
second=$(current)
push_file index.html three third
push_file index.html four 'fourth -copy-'
ok "a release is removed" test ! -d "$root/releases/$second"
is "and one of notify finds it so in the journal" "$(sqlite3 \
    "$repo/copy.db" "SELECT state FROM releases WHERE name = '$second'")" \
    removed
is "of no other it is said that it is there" "$(wrong)" 0

# One that a power cut has brought back is removed once more.
cp -a "$root/releases/$(current)" "$root/releases/$second"
slip resume
not_ok "resume removes what has come back" test -e "$root/releases/$second"
back() {
	cp -a "$root/releases/$(current)" "$root/releases/$second"
}
gone() {
	! test -e "$root/releases/$second"
}
back
run "$slipway" doctor -C "$repo" --etc "$T"
like "the doctor sees it" "$out" "release $second was removed, and is there"
slip cleanup
ok "cleanup does it" gone
like "and says so" "$out" "$second"
back
(cd "$root/releases/$second" && exec sleep 60) &
user=$!
ok "somebody works in it" \
    wait_for 20 test "/proc/$user/cwd" -ef "$root/releases/$second"
slip cleanup
like "as long as he does, it stays" "$out$err" \
    "release $second stays: in use by process"
ok "as it is" test -e "$root/releases/$second"
kill "$user"
wait "$user"
push_file index.html five fifth
ok "and so does a push, when it is live" wait_for 20 gone

# One that failed is set aside again, however long ago that was.
slip deploy -d bad
sed -i 's/^run = false/run = true/' "$repo/slipway.ini"
failed=$(newest release)
mv "$root/.slipway/failed/$failed" "$root/releases/"
run "$slipway" doctor -C "$repo" --etc "$T"
like "the doctor sees one that failed, too" "$out" \
    "release $failed has failed, and is there again"
slip resume
not_ok "resume takes it out" test -e "$root/releases/$failed"
ok "and keeps it to be looked at" test -e "$root/.slipway/failed/$failed"

# resume_below FOLDER: when that is there, and a mount in it.
resume_below() {
	mkdir "$1"
	run unshare -m sh -c 'mount -t tmpfs none "$1" && exec "$2" resume \
	    -C "$3"' sh "$1" "$slipway" "$repo"
}
if unshare -m true 2> /dev/null; then
	resume_below "$root/releases/$second"
	is_exit "one that cannot be removed is told" 1
	like "by name" "$err" "release $second was removed, is in .* again"
	slip resume
	ok "and tried again" gone
	resume_below "$root/.slipway/trash/left"
	is_exit "what stays in the trash is told" 1
	like "by name, too" "$err" 'trash/left stays'
	slip resume
	not_ok "and tried again, too" test -e "$root/.slipway/trash/left"
fi

# By hand, each release is written down by itself, and nothing else.
before=$(sql "SELECT count(*) FROM events")
slip cleanup
is_exit "a cleanup that finds nothing" 0
is "writes nothing" "$(sql "SELECT count(*) FROM events")" "$before"
sed -i 's/^keep = 2/keep = 20/' "$repo/slipway.ini"
for i in 5 6 7 8 9 10; do
	push_file index.html "$i" "number $i -updb-"
done
sed -i 's/^keep = 20/keep = 2/' "$repo/slipway.ini"
run strace -f -o "$T/trace" -e trace=renameat,renameat2 \
    -e inject=renameat,renameat2:signal=SIGKILL:when=6 \
    "$slipway" cleanup -C "$repo"
isnt "one whose agent is killed fails" "$status" 0
ok "with some removed" [ "$(sql "SELECT count(*) FROM releases
    WHERE state = 'removed'")" -gt 2 ]
ok "of which it knows all but one" [ "$(wrong)" -le 1 ]
slip cleanup
is "and the next knows that" "$(wrong)" 0

# Who may not look tells that it is not known.
rm "$root/current"
commit index.html eleven eleventh
push_raw
like "a current that is gone is told" "$err" \
    'whether the live release was edited is not known'

# The first reason is the one that is told, whatever else goes wrong then.
mv "$root/.slipway" "$T/away"
: > "$root/.slipway"
git -C "$work" reset -q --hard HEAD~6
push_raw -f HEAD:main
like "a root that is none fails a deploy that leaves migrations" "$err" \
    "failed: [^:]*/srv/\.slipway|failed: mkdir [^:]*\.slipway"
rm "$root/.slipway"
mv "$T/away" "$root/.slipway"

dd if=/dev/zero of="$repo/slipway/journal.db" bs=1 count=100 conv=notrunc \
    2> /dev/null
run "$slipway" -C "$repo" -e production runner
like "a runner without a journal says what helps" "$err" \
    'slipway doctor -C'
done_testing
