#!/bin/sh
# In a developer's clone: what do these commits ask for? With no server,
# before a push and after a pull.

. "$(dirname "$0")/../lib.sh"

say() {
	git -C "$work" commit -q --allow-empty -m "$1"
}

# ask [ARGUMENT...]: in the clone.
ask() {
	run sh -c 'cd "$1" && shift && exec "$@"' sh "${where-$work}" \
	    "$slipway" directives "$@"
}

# There is no hub here: two plain clones of a plain repository.
work=$T/work
git init -q --bare "$T/hub.git"
ask
is_exit "no folder" 2
git init -q "$work"
ask
is_exit "no commit" 2
like "is told" "$err" 'no commit here yet'
git -C "$work" remote add origin "$T/hub.git"
say "first -updb-"
ask
is_exit "nothing was pushed yet" 0
like "a first push brings all" "$out" '^-updb-'
like "which is told" "$err" 'main: 1 commit, the whole history$'
git -C "$work" update-ref refs/remotes/origin/topic HEAD
ask
is_exit "no upstream" 2
like "is told, with what to do" "$err" \
    'branch main has no upstream .*no remote has it yet; .*git push -u REMOTE main'
git -C "$work" update-ref -d refs/remotes/origin/topic
git -C "$work" push -q origin main
say "second"
ask
is_exit "one remote that has the branch will do" 0
like "and is named" "$err" 'main: 1 commit that origin/main does not have'
git -C "$work" reset -q --hard HEAD~1
git -C "$work" update-ref refs/remotes/other/main HEAD
ask
is_exit "two do not" 2
like "both are named" "$err" 'several remotes have it: origin/main, other/main;'
git -C "$work" update-ref -d refs/remotes/other/main
git -C "$work" push -q -u origin main
ask
is_exit "nothing new" 0
like "what was looked at" "$err" \
    'main: 0 commits that origin/main does not have, and no directive'
is "and nothing else" "$out" ""
say "second -cc- -sync:a.b-c-"
git -C "$work" commit -q --allow-empty -m "third

Some words.

Deploy: updb, sync:all"
ask
is_exit "two commits" 0
like "which are meant" "$err" 'main: 2 commits that origin/main does not have$'
two=$(git -C "$work" rev-parse --short=7 HEAD)
one=$(git -C "$work" rev-parse --short=7 HEAD~1)
is "newest first, with commit, source and subject" "$out" \
"-updb-  $two (trailer)  third
-sync:all-  $two (trailer)  third
-cc-  $one (message)  second -cc- -sync:a.b-c-
-sync:a.b-c-  $one (message)  second -cc- -sync:a.b-c-"
ask HEAD
is "one commit alone" "$(printf '%s\n' "$out" | wc -l)" 2
ask --all
is "or all of them" "$(printf '%s\n' "$out" | wc -l)" 5
ask --all HEAD
is_exit "which is a range by itself" 2
ask HEAD~2
like "an older one" "$out" '^-updb-'
ask HEAD~2..HEAD~1
is "a range" "$(printf '%s\n' "$out" | grep -c "$one")" 2
ask HEAD^!
is "another spelling of one" "$(printf '%s\n' "$out" | wc -l)" 2
ask nowhere..HEAD
is_exit "a range that is none" 2
like "is told" "$err" "'nowhere..HEAD' names no commits of this clone; write"
ask nope
is_exit "nor is a name" 2
ask -- --all
is_exit "an option is no range" 2
ask --json
is_exit "as JSON" 0
is "the branch" "$(json branch < "$T/.out")" main
is "the upstream" "$(json upstream < "$T/.out")" origin/main
is "how many" "$(json commits < "$T/.out")" 2
is "a name" "$(json directives.0.name < "$T/.out")" updb
is "without argument" "$(json directives.0.argument < "$T/.out")" null
is "an argument" "$(json directives.3.argument < "$T/.out")" a.b-c
is "whole names" "$(json directives.0.commit < "$T/.out")" \
    "$(git -C "$work" rev-parse HEAD)"
git -C "$work" checkout -q --detach
ask
is_exit "no branch" 2
like "is told" "$err" 'HEAD is on no branch'
git -C "$work" checkout -q main
mkdir "$work/sub"
where=$work/sub
ask
is_exit "from a folder below" 0
where=$T
ask -C "$work"
is_exit "from elsewhere" 0
like "with -C" "$out" '^-cc-'
ask -C "$T"
is_exit "where there is no repository" 2
like "git says so, and what helps" "$err" 'not a git repository.*-C DIR'
unset where

# --run
ask --run
is_exit "nothing to run is an error" 2
like "that says where it would be" "$err" '\.git/slipway.ini is not there'
cat > "$work/.git/slipway.ini" <<EOF
[app]
env.TRACE = $T/trace

