#!/bin/sh
# What somebody changes by hand in a live release is seen, kept and put right.

. "$(dirname "$0")/../lib.sh"

# Without the invariants, which the edits are against.
drift() {
	run "$slipway" drift -C "$repo" "$@"
}

tab=$(printf '\t')
make_site
config <<'EOF'
writable = cache/ */__pycache__/

[action build]
phase = build
run = mkdir -p gen && echo made > gen/app.js && echo built >> built.txt

[action warm]
phase = clear
run = mkdir -p warm && echo warmed > warm/routes
EOF
built="built.txt gen warm"
put index.html "first"
put css/site.css "body { }"
put run.sh "echo run"
commit built.txt "source" "a site"
push
is_exit "the site is deployed" 0
live=$root/releases/$(current)

drift
is_exit "nothing was changed" 0
like "and it says so" "$err" "is what was deployed"
is "on stderr alone" "$out" ""
drift --deep
is_exit "nor in any content" 0

echo "edited" > "$live/index.html"
chmod 755 "$live/css/site.css"
rm "$live/run.sh"
mkdir -p "$live/upload" "$live/cache" "$live/lib/__pycache__"
echo "new" > "$live/upload/a file"
echo "x" > "$live/cache/x"
echo "x" > "$live/lib/__pycache__/y"
echo "hacked" > "$live/gen/app.js"
touch "$live/built.txt"
drift
is_exit "what was changed is told" 1
is "each path, and nothing else" \
    "$(echo "$out" | sed 's/  (since.*//; s/, since.*//; s/  */ /')" \
    "mode css/site.css  (755 instead of 644
modified gen/app.js
modified index.html
removed run.sh
added upload/a file"
like "since when, and whose it is" "$out" \
    "index.html  [(]since .*, owner $(id -un)[)]"
like "and the number" "$err" "5 changes"
drift --json
is_exit "as JSON, too" 1
is "with the path" "$(echo "$out" | json 2.path)" "index.html"
is "and the change" "$(echo "$out" | json 2.change)" "modified"
is "and the release" "$(echo "$out" | json 2.release)" "$(current)"
is "and the host" "$(echo "$out" | json 2.host)" "local"
run "$slipway" status -C "$repo"
like "status says it in a line" "$out" "drift  *5 files were edited by hand"
run "$slipway" status -C "$repo" --json
is "and counts" "$(echo "$out" | json 0.drift)" 5
drift --diff
like "as text" "$out" "^[+]edited"
like "with what is new" "$out" "upload/a file"
printf 'a\tb \033]0;title\007\033[2J\033[31m\r\n' > "$live/upload/a file"
for colour in never always; do
	drift --diff --color=$colour
	is "with --color=$colour nothing in it steers a terminal" \
	    "$(echo "$out" | sed -n '/^+a.b/p')" \
	    "+a$tab"'b \x1b]0;title\x07\x1b[2J\x1b[31m\x0d'
done
echo "new" > "$live/upload/a file"
yes "a line of text" | head -n 80000 > "$live/upload/long"
drift --diff
is "a text of more than 1 MiB is one" \
    "$(echo "$out" | grep -c '^[+]a line of text$')" 80000
rm "$live/upload/long"
is "which makes no branch" "$(git -C "$repo" branch --list 'drift/*')" ""
drift --host elsewhere
is_exit "a host that is not there" 2

branch=drift/production/$(date -u +%Y-%m-%d)
drift --adopt
is_exit "adopted" 1
like "on a branch" "$err" "kept on branch $branch"
is "whose parent is what was deployed" \
    "$(git -C "$repo" rev-parse "$branch^")" "$(head_of)"
is "with the edits" "$(git -C "$repo" show "$branch:index.html")" "edited"
is "and the new file" "$(git -C "$repo" show "$branch:upload/a file")" "new"
not_ok "without the old one" git -C "$repo" cat-file -e "$branch:run.sh"
not_ok "and without what is no drift" \
    git -C "$repo" cat-file -e "$branch:cache/x"
is "the release is as it was" "$(live_file index.html)" "edited"
drift --adopt
like "again is the same branch" "$err" "kept on branch $branch\$"

