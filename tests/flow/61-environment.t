#!/bin/sh
# Commands get the same environment, whoever asks and whatever is in the
# environment of the asker: this list, and nothing else.

[ -n "${TMPDIR-}" ] || [ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/../lib.sh"

make_site
mkdir "$T/seen"
config <<EOF2
env.COLOUR = blue = green
env.SEEN = $T/seen

[action see]
phase = build
run = cat /proc/\$\$/environ > \$SEEN/build

[action again]
phase = clear
directive = again
env.ONLY_HERE = yes
run = test -e $T/go || { touch $T/ready; sleep 30; }; cat /proc/\$\$/environ > \$SEEN/clear
EOF2
script deploy/after_build <<'EOF2'
#!/bin/sh
cat "/proc/$$/environ" > "$SEEN/hook"
EOF2

# What might lead a shell, a linker, an interpreter or git astray.
library=$(ldd "$slipway" | sed -n 's/.*libmd.*=> \([^ ]*\).*/\1/p')
cat > "$T/poisoned" <<EOF2
#!/bin/sh
exec env LD_PRELOAD=$library LD_LIBRARY_PATH=$T LD_AUDIT= LD_DEBUG_OUTPUT=$T \
    BASH_ENV=$T/touch ENV=$T/touch SHELLOPTS=xtrace PS4='\$(touch $T/HOSTILE)' \
    IFS=/ CDPATH=/ 'BASH_FUNC_cat%%=() { touch $T/HOSTILE; }' \
    PERL5LIB=$T PYTHONPATH=$T PYTHONSTARTUP=$T/touch RUBYLIB=$T \
    NODE_OPTIONS=--inspect NODE_PATH=$T COMPOSER_HOME=$T JAVA_TOOL_OPTIONS=-x \
    GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=core.fsmonitor \
    GIT_CONFIG_VALUE_0="touch $T/HOSTILE" GIT_CONFIG_KEY_1=core.pager \
    GIT_CONFIG_VALUE_1="touch $T/HOSTILE" GIT_PAGER="touch $T/HOSTILE" \
    GIT_SSH_COMMAND="touch $T/HOSTILE" GIT_EXTERNAL_DIFF="touch $T/HOSTILE" \
    GIT_EDITOR="touch $T/HOSTILE" EDITOR=x PAGER=x TERM=x GIT_TRACE=$T/trace \
    GIT_AUTHOR_NAME=Mallory GIT_COMMITTER_NAME=Mallory TMPDIR=/nowhere \
    LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8 LANGUAGE=tr USER=mallory \
    LOGNAME=mallory SHELL=/bin/false MAIL=x OLDPWD=/ SSH_AUTH_SOCK=$T/x \
    SLIPWAY_ARGUMENT=x SLIPWAY_RECORD=x SLIPWAY_OTHER=x COLOUR=red \
    HTTP_PROXY=http://127.0.0.1:1 http_proxy=http://127.0.0.1:1 \
    AWS_SECRET_ACCESS_KEY=x SECRET=x "\$@"
EOF2
printf 'touch %s\n' "$T/HOSTILE" > "$T/touch"
cat > "$T/receive" <<EOF2
#!/bin/sh
exec $T/poisoned git-receive-pack "\$@"
EOF2
chmod +x "$T/poisoned" "$T/receive"

# expected DEPLOY PUSHER DIRECTIVES ARGUMENT [MORE]: the list, sorted.
expected() {
	_commit=$(deploy "$1" commit)
	_previous=$(deploy "$1" previous)
	[ "$_previous" = null ] && _previous= ||
	    _previous=$root/releases/$_previous
	printf '%s\n' ${5+"$5"} "COLOUR=blue = green" \
	    "HOME=$(getent passwd "$(id -un)" | cut -d : -f 6)" \
	    LANG=C.UTF-8 \
	    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	    "SEEN=$T/seen" SLIPWAY_APP=shop "SLIPWAY_ARGUMENT=$4" \
	    "SLIPWAY_AUTHOR=Alice <alice@example.org>" \
	    "SLIPWAY_BACKUP_DIR=$repo/slipway/backup/$1" \
	    SLIPWAY_BRANCH=main "SLIPWAY_COMMIT=$_commit" \
	    "SLIPWAY_COMMIT_SHORT=$(printf '%.7s' "$_commit")" \
	    "SLIPWAY_CURRENT=$root/current" \
	    "SLIPWAY_DATE=$(TZ=UTC git -C "$work" log -1 --format=%cd \
	        --date=format-local:%Y-%m-%dT%H:%M:%S.000Z "$_commit")" \
	    "SLIPWAY_DEPLOY=$1" "SLIPWAY_DIRECTIVES=$3" \
	    SLIPWAY_ENVIRONMENT=production SLIPWAY_HOST=local \
	    "SLIPWAY_MESSAGE=$(git -C "$work" log -1 --format=%s "$_commit")" \
	    "SLIPWAY_PREVIOUS=$_previous" "SLIPWAY_PUSHER=$2" \
	    "SLIPWAY_RELEASE=$root/releases/$(deploy "$1" release)" \
	    SLIPWAY_ROLES= "SLIPWAY_SHARED=$root/shared" TZ=UTC \
	    "USER=$(id -un)" | LC_ALL=C sort
}
# The message has a newline of its own at its end.
seen() {
	tr '\n\0' ' \n' < "$T/seen/$1" | sed 's/ $//' | LC_ALL=C sort
	rm -f "$T/seen/$1"
}
me=$(id -un)

push_file index.html one "one" --receive-pack="$T/receive" main
is_exit "a push succeeds, whatever is in its environment" 0
want=$(expected 1 "$me" "" "")
is "its commands see what they should" "$(seen build)" "$want"
is "and so does a hook of the release" "$(seen hook)" "$want"

# By hand.
touch "$T/go"
run "$T/poisoned" "$slipway" deploy -C "$repo" -d again:x
check_invariants "after slipway deploy"
is_exit "slipway deploy" 0
want=$(expected 2 "$me" again "")
is "is the same" "$(seen build)" "$want"
is "for hooks of the release" "$(seen hook)" "$want"
is "and an action has its own besides" "$(seen clear)" \
    "$(expected 2 "$me" again x ONLY_HERE=yes)"

# After a crash.
rm "$T/go"
commit index.html two "two -again-"
setsid git -C "$work" push -q production main > "$T/push.out" 2>&1 \
    < /dev/null &
pid=$!
started "$pid"
ok "a command is under way" wait_for 10 test -e "$T/ready"
kill -9 "-$pid"
for p in $(program runner); do
	kill -9 "$p"
done
wait_for 10 idle
touch "$T/go"
run "$T/poisoned" "$slipway" resume -C "$repo"
check_invariants "after slipway resume"
is "slipway resume finishes it" "$(deploy 3 state)" live
is "and is the same" "$(seen clear)" \
    "$(expected 3 "$me" again "" ONLY_HERE=yes)"
run "$T/poisoned" "$slipway" rollback -C "$repo"
check_invariants "after slipway rollback"
is_exit "slipway rollback" 0
is "is the same" "$(seen clear | grep -c .)" \
    "$(expected 3 "$me" again "" ONLY_HERE=yes | grep -c .)"

# Over ssh.
start_sshd
rm -f "$T/seen"/*
push_file index.html three "three" --receive-pack="$T/receive" main
is_exit "a push over ssh" 0
name=$(ssh-keygen -lf "$T/ssh/alice.pub" | cut -d ' ' -f 2)
# The rollback has left the second commit to be deployed again.
want=$(expected "$(newest deploy)" "$name" again "")
is "is the same, but for the name" "$(seen build)" "$want"
is "for hooks of the release" "$(seen hook)" "$want"
not_ok "and nothing went astray" test -e "$T/HOSTILE"
done_testing
