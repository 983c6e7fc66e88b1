#!/bin/sh
# No edit of a live release is lost: not among very many, not by a
# conversion, not while it is put right, not where it is hard to see.

. "$(dirname "$0")/../lib.sh"

drift() {
	run "$slipway" drift -C "$repo" "$@"
}

# What a path is on the branches of edits, one after the other.
kept() {
	git -C "$repo" for-each-ref --format='%(refname)' refs/heads/drift |
	    while read -r ref; do
		git -C "$repo" cat-file blob "$ref:$1" 2>/dev/null
	done
}

forget() {
	git -C "$repo" for-each-ref --format='delete %(refname)' \
	    refs/heads/drift | git -C "$repo" update-ref --stdin
}

make_site
config <<'EOF_CONFIG'
drift = refuse
store = copy
keep = 1

[action build]
phase = build
run = mkdir -p gen && echo made > gen/app.js && rm -f conf.php
EOF_CONFIG
built="gen conf.php"
extras=yes
put .gitattributes "*.txt text
*.slow filter=slow"
put a.txt "line"
odd='o"d\d.txt'
put "$odd" "odd"
put b.slow "one"
put conf.php "conf"
put z.php "zero"
commit index.html "one" "first"
push
is_exit "the site is deployed" 0

# What only commands made nobody can put right: no reason to refuse.
echo "by hand" > "$root/current/gen/app.js"
commit index.html "two" "second"
push_raw
is_exit "an edit of what commands made does not refuse a deploy" 0
is "and is on a branch" "$(kept gen/app.js)" "by hand"
forget

# Something in the place of a file that a command had removed.
live=$root/current
mkdir "$live/conf.php"
echo "evil" > "$live/conf.php/x.php"
drift
is "a folder in the place of a removed file" "$(echo "$out" |
    sed 's/  (.*//')" "added     conf.php/x.php"
drift --repair
is_exit "is put right" 0
is "and kept" "$(kept conf.php/x.php)" "evil"
not_ok "it is gone" test -e "$live/conf.php"
rm "$live/z.php"
mkdir "$live/z.php"
echo "evil" > "$live/z.php/y.php"
drift --repair
is_exit "so is one in the place of a file" 0
is "it is kept, too" "$(kept z.php/y.php)" "evil"
is "and the file is back" "$(live_file z.php)" "zero"
forget

# An edit that git would undo.
printf 'line\r\n' > "$live/a.txt"
printf 'odd\r\n' > "$live/$odd"
chmod +x "$live/$odd"
drift --repair
is_exit "other line ends are put right" 0
is "and kept as they were" "$(kept a.txt | od -An -c | tr -d ' ')" \
    'line\r\n'
is "whatever they are called" "$(kept "$odd" | od -An -c | tr -d ' ')" \
    'odd\r\n'
is "the file is back" "$(live_file a.txt)" "line"
forget

# An edit that is made between.
git -C "$repo" config filter.slow.clean "cat; touch '$T/reads'; sleep 2"
echo "two" > "$live/b.slow"
echo "extra" > "$live/extra.slow"
( wait_for 20 test -e "$T/reads"; echo "three" > "$live/b.slow"
    echo "more" > "$live/extra.slow" ) > /dev/null 2>&1 &
drift --repair
wait
is_exit "what is edited while it is put right" 1
like "stays" "$err" "2 changes of .*or somebody has made meanwhile, stay"
is "as it is" "$(live_file b.slow) $(live_file extra.slow)" "three more"
is "what there was before is kept" "$(kept b.slow)" "two"
git -C "$repo" config --unset filter.slow.clean
drift --repair
is_exit "the next time it is put right, too" 0
is "and kept" "$(kept b.slow | tail -n 1)" "three"
is "the file is back" "$(live_file b.slow)" "one"
not_ok "and the new one gone" test -e "$live/extra.slow"
forget

# What no commit can hold stays.
rm "$live/z.php"
mkfifo "$live/z.php"
drift --repair
is_exit "a pipe in the place of a file" 1
like "is on no branch" "$err" "z.php is left out: no commit can hold"
ok "and stays" test -p "$live/z.php"
rm "$live/z.php"
drift --repair
is_exit "it is put right when that is gone" 0
forget

# Very many.
sed -i 's/^drift = refuse/drift = warn/' "$repo/slipway.ini"
echo "hotfix" >> "$live/z.php"
mkdir "$live/cache"
(cd "$live/cache" && seq 10001 | xargs touch && echo last > z)
drift
like "what was modified comes first" "$(echo "$out" | head -n 1)" z.php
like "all are counted" "$err" "10003 changes"
commit index.html "three" "third"
push_raw
is_exit "a deploy goes over ten thousand edits" 0
like "and tells" "$banner" "z.php modified, and 10002 more; kept on branch"
is "all of them are kept" "$(kept z.php | tail -n 1) $(kept cache/z)" \
    "hotfix last"

# A deploy that is asked for while one is put right begins when that is over,
# also when nobody waits for it any more.
held() {
	! flock -n "$1" true
}
asked() {
	sql "SELECT count(*) FROM deploys WHERE state = 'queued'" | grep -q 1
}
no_runner() {
	[ -z "$(program runner)" ]
}
echo "hotfix" >> "$live/z.php"
flock -F "$root/.slipway/lock" sleep 1000 &
holder=$!
started "$holder"
ok "somebody holds the root" wait_for 10 held "$root/.slipway/lock"
"$slipway" drift -C "$repo" --repair > "$T/repair" 2>&1 &
repair=$!
started "$repair"
ok "a repair holds the environment" wait_for 10 held \
    "$repo/slipway/production.lock"
commit index.html "four" "fourth"
setsid git -C "$work" push production main > "$T/push" 2>&1 < /dev/null &
pid=$!
started "$pid"
ok "a deploy is asked for" wait_for 15 asked
kill -9 "-$pid"
ok "its runner leaves" wait_for 15 no_runner
kill "$holder"
wait "$repair"
live_is() {
	[ "$(live_file index.html)" = "$1" ]
}
ok "it goes live then" wait_for 15 live_is four
ok "and is done" wait_for 15 idle
check_invariants "after a repair with somebody behind it"
done_testing
