#!/bin/sh
# Words in commit messages ask for actions, and none is ever lost.

. "$(dirname "$0")/../lib.sh"

make_site
actions() {
	cat <<'EOF'
[action updb]
phase = migrate
directive = updb
run = echo updb >> "$TRACE"

[action always]
phase = clear
run = echo always >> "$TRACE"

[action cc]
phase = clear
directive = cc
run = echo cc >> "$TRACE"

[action sync]
phase = build
directive = sync
run = printf 'sync[%s]\n' "$SLIPWAY_ARGUMENT" >> "$TRACE"

[action fails]
phase = build
directive = fails
run = exit 1

[action changed]
phase = bundle
when = changed lib/* *.lock
run = echo changed >> "$TRACE"

[action both]
phase = restart
directive = both
when = changed both/*
run = echo both >> "$TRACE"
EOF
}
actions | config_trace

# ran WHAT WORDS: what the last push ran; starts a new trace.
ran() {
	is "$1" "$(trace | paste -s -d ' ')" "$2"
	: > "$T/trace"
}

push_file a 1 "first"
ran "in a first deploy every path has changed" "changed both always"

push_file a 2 "second"
ran "without a word only what always runs" "always"

push_file a 3 "third -cc- -updb-"
ran "words run in the order of the config" "updb always cc"
is "the journal has them, by name" "$(newest directives)" '["cc","updb"]'

commit a 4 "fourth -cc-"
commit a 5 "fifth"
push_file a 6 "sixth -updb-"
ran "the words of all commits of a push" "updb always cc"
like "each is tied to its commit" \
    "$(sql "SELECT name || ' ' || commit_oid FROM directives
	WHERE deploy = (SELECT max(number) FROM deploys)")" \
    "cc $(head_of HEAD~2)"
like "each is tied to its commit (2)" \
    "$(sql "SELECT name || ' ' || commit_oid FROM directives
	WHERE deploy = (SELECT max(number) FROM deploys)")" \
    "updb $(head_of)"

run "$slipway" show -C "$repo"
like "show ties it to its commit" "$out" \
    "directive +-cc- +$(head_of HEAD~2 | cut -c 1-7) \\(message\\)"

push_file a 7 "$(printf 'seventh\n\nSome text.\n\nDeploy: updb, cc\n')"
ran "the trailer means the same" "updb always cc"
like "it is tied to its commit, too" \
    "$(sql "SELECT name || ' ' || commit_oid || ' ' || source
	FROM directives WHERE deploy = (SELECT max(number) FROM deploys)")" \
    "updb $(head_of) trailer"

push_file a 8 "eighth" -o updb -o -cc- main
ran "so does the push option" "updb always cc"
is "it is tied to no commit" "$(sql "SELECT DISTINCT commit_oid || source
	FROM directives WHERE deploy = (SELECT max(number) FROM deploys)")" \
    option

# A merge brings what its branch asked for, once.
git -C "$work" checkout -q -b side HEAD~3
commit side 1 "on a branch -cc-"
git -C "$work" checkout -q main
git -C "$work" merge -q -m "merge -updb-" side
push
ran "the words of a merged branch count" "updb always cc"
push_file a merged "after the merge"
ran "once" "always"

push_file a 9 "a-updb-b --cc- re-cc- -UPDB- -----"
ran "words that only look alike are none" "always"
like "one in capitals that would be one is told" "$banner" \
    "warning: -UPDB- .$(head_of | cut -c 1-7).: no action takes it; did you mean -updb-[?]"
push_file a 9b "-NASA- and -Updb:all-, -cc- as -CC-"
ran "a word in capitals asks for nothing" "always cc"
unlike "and prose is left alone" "$banner" 'warning: -(NASA|CC)-'
like "it is told as it stands there" "$banner" 'warning: -Updb- .*mean -updb-'
run "$slipway" show -C "$repo"
unlike "it is none in the journal" "$out" 'unknown +-Updb'

push_file a 10 "$(printf 'm\303\244h\303\244-cc-, \303\244-cc-')"
ran "a letter of any language touches a word" "always"

push_file a 11 "tenth (-cc-), -updb-."
ran "punctuation does not" "updb always cc"

# Arguments.
push_file a 12 "twelfth -sync:files-"
ran "an argument arrives" "sync[files] always"
commit a 13 "thirteenth -sync:one-"
push_file a 14 "fourteenth -sync:two- -sync:one-"
like "several are joined, each once" "$(trace)" \
    '^sync\[(one two|two one)\]$'
is "and the action runs once" "$(grep -c sync "$T/trace")" 1
: > "$T/trace"
# shellcheck disable=SC2016
push_file a 15 'fifteenth -sync:$(touch${IFS}x);touch${IFS}y|`id`"- -cc-'
ran "an argument is never executed" \
    'sync[$(touch${IFS}x);touch${IFS}y|`id`"] always cc'
ok "no file was made" test ! -e "$root/current/x" -a ! -e "$root/current/y"
push_file a 16 "sixteenth" -o 'sync:a b' main
ran "an option that is no word runs nothing" "always"

# Changed paths.
push_file lib/x/y 1 "seventeenth"
ran "a changed path asks, too" "changed always"
push_file both/x 1 "eighteenth"
ran "a directive or a path: the path" "both always"
push_file a 19 "nineteenth -both-"
ran "a directive or a path: the directive" "both always"
git -C "$work" rm -q lib/x/y
git -C "$work" commit -q -m "twentieth"
push
ran "a removed path has changed" "changed always"

# Unknown ones.
push_file a 21 "twenty-first -udpb-"
is_exit "an unknown word does not stop a push" 0
like "it is reported with the nearest" "$banner" \
    'udpb.*did you mean -updb-\?'
like "and with its commit" "$banner" "$(head_of | cut -c 1-7)"
ran "and runs nothing" "always"

# Failure loses none.
push_file a 22 "twenty-second -updb- -fails-"
like "a deploy fails" "$banner" "error: deploy [0-9]+ failed at build"
ran "nothing more ran" ""
sed -i 's/^run = exit 1$/run = echo mended >> "$TRACE"/' "$repo/slipway.ini"
push_file a 23 "twenty-third -cc-"
ran "the next one does what both asked for" "mended updb always cc"
push_file a 24 "twenty-fourth" -o fails main
ran "once it is live nothing is left" "mended always"
sed -i 's/^run = echo mended.*/run = exit 1/' "$repo/slipway.ini"
push_file a 25 "twenty-fifth -fails-" -o cc main
sed -i 's/^run = exit 1$/run = echo mended >> "$TRACE"/' "$repo/slipway.ini"
: > "$T/trace"
push_file a 26 "twenty-sixth"
ran "an option of a failed deploy is not lost, either" "mended always cc"
sed -i 's/^run = echo mended.*/run = exit 1/' "$repo/slipway.ini"
push_file a 26a "twenty-sixth again -fails-" -o cc main
sed -i 's/^run = exit 1$/run = echo mended >> "$TRACE"/' "$repo/slipway.ini"
slip rollback
: > "$T/trace"
push_file a 26b "twenty-sixth, third time"
ran "nor by a rollback in between" "mended always cc"
push_file a 26c "twenty-sixth, fourth time"
ran "until it was done" "always"

# Nor does a deploy that another one supersedes.
sed -i '/^run = echo mended/d; /^\[action fails\]/a run = touch "$TRACE.on"; until test -e "$TRACE.go"; do sleep 0.05; done' \
    "$repo/slipway.ini"
commit a s1 "holds the runner -fails-"
git -C "$work" push -q production main > /dev/null 2>&1 &
started "$!"
ok "a deploy is under way" wait_for 10 test -e "$T/trace.on"
waits() {
	[ "$(sql "SELECT count(*) FROM deploys WHERE state = 'queued'")" = "$1" ]
}
commit a s2 "asks for -updb-"
git -C "$work" push -q -o sync:files production main > "$T/push.2" 2>&1 &
started "$!"
ok "a second one waits" wait_for 10 waits 1
commit a s3 "asks for -cc-"
git -C "$work" push -q production main > "$T/push.3" 2>&1 &
started "$!"
ok "a third one, too" wait_for 10 waits 2
: > "$T/trace"
touch "$T/trace.go"
ok "they end" wait_for 20 idle
wait
check_invariants "after a superseded deploy"
n=$(newest deploy)
is "the second was superseded" "$(deploy $((n - 1)) state)" superseded
is "it has its subject all the same" "$(deploy $((n - 1)) subject)" \
    "asks for -updb-"
like "and its author" "$(deploy $((n - 1)) author)" '<.*@'
ran "the third does what both asked for" \
    "always sync[files] updb always cc"
like "and the pusher of the second hears it" "$(cat "$T/push.2")" \
    "superseded, your commit is in deploy $n"
sed -i 's/^run = touch "$TRACE.on".*/run = echo mended >> "$TRACE"/' \
    "$repo/slipway.ini"

# -skip-
live=$(current)
push_file a 27 "twenty-seventh -skip- -updb-"
is "-skip- deploys nothing" "$(current)" "$live"
like "and says so" "$banner" 'skip'
is "the ref has moved" "$(git -C "$repo" rev-parse main)" "$(head_of)"
: > "$T/trace"
push_file a 28 "twenty-eighth"
ran "its words are done by the next one" "updb always"
commit a 29 "twenty-ninth -skip-"
push_file a 30 "thirtieth"
ran "-skip- counts in the tip only" "always"
live=$(current)
push_file a 31 "thirty-first" -o skip main
like "an option that says so is told as one" "$banner" \
    "production: $(head_of | cut -c 1-7) was pushed with the option skip: not"
is "as an option, too" "$(current)" "$live"
way=$(printf '%s\n' "$banner" |
    sed -n 's/.*; to deploy it all the same: git push REMOTE //p')
push "${way:-nothing}"
isnt "what is said to deploy it does" "$(current)" "$live"
commit a 31b "not now -skip-"
push
like "a message that says so has the same way out" "$banner" \
    "says -skip-: not deployed; release $(current) stays live; to deploy it \
all the same: git push REMOTE $(head_of | cut -c 1-7):refs/deploy/now\$"

# strict
{ echo "strict = yes"; actions; } | config_trace
before=$(snapshot)
commit a 32 "thirty-second"
push_file a 33 "thirty-third -udpb- -cc-"
isnt "strict refuses an unknown word" "$status" 0
like "and says which is meant" "$banner" 'udpb.*did you mean -updb-\?'
like "and what to do" "$banner" 'mend the message \(git commit --amend\)'
is "nothing has changed" "$(snapshot)" "$before"
git -C "$work" commit -q --amend -m "thirty-third -cc-"
push
is_exit "mended it goes through" 0
ran "and does what it says" "always cc"
push_file a 34 "thirty-fourth" -o udpb main
isnt "strict refuses an unknown option, too" "$status" 0
like "and says so" "$banner" '-updb-\?; push without -o udpb$'
git -C "$work" checkout -q --orphan fresh
commit a root "a new beginning -udpb-"
push_file a root2 "and what follows" --force fresh:main
like "the first commit of all is mended from the root" "$banner" \
    '-udpb- .*\(git rebase -i --root, then reword\) and push again$'
git -C "$work" checkout -q main
sed -i 's/^strict = yes/strict = no/' "$repo/slipway.ini"
sed -i 's/^run = echo cc >> .*/run = exit 1/' "$repo/slipway.ini"
push_file a 35 "thirty-fifth -udpb- -cc-"
like "a deploy fails" "$banner" 'rolled back|failed at clear'
sed -i 's/^strict = no/strict = yes/' "$repo/slipway.ini"
sed -i 's/^run = exit 1/run = echo cc >> "$TRACE"/' "$repo/slipway.ini"
: > "$T/trace"
push_file a 36 "thirty-sixth"
is_exit "strict looks at what is new" 0
ran "and the deploy at all that goes live" "always cc"
like "a word that was let in is told of" "$banner" \
    'udpb.*did you mean -updb-'

# A word that nothing takes is told once, of however many commits.
sed -i 's/^strict = yes/strict = no/' "$repo/slipway.ini"
: > "$T/trace"
commit a 36a "-nosuch- one"
commit a 36b "-nosuch- two"
push_file a 36c "-nosuch- three, -other-"
like "three commits are one line" "$banner" \
    "^warning: -nosuch- .3 commits, the last $(head_of | cut -c 1-7).: no action"
is "of two" "$(printf '%s\n' "$banner" | grep -c 'no action takes it')" 2
: > "$T/trace"
sed -i 's/^strict = no/strict = yes/' "$repo/slipway.ini"

# A great many words are neither told nor kept, each of them.
words=$(printf -- ' -no%d-' $(seq 150))
commit a 36d "$words"
push_raw
isnt "strict refuses a great many, too" "$status" 0
is "names the first of them" \
    "$(printf '%s\n' "$banner" | grep -c '^error: .*no action takes it')" 20
like "and counts the others" "$banner" 'production: and 130 more that no act'
sed -i 's/^strict = yes/strict = no/' "$repo/slipway.ini"
push main:refs/deploy/plan
like "a plan tells as much" "$banner" 'warning: and 130 more that no action'
push
is_exit "they do not stop a push" 0
like "here the others are counted, too" "$banner" \
    '^warning: and 130 more that no action takes'
is "the journal has those that were told" "$(sql "SELECT count(*) FROM
    directives WHERE deploy = (SELECT max(number) FROM deploys)")" 20

# Who wants a deploy to stop need not wait for the last of its commits.
sql "CREATE TRIGGER hasty AFTER INSERT ON deploys BEGIN UPDATE deploys
    SET cancelled_by = 'bob' WHERE number = new.number; END"
push_file a 36e "a deploy that is cancelled at once"
like "it is stopped before the plan" "$banner" 'cancelled by bob before the plan'
sql "DROP TRIGGER hasty"
: > "$T/trace"
sed -i 's/^strict = no/strict = yes/' "$repo/slipway.ini"

# However long a message is, all of it counts.
commit a 37 "thirty-seventh"
{
	printf 'a squashed one\n\n'
	yes 'a line of a long text' | head -n 6000
	printf '\n-nosuch-\n'
} | git -C "$work" commit -q --amend -F -
push
isnt "strict sees the end of a long message" "$status" 0
like "it names the word" "$banner" 'nosuch'
slip status
like "status tells of the refused push" "$out" 'refused +a push by .*nosuch'
like "below no environment, but below the repository" \
    "$(printf '%s\n' "$out" | tail -n 2 | head -n 1)" "^repository: $repo$"
{
	printf 'a squashed one\n\n'
	yes 'a line of a long text' | head -n 6000
	printf '\nDeploy: cc\n'
} | git -C "$work" commit -q --amend -F -
: > "$T/trace"
push
is_exit "a long message goes through" 0
ran "and its trailer is heard" "always cc"

# What was refused is news until its ref moves, whether that is deployed or
# not.
push_file a 38 "thirty-eighth -nosuch-"
isnt "strict refuses another one" "$status" 0
slip status
like "which is told" "$out" '^  refused +a push by .*nosuch'
sed -i 's/^strict = yes/strict = no/' "$repo/slipway.ini"
push -o skip main
is_exit "it lands with the option skip" 0
slip status
unlike "and is no news any more" "$out" 'refused|^repository'

# An option stays asked for, which is told, with the deploy that it is of.
actions | config_trace
slip deploy
push_file a 39 "thirty-ninth" -o fails main
n=$(newest deploy)
like "an option is told" "$banner" '^  -fails-  \(option\)$'
like "and that it stays" "$banner" \
    "^  asked for +-fails- \(option of deploy $n\), until a deploy goes live; "
push_file a 40 "fortieth"
like "the next push is told whose it is" "$banner" \
    "^  -fails-  \(option of deploy $n\)\$"
push_file a 41 "forty-first"
like "and so is the one after that" "$banner" \
    "^  asked for +-fails- \(option of deploy $n\), until"
run "$slipway" plan -C "$repo"
like "and the plan" "$out" "^ +directive -fails- option of deploy $n\$"
run "$slipway" plan -C "$repo" --json
is "as JSON, too" "$(printf '%s' "$out" | json directives.0.older)" "$n"
slip rollback
is_exit "a rollback" 0
push_file a 42 "forty-second"
like "does not end it" "$banner" "^  -fails-  \(option of deploy $n\)\$"

# What a rollback undoes is asked for again by what brings its commit back.
sed -i '/^\[action fails\]/,/^run/s/^run.*/run = true/' "$repo/slipway.ini"
push_file a 43 "forty-third"
live=$(head_of)
push_file a 44 "forty-fourth" -o updb main
n=$(newest deploy)
slip rollback
: > "$T/trace"
git -C "$work" checkout -q -b hot "$live"
commit hot 1 "a hotfix"
git -C "$work" push -q production hot 2> /dev/null
slip deploy hot
ran "not by a commit without it" "always"
git -C "$work" checkout -q main
git -C "$work" merge -q -m "merged" hot
push
like "an option that a rollback went past is told" "$banner" \
    "^  -updb-  \(option of deploy $n\)\$"
ran "and done with its commit" "updb always"
slip deploy
ran "once" "always"
slip deploy -d updb
: > "$T/trace"
slip rollback
: > "$T/trace"
push_file a 45 "forty-fifth"
ran "also when that was live all the time" "updb always"
done_testing
