#!/bin/sh
# For people: help, slips of the hand, questions, what a shell completes, and
# what holds for each key of slipway.ini.

. "$(dirname "$0")/../lib.sh"

make_site

# Help.
commands=$("$slipway" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')
: > "$T/bad"
for command in $commands; do
	run "$slipway" "$command" --help
	[ "$status" -eq 0 ] || echo "$command: status $status" >> "$T/bad"
	printf '%s\n' "$out" | sed -n '/^Example:/,$p' |
	    grep -q "^  .*slipway.* *$command" ||
	    echo "$command: no example of it" >> "$T/bad"
	printf '%s\n' "$out" | awk -v c="$command" 'length > 80 {
		print c ": too wide: " $0 }' >> "$T/bad"
	"$slipway" help "$command" | cmp -s - "$T/.out" ||
	    echo "$command: help $command is another" >> "$T/bad"
done
is "every command has help with an example, 80 columns wide" \
    "$(cat "$T/bad")" ""
run "$slipway" --help
is "the list is, too" "$(printf '%s\n' "$out" | awk 'length > 80')" ""
for word in help version; do
	like "$word is in it" "$commands" "^$word$"
done
run "$slipway" help help
like "help of help" "$out" '^usage: slipway help .OPTIONS. .COMMAND.'
run "$slipway" -h init
like "before a command it is that one's" "$out" '^usage: slipway init '
run "$slipway" --version
is "the option, and the command" "$out" "$("$slipway" version)"
for line in "version extra" "--version extra" "help status extra" \
    "--json version" "--json help" "-h stauts"; do
	# shellcheck disable=SC2086 # words
	run "$slipway" $line
	is_exit "slipway $line is a usage error" 2
	is "slipway $line prints nothing" "$out" ""
done

# Slips.
for slip in "stauts status" "plna plan" "docter doctor" "directive directives"
do
	run "$slipway" ${slip% *}
	is_exit "slipway ${slip% *}" 2
	like "means ${slip#* }" "$err" "did you mean '${slip#* }'"
done
run "$slipway" help stauts
like "in help, too" "$err" "did you mean 'status'"
for slip in "log --sinse=x since" "deploy --dierctive x directive" \
    "rollback --yse yes" "config --exlpain explain" "doctor --ect x etc" \
    "plan --jsno json"
do
	# shellcheck disable=SC2086 # words
	run "$slipway" ${slip% *}
	is_exit "slipway ${slip% *}" 2
	like "means --${slip##* }" "$err" "did you mean '--${slip##* }'"
done
run "$slipway" --versoin
like "before a command, too" "$err" "did you mean '--version'"

# A rollback that undoes something asks, where there is somebody to answer.
config <<'EOF'
[action updb]
phase = migrate
directive = updb
run = true
undo = echo undone

[action never]
phase = migrate
directive = never
run = true
EOF
push_file index.html one "first"
push_file index.html two "second -updb- -never-"
two=$(current)
push_file index.html three "third"
three=$(current)

# terminal ANSWER ARGUMENT...: slipway on a terminal, which is answered.
cat > "$T/terminal.py" <<'EOF'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
out, asked = b"", False
while True:
    try:
        piece = os.read(fd, 4096)
    except OSError:
        break
    if not piece:
        break
    out += piece
    if not asked and b"[y/N]" in out:
        asked = True
        os.write(fd, sys.argv[1].encode() + b"\n")
sys.stdout.buffer.write(out.replace(b"\r", b""))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF
terminal() {
	_answer=$1
	shift
	run "$python" "$T/terminal.py" "$_answer" "$slipway" "$@"
}
terminal n rollback -C "$repo"
is_exit "nothing of the third is to be undone: nobody is asked" 0
unlike "not a word" "$out" 'Go on'
is "it is done" "$(current)" "$two"
push_file index.html four "fourth"
four=$(current)
terminal n rollback -C "$repo" 1
is_exit "no is no" 1
like "first it is told where to" "$out" \
    'production goes back to release [0-9]{14} \([0-9a-f]{7}\), which became live'
like "and what" "$out" 'This rollback undoes, in this order'
like "and with which command" "$out" 'updb of deploy 2: echo undone'
like "and what cannot be" "$out" 'never of deploy 2 cannot be undone'
like "then it is asked" "$out" 'Go on\? \[y/N\]'
like "nothing was done" "$out" 'nothing was done'
is "nothing was" "$(current)" "$four"
terminal "" rollback -C "$repo" 1
is_exit "no answer is no" 1
# A terminal throws away what it has not shown yet, now and then that, too.
for _try in 1 2 3 4 5; do
	terminal "$(printf '\003')" rollback -C "$repo" 1
	! printf '%s\n' "$out" | grep -q '^slipway: nothing' || break
done
is_exit "neither is Ctrl-C" 130
like "which says so" "$out" '^slipway: nothing was done$'
is "and nothing was" "$(current)" "$four"
terminal n rollback -C "$repo" 1 --yes
is_exit "--yes asks nothing" 0
unlike "not a word" "$out" 'Go on'
is "what was undone" "$(sql "SELECT state FROM steps WHERE action = 'updb'")" \
    undone