[action updb]
phase = migrate
directive = updb
run = echo "updb in \$PWD of \$SLIPWAY_COMMIT with \$SLIPWAY_DIRECTIVES" >> "\$TRACE"

[action sync]
phase = bundle
directive = sync
run = echo "sync \$SLIPWAY_ARGUMENT \$MINE" >> "\$TRACE"; printf 'said\033[2J\n'

[action style]
phase = build
when = changed *.css
run = echo style >> "\$TRACE"
EOF
export MINE=mine
ask --run
is_exit "they run" 0
is "by phase, once, in the clone, with the developer's own environment" \
    "$(cat "$T/trace")" "sync all a.b-c mine
updb in $work of $(git -C "$work" rev-parse HEAD) with updb sync"
like "what runs is shown" "$out" '^sync: echo'
like "and what it says, made visible" "$out" '^  [|] said\\x1b\[2J$'
like "what has no action here is told" "$err" 'not here: -cc- .*no action takes it'
rm "$T/trace"
export TRACE=$T/elsewhere SLIPWAY_ARGUMENT=mine SLIPWAY_DIRECTIVES=mine
ask --run
unset TRACE SLIPWAY_ARGUMENT SLIPWAY_DIRECTIVES
is "what the config and the commits say counts for more" \
    "$(cat "$T/trace")" "sync all a.b-c mine
updb in $work of $(git -C "$work" rev-parse HEAD) with updb sync"
rm "$T/trace"
ask --json
is "--json says what would" "$(json actions.1.action < "$T/.out")" updb
not_ok "and runs nothing" test -e "$T/trace"
put a.css x
git -C "$work" commit -q -m "a style"
ask --run HEAD
is "what has changed counts" "$(cat "$T/trace")" style
git -C "$work" worktree add -q "$T/tree" HEAD~1
rm "$T/trace"
where=$T/tree
ask --run HEAD
like "a work tree of its own runs in itself" "$(cat "$T/trace")" \
    "^updb in $T/tree of"
unset where
cat >> "$work/.git/slipway.ini" <<EOF

[action bad]
phase = fetch
directive = cc
run = exit 3
EOF
rm "$T/trace"
ask --run HEAD~3..
is_exit "what fails ends it" 1
like "and is told" "$err" 'bad: exit 3'
not_ok "nothing runs behind it" test -e "$T/trace"
chmod g+w "$work/.git/slipway.ini"
ask --run
is_exit "what others may write is not run" 2
like "and what to do" "$err" 'can be written by others.*chmod go-w'
chmod g-w "$work/.git/slipway.ini"
echo 'fase = x' >> "$work/.git/slipway.ini"
ask --run
is_exit "a wrong one is told of" 2
like "by line" "$err" "slipway.ini:[0-9]+: unknown key 'fase'.*did you mean 'phase'"
ask
is_exit "and is in nobody's way" 0

# Whatever kind of clone git can work in.
git -C "$work" push -q
git clone -q --bare --depth 1 "file://$T/hub.git" "$T/shallow.git"
where=$T/shallow.git
ask HEAD
is_exit "a shallow, bare one" 0
ask HEAD --run
is_exit "has no files" 2
unset where
if git init -q --object-format=sha256 "$T/sha256" 2> /dev/null; then
	git -C "$T/sha256" commit -q --allow-empty -m "x -updb-"
	where=$T/sha256
	ask HEAD
	like "sha256" "$out" '^-updb-  [0-9a-f]{7} '
	unset where
fi

# After a real pull.
git clone -q "$T/hub.git" "$T/bob"
cp "$here/../contrib/post-merge" "$T/bob/.git/hooks/"
say "quiet"
git -C "$work" push -q
run git -C "$T/bob" pull -q
is "a pull without directives says nothing" "$out$err" ""
say "a migration -updb-"
git -C "$work" push -q
run git -C "$T/bob" pull -q
is_exit "a pull" 0
like "tells what it brings" "$out$err" '^  -updb-  [0-9a-f]{7} \(message\)  a migration'
unlike "no more, where there is no config" "$out$err" 'directives --run'
cat > "$T/bob/.git/slipway.ini" <<EOF
[action updb]
phase = migrate
directive = updb
run = echo ran > "$T/ran"
EOF
say "another one -updb-"
git -C "$work" push -q
run git -C "$T/bob" pull -q
like "and what can be done" "$out$err" \
    'slipway directives --run ORIG_HEAD..HEAD'
not_ok "and does nothing by itself" test -e "$T/ran"
git -C "$T/bob" config slipway.run true
say "the third -updb-"
git -C "$work" push -q
run git -C "$T/bob" pull -q
is_exit "unless it is told to" 0
is "then it is done" "$(cat "$T/ran")" ran
run env PATH=/usr/bin:/bin git -C "$T/bob" pull -q
is_exit "it is in nobody's way where there is no slipway" 0
done_testing
