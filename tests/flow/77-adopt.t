#!/bin/sh
# What is said to be kept of an edit is kept: whatever git thinks of its
# name, whoever else is at work, and whatever comes or goes meanwhile.

. "$(dirname "$0")/../lib.sh"

drift() {
	run "$slipway" drift -C "$repo" "$@"
}

branch=drift/production/$(date -u +%Y-%m-%d)

# What a path is on a branch of edits.
kept() {
	git -C "$repo" cat-file blob "$branch${2-}:$1" 2>/dev/null
}

forget() {
	git -C "$repo" for-each-ref --format='delete %(refname)' \
	    refs/heads/drift | git -C "$repo" update-ref --stdin
}

make_site
put .gitattributes "*.slow filter=slow
*.wide working-tree-encoding=UTF-16LE
*.need filter=need"
put .gitmodules "# none"
put a.slow "one"
put b.wide "w"
put c.need "need"
put f "one"
put g "one"
commit index.html "one" "first"
push
is_exit "the site is deployed" 0
live=$root/current

# Names that git passes over without a failure.
echo "edited" > "$live/f"
echo "precious" > "$live/a\\.git"
mkdir "$live/d"
echo "precious" > "$live/d/b\\git~1"
rm "$live/.gitmodules"
ln -s precious "$live/.gitmodules"
drift --repair
is_exit "names that git does not want" 1
is "are left out, each of them" "$(printf '%s\n' "$err" |
    sed -n 's/^slipway: \(.*\) is left out: .*/\1/p')" '.gitmodules
a\.git
d/b\git~1'
is "and stay" "$(cat "$live/a\\.git" "$live/d/b\\git~1")
$(readlink "$live/.gitmodules")" "precious
precious
precious"
is "the others are kept" "$(kept f)" "edited"
is "and put right" "$(live_file f)" "one"
like "and the message tells which is which" \
    "$(git -C "$repo" log -1 --format=%B "$branch" | tr '\n' ' ')" \
    '^edits.*modified f .*is not in here:  modified .gitmodules .*git~1'
rm -r "$live/a\\.git" "$live/d" "$live/.gitmodules"
echo "# none" > "$live/.gitmodules"
forget

# What cannot be converted, and what goes.
printf 'odd' > "$live/b.wide"
git -C "$repo" config filter.slow.clean "rm -f '$live/z'; cat"
echo "two" > "$live/a.slow"
echo "going" > "$live/z"
echo "new" > "$live/y"
drift --repair
is_exit "a file that goes, and one that cannot be converted" 0
is "keep nothing from being kept" "$(kept a.slow) $(kept y)" "two new"
is "it is kept as it is" "$(kept b.wide)" "odd"
forget
git -C "$repo" config filter.need.clean false
git -C "$repo" config filter.need.smudge cat
git -C "$repo" config filter.need.required true
echo "secret" > "$live/c.need"
drift --repair
is_exit "what a filter would have to see" 1
like "is not stored without it" "$err" "adopt the edits of"
is "and stays" "$(live_file c.need)" "secret"
git -C "$repo" config filter.need.clean cat
drift --repair
is_exit "it is kept when the filter is there" 0
is "as the filter gives it" "$(kept c.need)" "secret"
git -C "$repo" config --remove-section filter.need
forget

# Of a mode a commit has one bit.
branches() {
	git -C "$repo" for-each-ref refs/heads/drift
}
chmod 600 "$live/f"
drift
like "a mode is told with what it was" "$out" \
    '^mode +f +\(600 instead of 644, since '
drift --json
is "and so in JSON" "$(printf '%s\n' "$out" | json 0.mode)" \
    "600 instead of 644"
is "with what no commit can hold" \
    "$(printf '%s\n' "$out" | json 0.left_out)" true
is "and that it is no link's place" \
    "$(printf '%s\n' "$out" | json 0.shared)" false
drift --repair
is_exit "a mode that no commit can hold" 0
like "is told as that" "$err" \
    '^slipway: f is left out: .* rights: 600 instead of 644$'
is "and makes no branch" "$(branches)" ""
is "it is put right" "$(stat -c %a "$live/f")" 644
chmod 600 "$live/f"
commit index.html "two" "second"
push_raw
like "so it is by a deploy" "$banner" \
    'by hand: f mode \(600 instead of 644\); 1 of that no commit can hold'
is "which makes none either" "$(branches)" ""
chmod 4744 "$live/f"
drift --repair
is_exit "a mode of which it can hold a part" 0
like "is told as that" "$err" \
    '^slipway: f is left out in part: .* rights: 4744 instead of 644$'
forget
chmod 755 "$live/f"
drift --repair
unlike "one that it can hold is not" "$err" '^slipway: f '
forget
chmod 700 "$live/f"
drift --repair
is "the bit that it has is kept" \
    "$(git -C "$repo" ls-tree "$branch" f | cut -d ' ' -f 1)" 100755
forget

# A sweep takes the index of nobody who is at work.
git -C "$repo" config filter.slow.clean "touch '$T/at'; while ! test -e
    '$T/go'; do sleep 0.1; done; cat"
echo "three" > "$live/a.slow"
drift --adopt &
adopts=$!
ok "somebody adopts" wait_for 20 test -e "$T/at"
run "$slipway" cleanup -C "$repo"
touch "$T/go"
wait "$adopts"
is "a cleanup meanwhile takes no file out of the branch" \
    "$(git -C "$repo" diff --stat --name-only main "$branch")" "a.slow"
is "nor the edit" "$(kept a.slow)" "three"
is "the trash is empty" "$(ls "$root/.slipway/trash")" ""
mkdir "$root/.slipway/trash/adopt.dead"
touch "$root/.slipway/trash/adopt.dead/index"
run "$slipway" cleanup -C "$repo"
is "what nobody is at work in is swept" "$(ls "$root/.slipway/trash")" ""
git -C "$repo" config --unset filter.slow.clean
echo "one" > "$live/a.slow"
forget

# Two at once: each has made its commit when the branch is free.
commits() {
	git -C "$repo" cat-file --batch-all-objects --batch-check |
	    grep -c ' commit '
}
has_commits() {
	[ "$(commits)" -ge "$1" ]
}
n=$(commits)
mkdir -p "$repo/refs/heads/${branch%/*}"
lock=$repo/refs/heads/$branch.lock
touch "$lock"
echo "first" > "$live/f"
"$slipway" drift --adopt -C "$repo" > "$T/first" 2>&1 &
adopts=$!
ok "one made a commit" wait_for 10 has_commits $((n + 1))
echo "one" > "$live/f"
echo "second" > "$live/g"
"$slipway" drift --adopt -C "$repo" > "$T/second" 2>&1 &
also=$!
ok "so did the other" wait_for 10 has_commits $((n + 2))
rm -f "$lock"
wait "$adopts" "$also"
is "of two at once, each has a branch" "$(cat "$T/first" "$T/second" |
    grep -o "kept on branch .*" | sort)" "kept on branch $branch
kept on branch $branch-2"
is "and neither edit is lost" "$(for n in "" -2; do
	kept f $n
	kept g $n
done | sort | uniq)" "first
one
second"
done_testing