push_file index.html five "fifth -updb-"
terminal y rollback -C "$repo"
is_exit "yes is yes" 0
like "it was asked" "$out" 'Go on\?'
push_file index.html six "sixth -updb-"
run "$slipway" rollback -C "$repo" main
is_exit "a rollback to a branch" 2
like "that is live is told so" "$err" \
    "'main' is commit [0-9a-f]{7}, which is live in production already, as release $(current)"
run "$slipway" rollback -C "$repo" main~1
is_exit "one to a commit of which something was undone" 2
like "has one way" "$err" \
    "'main~1' is commit [0-9a-f]{7}, .*: slipway deploy main~1 -C $repo$"
unlike "and no other" "$err" 'slipway rollback'
run "$slipway" rollback -C "$repo" main~5
is_exit "one to an older commit" 2
like "is told what helps" "$err" \
    "'main~5' is commit [0-9a-f]{7}, .*slipway rollback [0-9]{14} -C $repo goes to the one of it; .*: slipway deploy main~5 -C $repo$"
named=$(printf '%s\n' "$err" | sed -n 's/.*slipway rollback \([0-9]*\) .*/\1/p')
run "$slipway" rollback -C "$repo" "$named"
is_exit "which works" 0
run "$slipway" rollback -C "$repo" main
is_exit "one to a newer one" 2
like "is told what helps" "$err" "release: to deploy it, .*: slipway deploy main"
unlike "and not what is refused" "$err" 'slipway rollback [0-9]'
run "$slipway" deploy -C "$repo" main
is_exit "that works, too" 0
run "$slipway" rollback -C "$repo" nowhere
like "and one to nothing, what there is" "$err" 'neither a release'
slip rollback
is_exit "a script is never asked" 0

# config
config <<'EOF'
keep = 3
env.APP_ENV = prod
strict = yes

[environment staging]
branch = develop
root = /srv/staging
keep = 7

[action updb]
phase = migrate
directive = updb
run = bin/migrate up --with "a long line" && bin/check --that "all is well"
EOF
row() {
	printf '%s\n' "$out" | sed -n "/^\\[$1\\]/,/^\$/p" |
	    sed -n "s/^  $2  *//p" | tr -s ' '
}
run "$slipway" config -C "$repo"
is_exit "config" 0
is "a key, and its line" "$(row app keep)" "slipway.ini:7 3"
is "one that comes from [app]" "$(row "environment production" keep)" \
    "slipway.ini:7 [app] 3"
is "one that the section sets" "$(row "environment staging" keep)" \
    "slipway.ini:14 7"
is "a default" "$(row "environment staging" keep_failed)" "default 1"
is "a variable" "$(row "environment staging" env.APP_ENV)" \
    "slipway.ini:8 [app] prod"
is "one that is not set" "$(row "environment staging" shared)" "not set -"
is "a command is whole" "$(row "action updb" run)" \
    'slipway.ini:19 bin/migrate up --with "a long line" && bin/check --that "all is well"'
is "one that follows from others" \
    "$(sed -i '/^directive/d; /^name/d' "$repo/slipway.ini"
    run "$slipway" config -C "$repo"; row app name; row "action updb" when)" \
    "from other keys srv
from other keys always"
echo "env.A_VARIABLE_OF_A_LONG_NAME = yes" >> "$repo/slipway.ini"
run "$slipway" config -C "$repo"
is "columns are in line, however long a name is" \
    "$(printf '%s\n' "$out" | awk '/^  / { match($0, /^  [^ ]+ +/)
	print RLENGTH }' | sort -u | wc -l)" 1
sed -i '$d' "$repo/slipway.ini"
run "$slipway" config -C "$repo" -e staging
unlike "of one environment" "$out" 'production|\[app\]$'
run "$slipway" config -C "$repo" timeout keep
like "a key by itself: its help" "$out" 'It is ended after this time; 0 is never\.'
like "type" "$out" 'type +a time as in 90s'
like "unit" "$out" 'unit +seconds'
like "default" "$out" 'default +10m'
like "where it may stand" "$out" 'stands in +\[app\] \[environment NAME\]$'
like "and each place" "$out" '\[action updb\] +default +10m'
like "another" "$out" '\[environment staging\] +slipway.ini:[0-9]+ +7'
unlike "no others" "$out" '^keep_failed'
run "$slipway" config -C "$repo" --explain
is "--explain: every key of the table" \
    "$(printf '%s\n' "$out" | grep -c '^[a-z]')" \
    "$("$build/tests/tool/keys" | cut -d ' ' -f 2 | awk '
	$0 == "environment" || !seen[$0]++' | wc -l)"
