#!/bin/sh
# The repository is packed when nobody waits for it, and not by git itself.

. "$(dirname "$0")/../lib.sh"
make_site
like "init tells git to leave it" "$(cat "$T/.init")" \
    '^set receive.autogc = off$'

# As soon as there are two packs, of which each push brings one.
git -C "$repo" config receive.unpackLimit 1
git -C "$repo" config gc.autoPackLimit 1
git -C "$repo" config gc.auto 1000
cat > "$repo/hooks/pre-auto-gc" <<END
#!/bin/sh
flock -n "$repo/slipway/production.lock" -c true && lock=free || lock=held
echo "\$lock \$(ps -o ni= -p "\$PPID" | tr -d ' ')" >> "$T/packings"
END
chmod +x "$repo/hooks/pre-auto-gc"
: > "$T/packings"

packs() {
	find "$repo/objects/pack" -name '*.pack' | wc -l
}

# packed N: git has looked N times, and is done.
packed() {
	[ "$(wc -l < "$T/packings")" -eq "$1" ] && [ "$(packs)" -eq 1 ] &&
	    [ ! -e "$repo/gc.pid" ]
}

# packs_itself ARGUMENT...: does git look at the end of this push?
packs_itself() {
	GIT_TRACE=$T/trace git -C "$work" push -q production "$@" \
	    > "$T/.push" 2>&1
	grep -q 'receive-pack' "$T/trace" &&
	    grep -q 'run_command: .*\(gc\|maintenance run\) .*--auto' \
	    "$T/trace"
}

push_file index.html one first
is "one pack is left alone" "$(packs) $(cat "$T/packings")" "1 "
commit index.html two second
not_ok "a push that is deployed does not wait for git" packs_itself main
check_invariants "after that"
ok "the runner has it packed" wait_for 20 packed 1
commit index.html three third
not_ok "nor does one that is stored" packs_itself main:refs/heads/other
ok "which is packed, too" wait_for 20 packed 2
is "when the environment is free, and as what matters least" \
    "$(sort -u "$T/packings")" "free 19"

# A git that is to do it itself does.
git -C "$repo" config receive.autogc true
commit index.html four fourth
ok "who wants git to do it is heard" packs_itself main:refs/heads/other
run "$slipway" init "$repo"
is "and not by init alone" "$(git -C "$repo" config receive.autogc)" true
run "$slipway" uninit "$repo"
is "nor by uninit" "$(git -C "$repo" config receive.autogc)" true
git -C "$repo" config --unset receive.autogc
run "$slipway" init "$repo"
is "init sets it" "$(git -C "$repo" config receive.autogc)" off
run "$slipway" uninit "$repo"
like "uninit tells that it goes" "$out" '^removed receive.autogc = off$'
not_ok "and git packs as it does elsewhere" \
    git -C "$repo" config receive.autogc
git -C "$repo" config receive.autogc false
run "$slipway" init "$repo"
run "$slipway" uninit "$repo"
is "what was set without us stays" \
    "$(git -C "$repo" config receive.autogc)" false
git -C "$repo" config receive.autogc maybe
run "$slipway" init "$repo"
is "with what is no boolean git would take no push" \
    "$(git -C "$repo" config receive.autogc)" off

# What keeps git from packing is told by the doctor.
echo 'error: the disk is on fire' > "$repo/gc.log"
run "$slipway" doctor -C "$repo" --etc "$T/etc"
like "a packing that failed" "$out" \
    '^warning: .*gc.log: git packs nothing .*: error: the disk is on fire'
ok "is mended" sh -c "$(printf '%s\n' "$out" | sed -n '/gc.log/{n;p;}')"
not_ok "by what is told" test -e "$repo/gc.log"
echo 'error: the disk is on fire' > "$repo/gc.log"
touch -d '2 days ago' "$repo/gc.log"
run "$slipway" doctor -C "$repo" --etc "$T/etc"
unlike "one that git does not heed any more is not" "$out" 'gc.log'
done_testing