# What a pusher says of objects is not what they are; and what the release
# says of its own files is left out.
git -C "$work" fetch -q production "$branch"
same=$(git -C "$work" commit-tree -m same 'FETCH_HEAD^{tree}')
push_raw "$same:refs/replace/$(head_of)"
is_exit "another commit in the place of the live one" 0
echo '* -diff' > "$live/.gitattributes"
cd "$live" || exit 1
drift --diff
like "hides no edit" "$out" "^[+]edited"
cd "$T" || exit 1
rm "$live/.gitattributes"
push_raw ":refs/replace/$(head_of)"

# Repaired: what the commit has comes back, what it has not goes.
drift --repair
is_exit "repaired, but for what nobody can" 1
like "it says so" "$err" "1 change of what only commands made"
is "the file is back" "$(live_file index.html)" "first"
is "and its mode" "$(stat -c %a "$live/css/site.css")" 644
ok "and what was removed" test -f "$live/run.sh"
not_ok "what was added is gone" test -e "$live/upload/a file"
ok "what the application wrote stays" test -f "$live/cache/x"
is "what a command made cannot come back" "$(cat "$live/gen/app.js")" hacked
drift
is "and is still told" "$(echo "$out" | sed 's/  (.*//')" \
    "modified  gen/app.js"

# A deploy goes over edits, and keeps them.
echo "made" > "$live/gen/app.js"
echo "again" > "$live/index.html"
extras=yes
commit other.html "second" "another page"
push
is_exit "a deploy over edits" 0
like "tells of them" "$banner$err" "was edited by hand"
like "and keeps them" "$banner$err" "kept on branch $branch-2"
is "on a branch of their own" \
    "$(git -C "$repo" show "$branch-2:index.html")" "again"
is "the new release has none of them" "$(live_file index.html)" "first"

# Or does not. A plan tells before.
live=$root/releases/$(current)
run "$slipway" plan -C "$repo"
unlike "a plan tells of no edits" "$out" "edited by hand"
echo "third time" > "$live/other.html"
run "$slipway" plan -C "$repo"
is_exit "a plan of a deploy that goes over edits" 0
like "tells of them" "$out" \
    "warning: the live release was edited by hand: other.html modified$"
is "and makes no branch" \
    "$(git -C "$repo" branch --list "$branch-3")" ""
run "$slipway" plan -C "$repo" --json
is "in JSON, too" "$(echo "$out" | json edits.0.path)" other.html
config <<'EOF'
drift = refuse
EOF
run "$slipway" plan -C "$repo"
is_exit "a plan of one that would not" 3
like "is a plan" "$out" "edited by hand: other.html .*; drift = refuse"
like "and says no" "$err" \
    "production: this would be refused: .*other.html modified"
commit third.html "third" "a third page"
push_raw main:refs/deploy/plan
is_exit "and so does refs/deploy/plan" 1
like "before the plan" "$(echo "$banner" | head -n 1)" \
    "production: this would be refused: .*drift = refuse"
like "which is there" "$banner" "nothing is done now"
push_raw
like "a deploy is refused" "$banner$err" "drift = refuse"
like "with what to do" "$banner$err" "slipway drift --diff -C $repo -e prod"
is "the edited release stays" "$(live_file other.html)" "third time"
drift --repair
is_exit "put right" 0
slip retry
is_exit "it can be deployed" 0
is "and is" "$(live_file third.html)" "third"

# Edits that cannot be kept are not gone over.
config </dev/null
live=$root/releases/$(current)
git -C "$repo" for-each-ref --format='delete %(refname)' refs/heads/drift |
    git -C "$repo" update-ref --stdin
git -C "$repo" branch drift main
echo "precious" > "$live/other.html"
commit forth.html "forth" "a forth page"
push_raw
like "a deploy that cannot keep edits fails" "$banner$err" \
    "other.html modified.*could not be put on a branch.*refs/heads/drift"
is "the edited release stays live" "$(live_file other.html)" "precious"
git -C "$repo" branch -qD drift
git -C "$repo" branch "$branch/x" main
slip retry
is_exit "it goes on when they can be kept" 0
is "and they are, past a name that is taken" \
    "$(git -C "$repo" show "$branch-2:other.html")" "precious"
is "it is deployed" "$(live_file forth.html)" "forth"

# Somebody edits while commands are at work.
config <<EOF
drift = refuse
[action late]
phase = build
run = sleep 1.1 && echo late > "$T/late" && mv "$T/late" "$root/current/late.html"
EOF
push_file fifth.html "fifth" "a fifth page"
like "an edit during the build is seen before the flip" "$banner" \
    "error: .*drift = refuse"
