#!/bin/sh
# The project's own checks run on what is still in quarantine, and a red one
# refuses the push.

. "$(dirname "$0")/../lib.sh"

# gate_is COMMAND [KEY...]: the config, with more lines of [app].
gate_is() {
	{
		printf 'gate = %s\n' "$1"
		shift
		printf '%s\n' "$@"
	} | config
}

trials() {
	ls "$root/.slipway/trial" 2>/dev/null
}

make_site
put .gitattributes "*.txt eol=crlf
tests export-ignore"
put a.txt "line"
put tests/check "a check"
script bin/check <<'EOF'
#!/bin/sh
echo "checking $(cat index.html)"
printf 'to stderr, \033[31mred\033[0m\n' >&2
test "$(cat index.html)" != broken
EOF
gate_is bin/check
push_file index.html one "first"
is_exit "a good commit passes" 0
like "the command is named" "$banner" '^production: gate of [0-9a-f]{7}: bin/check$'
like "its output is shown" "$banner" '^\| checking one$'
like "both of its outputs, made visible" "$banner" \
    '^\| to stderr, \\x1b\[31mred\\x1b\[0m$'
is "it is live" "$(live_file index.html)" one
is "nothing is left of the checkout" "$(trials)" ''

before=$(snapshot)
commit index.html broken "a bad one"
push_raw
isnt "a bad one does not" "$status" 0
like "it says what failed, and what to do" "$banner" \
    'error: production: the check of [0-9a-f]{7} failed \(gate = bin/check: exit 1\); mend what it says'
is "nothing has changed" "$(snapshot)" "$before"
not_ok "nor has its commit landed" git -C "$repo" cat-file -e "$(head_of)"
like "the journal has it" "$(sql "SELECT state || ' ' || reason
    FROM pushes ORDER BY id DESC LIMIT 1")" '^refused production: the check of'
is "no deploy was asked for" "$(newest deploy)" 1
slip log
like "nor is there one" "$out" '^ *1 '
push_raw main:refs/deploy/now
isnt "it is looked at by word, too" "$status" 0
is "with the same end" "$(snapshot)" "$before"
commit index.html "still bad -skip-" "deploy it later -skip-"
gate_is 'grep -q good index.html'
push_raw
isnt "and when it asks for no deploy" "$status" 0
push_raw main:elsewhere
is_exit "a branch that nobody deploys is nobody's business" 0

# What the command sees: an action's variables, none of git's.
git -C "$work" reset -q --hard HEAD~2
gate_is "env | sort > $T/env; pwd > $T/pwd; ls -a > $T/ls; cp a.txt $T/a.txt" \
    'env.PATH = /usr/bin:/bin' 'env.APP_ENV = test'
commit index.html two "second"
push
is_exit "a look around" 0
is "of git's variables, none" "$(grep -c '^GIT' "$T/env")" 0
is "the names that it sees" "$(sed -n 's/=.*//p' "$T/env" | grep -v '^_$' |
    tr '\n' ' ')" "APP_ENV HOME LANG PATH PWD SLIPWAY_APP \
SLIPWAY_ARGUMENT SLIPWAY_AUTHOR SLIPWAY_BRANCH SLIPWAY_COMMIT \
SLIPWAY_COMMIT_SHORT SLIPWAY_CURRENT SLIPWAY_DATE SLIPWAY_DIRECTIVES \
SLIPWAY_ENVIRONMENT SLIPWAY_HOST SLIPWAY_MESSAGE SLIPWAY_PREVIOUS \
SLIPWAY_PUSHER SLIPWAY_RELEASE SLIPWAY_ROLES SLIPWAY_SHARED TZ USER "
is "which commit" "$(sed -n 's/^SLIPWAY_COMMIT=//p' "$T/env")" "$(head_of)"
is "which branch" "$(sed -n 's/^SLIPWAY_BRANCH=//p' "$T/env")" main
is "what is live before it" "$(sed -n 's/^SLIPWAY_PREVIOUS=//p' "$T/env")" \
    "$(readlink -f "$root/current" | xargs dirname)/$(
        deploy 1 release)"
