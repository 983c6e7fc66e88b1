#!/bin/sh
# Every fault of slipway.ini refuses the push with nothing changed, and
# names its line.

. "$(dirname "$0")/../lib.sh"

make_site
push_file index.html one "first"
good=$(cat "$repo/slipway.ini")
cp "$repo/slipway.ini" "$T/good.ini"
commit index.html two "second"
before=$(snapshot)

# fault LINE REGEX: slipway.ini from stdin is refused with that line.
fault() {
	cat > "$repo/slipway.ini"
	push_raw
	isnt "$2: the push is refused" "$status" 0
	like "$2: with the line" "$banner" "slipway\.ini:$1: .*$2"
	is "$2: nothing has changed" "$(snapshot)" "$before"
}
top="[environment production]
branch = main
[app]
root = $root"

fault 5 'kep.*keep' <<EOF
$top
kep = 3
EOF
fault 5 'whole number' <<EOF
$top
keep = many
EOF
fault 5 'keep' <<EOF
$top
keep = 0
EOF
fault 5 'keep' <<EOF
$top
keep = -1
EOF
fault 6 'keep.*(twice|line 5|again|already)' <<EOF
$top
keep = 3
keep = 4
EOF
fault 5 'yes or no' <<EOF
$top
strict = maybe
EOF
fault 4 'absolute' <<EOF
[environment production]
branch = main
[app]
root = srv/shop
EOF
fault 5 'shared' <<EOF
$top
shared = ../outside
EOF
fault 5 'shared' <<EOF
$top
shared = /etc/passwd
EOF
fault 5 'only spaces part the words' <<EOF
$top
shared = media/, config/local.php
EOF
fault 2 "ends with a ','.*write" <<EOF
[environment production]
branch = main, develop
[app]
root = $root
EOF
fault 5 'enviroment.*environment' <<EOF
$top
[enviroment staging]
EOF
fault 5 'environment staging' <<EOF
$top
[environment staging]
root = /srv/staging
EOF
fault 7 'environment staging. has a root in that of' <<EOF
$top
[environment staging]
branch = staging
root = $root/staging
EOF
fault 5 'environment' <<EOF
$top
[environment production]
branch = other
EOF
fault 6 '(phase|deploy).*(migrate|phase)' <<EOF
$top
[action x]
phase = deploy
run = true
EOF
fault 5 'run' <<EOF
$top
[action x]
phase = build
EOF
fault 7 'run. has no value' <<EOF
$top
[action x]
phase = build
run =
EOF
fault 5 'phase' <<EOF
$top
[action x]
run = true
EOF
fault 8 'time' <<EOF
$top
[action x]
phase = build
run = true
timeout = soon
EOF
fault 8 '19' <<EOF
$top
[action x]
phase = build
run = true
nice = 20
EOF
fault 8 'lower-case' <<EOF
$top
[action x]
phase = build
run = true
directive = UPDB
EOF
fault 8 'always' <<EOF
$top
[action x]
phase = build
run = true
when = sometimes
EOF
fault 8 'memory|size' <<EOF
$top
[action x]
phase = build
run = true
memory = lots
EOF
fault 8 'environment' <<EOF
$top
[action x]
phase = build
run = true
environment = nowhere
EOF
fault 6 'environment' <<EOF
$top
[host web1]
environment = nowhere
EOF
fault 5 '.' <<EOF
$top
just words
EOF
fault 5 '.' <<EOF
$top
[action x
EOF
fault 5 'env' <<EOF
$top
env.1BAD-NAME = x
EOF
fault 1 '.' <<EOF
root = $root
EOF
{
	printf '%s\n[action x]\nphase = build\nrun = ' "$top"
	head -c 40000 /dev/zero | tr '\0' x
	printf '\n'
} > "$T/long.ini"
fault 7 '.' < "$T/long.ini"

# What only looks into the journal goes on working, and says what is wrong.
printf '%s\nkep = 3\n' "$good" > "$repo/slipway.ini"
for reader in log show verify; do
	run "$slipway" $reader -C "$repo"
	is_exit "$reader works beside a wrong config" 0
	like "$reader warns of it" "$err" "slipway\\.ini:[0-9]+: unknown key"
done
run "$slipway" rollback -C "$repo"
is_exit "rollback does not" 2

# Files that somebody else could have written.
printf '%s\n' "$good" > "$repo/slipway.ini"
for mode in 664 646; do
	chmod "$mode" "$repo/slipway.ini"
	push_raw
	isnt "a config of mode $mode is refused" "$status" 0
	like "mode $mode: it says what to do" "$banner" 'writ|chmod'
	is "mode $mode: nothing has changed" "$(snapshot)" "$before"
	run "$slipway" config -C "$repo"
	is_exit "mode $mode: slipway config refuses it, too" 2
	like "mode $mode: and says what to do" "$err" 'run: chmod go-w'
done
chmod 644 "$repo/slipway.ini"
"$slipway" init "$T/my shop.git" --root "$T/my shop" > "$T/.init" 2>&1
chmod 664 "$T/my shop.git/slipway.ini"
run "$slipway" config -C "$T/my shop.git"
ok "a path with a space is a word of that command" \
    sh -c "$(printf '%s\n' "$err" | sed -n 's/.*run: //p')"
run "$slipway" config -C "$T/my shop.git"
is_exit "which helps" 0
if [ "$(id -u)" -eq 0 ]; then
	chown 12345 "$repo/slipway.ini"
	push_raw
	isnt "a config of somebody else is refused" "$status" 0
	like "it says what to do" "$banner" "chown 0 $repo/slipway\\.ini"
	chown 0 "$repo/slipway.ini"

	# root would leave files behind that the owner cannot replace.
	chown -R nobody "$repo"
	run "$slipway" deploy -C "$repo" main
	is_exit "root does not deploy what is somebody else's" 2
	like "it says as whom to do it" "$err" \
	    "$repo belongs to nobody; .*sudo -u nobody slipway"
	git config --global safe.directory '*'
	push_raw
	isnt "nor when it is pushed" "$status" 0
	like "but then as whom to push" "$banner" \
	    "$repo belongs to nobody; push as that user: over ssh to nobody@"
	unlike "and not what to run" "$banner" 'slipway \.\.\.'
	chown -R nobody "$repo"
	git config --global --unset safe.directory
	run env SUDO_UID="$(id -u nobody)" "$slipway" uninit "$repo"
	is_exit "nor does it take the hooks out" 2
	ok "they are there" test -L "$repo/hooks/pre-receive"
	for reader in log show status verify; do
		run "$slipway" $reader -C "$repo"
		is_exit "root may read it: $reader" 0
	done
	is "and leaves nothing behind" \
	    "$(find "$repo" ! -user nobody | head)" ""
	chown -R 0 "$repo"

	# Nor does anybody else, who may only look.
	chmod 755 "$T"
	for door in deploy retry rollback cancel cleanup resume; do
		run setpriv --reuid nobody --clear-groups "$slipway" "$door" \
		    -C "$repo"
		is_exit "another user: $door" 2
		is "another user: $door: as whom to do it" "$err" \
		    "slipway: $repo belongs to root; run it as that user: sudo -u root slipway ..."
	done
	for reader in log show status config; do
		run setpriv --reuid nobody --clear-groups "$slipway" \
		    "$reader" -C "$repo"
		is_exit "another user may read it: $reader" 0
	done
	chmod 700 "$T"
fi
for other in "$repo" "$repo/site"; do
	sed "s|^root = .*|root = $other|" "$T/good.ini" > "$repo/slipway.ini"
	push_raw
	isnt "the root $other is refused" "$status" 0
	line=$(grep -n '^root' "$repo/slipway.ini" | cut -d : -f 1)
	like "it says why" "$banner" "slipway\.ini:$line: .*in the repository"
done
cp "$T/good.ini" "$repo/slipway.ini"

# In another folder the repository is named, and nothing that cannot work.
lost() {
	run "$slipway" status -C "$1"
	isnt "in $1" "$status" 0
	unlike "in $1: no init" "$err" 'slipway init'
}
lost "$work"
like "in a clone" "$err" "as a remote does: -C $repo\$"
lost "$repo/hooks"
like "in the repository" "$err" "that it is in has one: -C $repo\$"
lost "$root"
like "in the site" "$err" 'no slipway.ini; name the bare repository with -C DIR$'
git init -q --bare "$T/bare.git"
run "$slipway" status -C "$T/bare.git"
like "a bare one can be made one" "$err" "slipway init $T/bare.git --root DIR"
mv "$repo/slipway.ini" "$T/moved"
push_raw
isnt "without a config the push is refused" "$status" 0
like "and it says what writes it" "$banner" \
    "slipway\.ini is not there; slipway init $repo --root DIR writes one"
for door in status config plan deploy rollback resume doctor; do
	run "$slipway" "$door" -C "$repo"
	isnt "so does $door" "$status" 0
	like "$door: with what to do" "$out$err" \
	    "slipway init $repo --root DIR writes one"
done
mkdir "$repo/slipway.ini"
push_raw
isnt "a folder is no config" "$status" 0
rmdir "$repo/slipway.ini"
mv "$T/moved" "$repo/slipway.ini"
check_invariants "after all the faults"

run "$slipway" status -C "$repo"
is_exit "the command line reads the good one" 0
echo nonsense >> "$repo/slipway.ini"
run "$slipway" deploy -C "$repo" main
is_exit "and has exit status 2 for a bad one" 2
like "with the line" "$err" 'slipway\.ini:[0-9]+:'

# A long command, with what inih takes for a comment, arrives whole.
{
	printf '[action long]\nphase = build\nrun = '
	i=0
	while [ $i -lt 300 ]; do
		printf 'echo "%04d ; x" ; ' "$i"
		i=$((i + 1))
	done
	# shellcheck disable=SC2016
	printf 'echo "end # %s" >> "$TRACE"\n' "it's"
} > "$T/long"
ok "the command has more than 5,000 characters" \
    test "$(tail -n 1 "$T/long" | wc -c)" -gt 5000
{
	cat "$T/long"
	printf '[action comments]\nphase = test\n  ; a comment\n# another\n'
	# shellcheck disable=SC2016
	printf '   run = echo "a # b ; c" >> "$TRACE" ; true # d\n'
} | config_trace
push
is_exit "it is deployed" 0
like "all of it ran" "$banner" '\| 0299 ; x'
is "to its last character, and comments are comments" \
    "$(trace | paste -s -d ,)" "end # it's,a # b ; c"

# Without a config the history is there, too; nothing else is done.
mv "$repo/slipway.ini" "$T/moved"
run "$slipway" log -C "$repo"
is_exit "log works without slipway.ini" 0
run "$slipway" status -C "$repo"
is_exit "status does not" 2
mv "$T/moved" "$repo/slipway.ini"
chmod 664 "$repo/slipway.ini"
run "$slipway" status -C "$repo"
like "status warns of a config that pushes are refused for" "$err" \
    'warning: .*can be written by others.*chmod go-w'
chmod 644 "$repo/slipway.ini"
run "$slipway" status -C "$repo"
is "and of no other" "$err" ""

# What every command makes of a wrong one, as slipway(1) has it.
cp "$repo/slipway.ini" "$T/good.ini"
echo 'fase = build' >> "$repo/slipway.ini"
for words in "log 0" "show 0" "verify 0" "audit export 0" "status 2" \
    "plan 2" "deploy 2" "retry 2" "rollback 2" "cancel 1" "config 2" \
    "drift 2" "cleanup 2" "resume 2" "doctor 1"; do
	# shellcheck disable=SC2086 # a command and its word
	run "$slipway" ${words% *} -C "$repo"
	is_exit "a wrong slipway.ini: ${words% *}" "${words##* }"
	like "which tells of it" "$out$err" 'fase'
done
run "$slipway" uninit "$repo"
is_exit "uninit does without it" 0
cp "$T/good.ini" "$repo/slipway.ini"
run "$slipway" init "$repo"
done_testing