is "and the release that has it stays" "$(live_file late.html)" "late"
config <<EOF
[action late]
phase = migrate
run = sleep 1.1 && echo later > "$T/late" && mv "$T/late" "$root/current/late.html"
EOF
slip retry
is_exit "one during a migration stops nothing" 0
is "and is kept" "$(git -C "$repo" for-each-ref --format='%(refname)' \
    refs/heads/drift | while read -r ref; do
	git -C "$repo" show "$ref:late.html" 2>&1
done | grep -c '^later$')" 1

# A rollback puts right what it goes to.
old=$root/releases/$(ls "$root/releases" | tail -n 2 | head -n 1)
echo "tampered" > "$old/index.html"
rm "$old/css/site.css"
echo "shared" > "$root/shared/run.sh"
up=../..
ln -sf "$up/shared/run.sh" "$old/run.sh"
slip rollback
is_exit "a rollback to an edited release" 0
like "says what it did" "$out$err" \
    "was put right: css/site.css removed, index.html modified, run.sh modified;"
is "a link to shared/ is none of the release's" "$(live_file run.sh)" \
    "echo run"
is "what goes live is what was deployed" "$(live_file index.html)" "first"
check_invariants "after a rollback"

# A pipe is in no commit, and every one of the results says so.
live=$root/releases/$(current)
echo "edited" > "$live/index.html"
mkfifo "$live/pipe"
drift --diff
like "a text has no pipe" "$err" '^slipway: pipe is left out: no commit'
drift --adopt
like "nor has the branch" "$err" '^slipway: pipe is left out: no commit'
adopted=$(printf '%s\n' "$err" | sed -n 's/.*kept on branch //p')
message=$(git -C "$repo" log -1 --format=%B "$adopted")
like "which has the others" "$message" '^modified index.html'
is "and says that it has not" \
    "$(printf '%s\n' "$message" | sed '/^no commit can hold/,$!d' |
    sed -n 's/ [(].*//; 3p')" "added pipe"
drift --repair
is_exit "nor can it be put right" 1
like "which is told" "$err" '^slipway: added pipe stays$'
like "with what to do" "$err" "by hand in $root/current, or deploy again"
before=$(git -C "$repo" branch --list 'drift/*')
drift --adopt
is "where there is nothing else, no branch is made" \
    "$(git -C "$repo" branch --list 'drift/*')" "$before"
unlike "nor told of" "$err" 'kept on branch'
rm "$live/pipe"

# What an application does to files that only commands made is its own affair.
config </dev/null
commit sixth.html "sixth" "a sixth page"
push
first=$(ls "$root/releases" | tail -n 2 | head -n 1)
mkdir -p "$root/releases/$first/warm"
echo "warmer" > "$root/releases/$first/warm/routes"
slip rollback "$first"
is_exit "a rollback to a release whose cache was written anew" 0
is "it is live" "$(current)" "$first"

# What the next release gets from this one does not go away with a deploy.
config <<'EOF'
carry = vendor/

[action vendor]
phase = build
when = changed lock
run = mkdir -p vendor && echo lib > vendor/lib
EOF
commit lock one "a lock"
push
echo evil > "$root/current/vendor/lib"
drift --repair
is_exit "what is carried along is not put right" 1
like "which is told" "$err" "by hand in $root/current: a new release gets what \
'carry' names as it is there\$"
echo lib > "$root/current/vendor/lib"

# git reads the release through filters, and those are the owner's programs.
if [ "$(id -u)" -eq 0 ]; then
	git -C "$repo" config filter.evil.clean "touch '$T/ran'; cat"
	echo '* filter=evil' > "$repo/info/attributes"
	echo "edited" > "$root/current/index.html"
	chown -R nobody "$repo" "$root"
	for option in --diff --adopt --repair; do
		drift "$option"
		is_exit "root runs none of them: $option" 2
		like "and is told who may" "$err" 'sudo -u nobody slipway'
	done
	drift
	is_exit "what was changed may root see" 1
	not_ok "nothing ran" test -e "$T/ran"
	is "nor is anything left that is root's" \
	    "$(find "$repo" "$root" ! -user nobody)" ""
fi
done_testing