is "what the config sets" "$(grep -E '^(PATH|APP_ENV)=' "$T/env")" \
    "APP_ENV=test
PATH=/usr/bin:/bin"
is "it runs in its checkout" "$(cat "$T/pwd")" \
    "$(sed -n 's/^SLIPWAY_RELEASE=//p' "$T/env")"
like "which is no release" "$(cat "$T/pwd")" "^$root/.slipway/trial/.*/tree$"
is "there is all of the commit, and no .git" "$(tr '\n' ' ' < "$T/ls")" \
    ". .. .gitattributes a.txt bin index.html tests "
is "as git would write it, from quarantine" "$(od -An -c "$T/a.txt" |
    tr -d ' ')" 'line\r\n'

# What it leaves does not stay, and what it writes is in no release.
gate_is 'echo hacked > index.html; mkdir -p ro/deep; echo x > ro/deep/x; chmod -R a-w ro'
push_file index.html three "third"
is_exit "a command that writes" 0
is "writes into its own checkout" "$(live_file index.html)" three
is "which is gone, read-only folders and all" "$(trials)" ''
head -c 20000000 /dev/urandom > "$work/large"
git -C "$work" add large
gate_is "cmp large $work/large"
push_file index.html four "a large file, in quarantine"
is_exit "a large file is what was pushed" 0
gate_is 'seq 20000; printf "no end"; exit 1'
commit index.html five "fifth"
push_raw
isnt "much output, and red" "$status" 0
like "the last of it is shown" "$banner" '^\| 20000$'
like "a line without end, too" "$banner" '^\| no end$'
gate_is 'nosuch-program --all'
push_raw
isnt "a gate that cannot run" "$status" 0
like "is the server's to mend" "$banner" \
    'the gate itself cannot run .gate = nosuch-program --all: exit 127.; it stands in slipway.ini of the server'
unlike "and not the pusher's" "$banner" 'mend what it says'
gate_is 'sleep 60' 'gate_timeout = 1'
push_raw
isnt "a command that takes too long" "$status" 0
like "and how long" "$banner" \
    'gate = sleep 60: timed out after 1.*; .* gate_timeout raised in slipway.ini'
unlike "it has said nothing that could be mended" "$banner" 'what it says'
is "it is gone, too" "$(trials)" ''
gate_is 'kill -9 $$'
push_raw
isnt "a command that is killed" "$status" 0
like "by what" "$banner" 'killed by signal 9'

# A hook that is killed takes its command with it; the next deploy removes
# what it left, and ends what still runs there.
gate_is "sleep 1000 & echo \$! > $T/child; echo \$PPID > $T/hook.new; mv $T/hook.new $T/hook; wait"
git -C "$work" push -q production main > "$T/killed" 2>&1 &
pushing=$!
started "$pushing"
ok "it is under way" wait_for 10 test -e "$T/hook"
child=$(cat "$T/child")
started "$child"
kill -9 "$(cat "$T/hook")"
wait "$pushing"
isnt "a push whose hook is killed fails" "$?" 0
isnt "its checkout is left" "$(trials)" ''
ok "something is still at work in it" kill -0 "$child"
config < /dev/null
push
is_exit "the next push lands" 0
is "its deploy has swept" "$(trials)" ''
ok "and ended what was at work" ended "$child"

# One that is at work is left alone by others' deploys.
gate_is "test \$SLIPWAY_COMMIT != $(head_of) || exit 0; touch $T/there; while ! test -e $T/go; do sleep 0.05; done; test -e index.html"
commit index.html six "sixth"
git -C "$work" push -q production main > "$T/slow" 2>&1 &
pushing=$!
started "$pushing"
ok "one is at work" wait_for 10 test -e "$T/there"
run "$slipway" deploy -C "$repo" HEAD
is_exit "a deploy by hand meanwhile" 0
touch "$T/go"
status=0
wait "$pushing" || status=$?
is_exit "its checkout was left alone" 0
wait_for 10 idle
is "it is live" "$(live_file index.html)" six
is "and nothing is left" "$(trials)" ''

