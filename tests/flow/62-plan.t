#!/bin/sh
# What a deploy would do is told before, by the deploy's own plan: then it
# does just that.

. "$(dirname "$0")/../lib.sh"

deploys() {
	sql "SELECT count(*) FROM deploys"
}

# What it said will run, and what the journal has: "phase action", in order.
planned() {
	json steps < "$T/.out" |
	    perl -MJSON::PP -0 -ne 'print map { "$_->{phase} $_->{action}\n" }
		@{decode_json($_)}'
}

done_by() {
	sql "SELECT phase || ' ' || action FROM steps WHERE deploy = $1
	    ORDER BY id"
}

# store: the commits are in the repository, and nothing is deployed.
store() {
	git -C "$work" push -qf production main:refs/heads/other 2> /dev/null
}

make_site
extras=yes
config <<'EOF'
shared = uploads/ settings.php
carry = vendor/ cache/

[action dump]
phase = backup
run = true

[action build]
phase = build
when = changed *.css
run = mkdir -p vendor && touch vendor/lib

[action updb]
phase = migrate
directive = updb
run = true
undo = true

[action fra]
phase = migrate
directive = fra
run = true

[action cc]
phase = clear
run = sleep 0.02
once = yes
EOF
run "$slipway" plan -C "$repo"
is_exit "nothing was pushed yet" 1
like "and that is said" "$err" 'nothing was pushed to branch main yet'
run "$slipway" log -C "$repo"
is "the log has none, and says so" "$out $err" \
    " slipway: nothing was deployed yet"
run "$slipway" retry -C "$repo"
like "nor is there anything to try again" "$err" \
    'no deploy of production has failed; name'

mkdir -p "$root/shared/uploads"
touch "$root/shared/settings.php"
put index.html one
script deploy/before_migrate <<'EOF'
#!/bin/sh
true
EOF
script deploy/after_clear <<'EOF'
#!/bin/sh
true
EOF
put deploy/before_build "not executable"
commit style.css a "first page"
store
slip plan other
is_exit "a plan of what is not deployed yet" 0
like "nothing is live" "$out" 'live now: nothing'
like "all files are new" "$out" 'files: 5, all of them new'
is "nothing was done" "$(deploys)" 0
run "$slipway" plan -C "$repo" other --json
planned > "$T/planned"
push
is_exit "the push" 0
is "what was planned is what was done, hooks included" \
    "$(cat "$T/planned")" "$(done_by 1)"
is "in this order" "$(paste -s -d , "$T/planned")" \
    "build build,backup dump,migrate before_migrate,clear cc,clear after_clear"
one=$(head_of)

rm "$root/shared/settings.php"
commit index.html two "second -updb- -sync:files-"
commit index.html three "third -fra- -updp-"
store
slip plan other -d updb
is_exit "the next one would not do, as a file is missing" 3
like "which it says, and what helps" "$err" "this would be refused: shared \
files are missing: settings.php; put them into $root/shared"
like "what is live" "$out" "live now: release $(current), $(echo "$one" |
    cut -c 1-7) first page"
like "how many commits" "$out" 'commits that go live: 2$'
like "which" "$out" "^    $(head_of | cut -c 1-7) third"
like "and the other" "$out" "^    $(head_of HEAD~1 | cut -c 1-7) second"
like "a directive, and its commit" "$out" \
    "directive -updb- of $(head_of HEAD~1 | cut -c 1-7)"
like "one that was asked for here" "$out" 'directive -updb- asked for by hand'
like "one with an argument" "$out" 'directive -sync:files- of'
like "one that nothing takes" "$out" 'warning: -updp-.*did you mean -updb-'
like "which files change" "$out" 'files that change: 1$'
like "by name" "$out" '^    index.html$'
like "what is linked" "$out" 'linked to shared/: uploads/ settings.php'
like "what of it is missing" "$out" 'missing in shared/: settings.php$'
like "what is carried over" "$out" 'carried over: vendor/$'
like "what is backed up" "$out" 'backed up by: dump$'
like "what takes how long" "$out" \
    'clear +cc: sleep 0.02  \(once, [0-9]+ ms last time\)'
like "a hook" "$out" 'migrate +deploy/before_migrate'
like "what cannot be undone" "$out" \
    'migrate +fra: true  \(cannot be undone\)'
like "the room" "$out" \
    'room: it needs [0-9.]+ MB and [0-9]+ inodes, .* are free$'