run "$slipway" config -C "$repo" --json keep
is "as JSON: section" "$(json 2.section < "$T/.out")" environment
is "name" "$(json 2.name < "$T/.out")" staging
is "value" "$(json 2.value < "$T/.out")" 7
is "source" "$(json 1.source < "$T/.out")" app
is "line" "$(json 1.line < "$T/.out")" 6
is "default" "$(json 1.default < "$T/.out")" 5
run "$slipway" config -C "$repo" kepe
is_exit "a key that is none" 2
like "with the nearest" "$err" "there is no key 'kepe'; did you mean 'keep'"
cp "$repo/slipway.ini" "$T/new.ini"
run "$slipway" config --file "$T/new.ini"
is_exit "a file that is nowhere yet" 0
like "with its name" "$out" 'new.ini:7'
echo 'fase = build' >> "$T/new.ini"
run "$slipway" config --file "$T/new.ini"
is_exit "a wrong one" 2
like "says where, and what" "$err" \
    "new.ini:[0-9]+: unknown key 'fase'.*did you mean 'phase'"

# Completion, asked as a shell asks.
"$slipway" completion bash > "$T/slipway.bash"
cat > "$T/ask.bash" <<'EOF'
set -eu
. "$1"
shift
[ "$(complete -p slipway)" != "" ]
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_slipway
printf '%s\n' "${COMPREPLY[@]-}"
EOF
completions() {
	bash "$T/ask.bash" "$T/slipway.bash" slipway "$@" 2>&1
}
is "bash: commands" "$(completions r | sort | paste -s -d ' ' -)" \
    "resume retry rollback"
is "every one of --help" "$(completions '' | grep -v -e '^-' | sort)" \
    "$(printf '%s\n' "$commands" |
    grep -v -x -e runner -e agent -e completion | sort)"
is "options of a command" "$(completions log --s | sort | paste -s -d ' ' -)" \
    "--since --state"
is "behind global ones" "$(completions -C /tmp log --rev)" "--reverse"
is "not those that it has not" "$(completions uninit --e)" ""
is "states" "$(completions log --state ro)" "rolled-back"
is "kinds" "$(completions log --kind '' | paste -s -d ' ')" "deploy rollback"
is "when there are colours" "$(completions show --color n)" "never"
is "behind those words" "$(completions --color never log --rev)" "--reverse"
is "commands that help is asked of" "$(completions help ver)" "verify
version"
is "environments" "$(completions -C "$repo" status -e '')" "production
staging"
ln -s "$repo" "$T/it's \"one\".git"
# shellcheck disable=SC2088 # as it was typed
for word in "$T/it\\'s\\ \\\"one\\\".git" "\"$T/it's \\\"one\\\".git\"" \
    "'$T/it'\\''s \"one\".git'" "~/\"../it's \"'\"one\".git'"; do
	is "and in quotes: $word" "$(completions -C "$word" status -e sta)" \
	    staging
done
is "of no repository, none" "$(completions -C "$T" status -e '')" ""
run "$slipway" config -C "$repo" env
like "a key with a name of its own" "$err" "did you mean 'env\.NAME'"
is "keys" "$(completions config keep_)" "keep_failed"
is "folders" "$(cd "$T" && completions -C ho)" "home"
is "a value that nobody knows" "$(completions log --author '')" ""
: > "$T/bad"
for command in $commands; do
	"$slipway" "$command" --help |
	    sed -n 's/^  \(-., \)\{0,1\}\(--[a-z]*\).*/\2/p' | sort > "$T/want"
	completions "$command" -- | sort > "$T/got"
	cmp -s "$T/want" "$T/got" || {
		echo "$command:"
		diff "$T/want" "$T/got"
	} >> "$T/bad"
done
is "every option of every --help" "$(cat "$T/bad")" ""
"$slipway" completion zsh > "$T/_slipway"
if command -v zsh > /dev/null; then
	ok "zsh takes it" zsh -n "$T/_slipway"
	# A real one, on a terminal of its own, with the tabulator pressed.
	cat > "$T/ask.zsh" <<'EOF'
zmodload zsh/zpty
zpty z "PATH='$PATH' zsh -f -i"
zpty -w z "fpath=($1 \$fpath); autoload -U compinit; compinit -u -D"
zpty -w z 'print READY$((1 + 1))'
zpty -r z out '*READY2*'
zpty -w -n z "$2"$'\t'
zpty -r z out "$3"
zpty -d z
print found
EOF
	press() {
		timeout 20 zsh -f "$T/ask.zsh" "$T" "$1" "$2" 2>&1
	}
	is "a command" "$(press 'slipway direc' '*tives*')" found
	is "an option" "$(press 'slipway log --rev' '*erse*')" found
	is "a state" "$(press 'slipway log --state ro' '*rolled-back*')" found
	is "a key" "$(press 'slipway config keep_' '*keep_failed*')" found
	is "a kind" "$(press 'slipway log --kind rollb' '*rollback*')" found
	is "a command to help with" "$(press 'slipway help rollb' \
	    '*rollback*')" found
	is "an environment" "$(press "slipway -C $repo log -e prod" \
	    '*production*')" found
else
	pass "zsh takes it # SKIP there is no zsh"
fi
run "$slipway" completion fish
is_exit "another shell" 2
done_testing