# Each environment, and each ref that would be deployed there, is a question.
cat > "$repo/slipway.ini" <<EOF
[app]
gate = echo \$SLIPWAY_ENVIRONMENT \$SLIPWAY_BRANCH >> $T/runs; test ! -e no-\$SLIPWAY_BRANCH
[environment production]
branch = main next
root = $root
[environment staging]
branch = main
root = $T/staging
EOF
commit index.html "for two" "for two"
push_raw main main:next
is_exit "two branches and two environments" 0
is "each was asked once" "$(sort "$T/runs")" "production main
production next
staging main"
wait_for 10 idle
is "the other one is live" "$(cat "$T/staging/current/index.html")" "for two"
commit no-next x "not for next"
push_raw main main:next
isnt "a branch beside another one that is let through" "$status" 0
like "is refused for itself" "$banner" 'the check of .* failed'
git -C "$work" reset -q --hard HEAD^

# In a transactional environment, too.
config <<EOF
transactional = yes
gate = test ! -e bad
EOF
run "$slipway" init "$repo"
before=$(snapshot)
commit bad x "a bad one"
push_raw
isnt "a red gate in a transactional environment" "$status" 0
is "nothing has changed" "$(snapshot)" "$before"
git -C "$work" rm -q bad
push_file index.html seven "a good one"
is_exit "a green one" 0
is "is live" "$(live_file index.html)" seven

# What was pushed runs when those who may refuse the pusher have been asked.
rm "$repo/hooks/pre-receive"
script_of_hub() {
	cat > "$repo/hooks/$1"
	chmod +x "$repo/hooks/$1"
}
script_of_hub pre-receive <<'EOF'
#!/bin/sh
test "${REMOTE_USER-}" != mallory
EOF
run "$slipway" init "$repo"
# The ref is told, and that what is pushed can be read.
script_of_hub update <<EOF
#!/bin/sh
git cat-file -e "\$3^{commit}" || exit 1
echo "\$1" >> "$T/asked"
test "\${REMOTE_USER-}" != eve
EOF
gate_is "touch $T/has-run"
commit index.html eight "whose"
for who in mallory eve; do
	export REMOTE_USER=$who
	push_raw
	isnt "$who may not push" "$status" 0
	not_ok "and nothing of that has run" test -e "$T/has-run"
	push_raw main:refs/deploy/now
	isnt "$who may not deploy" "$status" 0
	not_ok "and nothing of this has run" test -e "$T/has-run"
done
is "the update hook is asked for those that get so far" \
    "$(paste -s -d ' ' "$T/asked")" "refs/heads/main refs/deploy/now"
like "its no is told" "$banner" \
    'production: the update hook declined refs/deploy/now'
gate_is "touch $T/has-run" 'transactional = yes'
run "$slipway" init "$repo"
: > "$T/asked"
export REMOTE_USER=alice
push
is_exit "who may push does" 0
ok "and the check runs" test -e "$T/has-run"
push_raw main:refs/deploy/now
is_exit "and deploys by a word" 0
like "for which the branch is asked, too" \
    "$(paste -s -d ' ' "$T/asked")" 'refs/deploy/now refs/heads/main'
script_of_hub update <<'EOF'
#!/bin/sh
test "$1" != refs/heads/main
EOF
rm "$T/has-run"
push_raw main:refs/deploy/now
isnt "where the branch may not move, neither does it by a word" "$status" 0
like "the branch is named" "$banner" \
    'production: the update hook declined refs/heads/main'
not_ok "and nothing has run" test -e "$T/has-run"
unset REMOTE_USER
done_testing