like "the last time" "$out" \
    'last time: prepared in .*, window .* \(deploy 1\)$'
like "nothing is done" "$out" 'nothing is done now'
unlike "no build: no style has changed" "$out" '^  build'
is "nothing was done" "$(deploys)" 1

# The same text for somebody who has nothing but git.
"$slipway" plan -C "$repo" other -d updb > "$T/plan"
push_raw -o updb main:refs/deploy/plan
steady() {
	sed 's/,[^,]* are free/, R are free/; s/[[:space:]]*$//'
}
is "refs/deploy/plan says the same" \
    "$(printf '%s\n' "$banner" | sed -n '/nothing is done now/,/last time:/p' |
    steady)" "$(steady < "$T/plan")"

run "$slipway" plan -C "$repo" other --json
is "the object: its commit" "$(json commit < "$T/.out")" "$(head_of)"
is "what is live" "$(json live_commit < "$T/.out")" "$one"
is "commits" "$(json commits.1.subject < "$T/.out")" \
    "second -updb- -sync:files-"
is "a directive" "$(json directives.0.name < "$T/.out")" fra
is "that is known" "$(json directives.0.known < "$T/.out")" true
is "one that is not" "$(json directives.1.known < "$T/.out")" false
is "files" "$(json changed < "$T/.out")" '["index.html"]'
is "hosts" "$(json steps.0.hosts < "$T/.out")" '["local"]'
isnt "room" "$(json room.need_bytes < "$T/.out")" null
isnt "times" "$(json last_window_ms < "$T/.out")" null
planned > "$T/planned"
touch "$root/shared/settings.php"
push
is "again that is what is done" "$(cat "$T/planned")" "$(done_by 2)"

slip plan
like "a push of what is live deploys nothing" "$out" \
    'it is live: a push of it deploys nothing'
like "and nothing would go live" "$out" 'commits that go live: 0'
commit index.html four "fourth -skip-"
store
slip plan other
like "nor does one that says so" "$out" \
    'says -skip-: a push of it deploys nothing'
git -C "$work" reset -q --hard HEAD~1
sed -i 's/^shared/strict = yes\nshared/' "$repo/slipway.ini"
commit index.html five "fifth -cx-"
store
slip plan other
like "under strict, an unknown one is refused" "$out" \
    'warning: -cx-.*a push of it is refused \(strict\)'

# Text from outside cannot steer a terminal.
commit index.html six "$(printf 'six \033[2J\033]0;x\007')"
store
slip plan other
unlike "no control characters come through" "$(printf '%s' "$out" |
    tr '\033\007' '@@')" '@'
like "they are seen" "$out" 'x1b'

# Where the branch is what is live, it may not be left behind.
sed -i 's/^shared/transactional = yes\nshared/; s/^strict.*//' \
    "$repo/slipway.ini"
slip plan main~1
is_exit "what would be refused" 3
like "is planned all the same" "$out" 'nothing is done now'
like "and the reason is told" "$err" \
    'production: this would be refused: .*--force main~1'
sed -i '/^transactional/d' "$repo/slipway.ini"

# The tree is looked at before anything reads it, and nothing of it runs.
cp "$repo/slipway.ini" "$T/kept.ini"
config <<EOF
gate = touch $T/has-run
only_from = other
EOF
tree=$(git -C "$work" mktree < /dev/null)
for layer in $(seq 40); do
	tree=$(printf '040000 tree %s\t%s\n' "$tree" a "$tree" b |
	    git -C "$work" mktree)
done
bomb=$(git -C "$work" commit-tree -p HEAD -m bomb "$tree")
push_raw "$bomb:refs/deploy/plan"
isnt "a plan of what no release can be made of" "$status" 0
like "is refused with the reason" "$banner" \
    'more than 2000000 files and folders'
fit=$(git -C "$work" commit-tree -p HEAD -m fit "HEAD^{tree}")
push_raw "$fit:refs/deploy/plan"
is_exit "another one is planned" 0
not_ok "and no check has run" test -e "$T/has-run"
cp "$T/kept.ini" "$repo/slipway.ini"

run "$slipway" plan -C "$repo" nowhere
is_exit "a name that is none" 1
run "$slipway" plan -C "$repo" -d udpb
is_exit "a directive that is none" 2
like "with the nearest" "$err" 'did you mean -updb-'
done_testing
