#!/bin/sh
# What git is told elsewhere than in the repository's own config.

. "$(dirname "$0")/../lib.sh"
git config --global --unset gc.auto
make_site

examine() {
	run "$slipway" doctor -C "$repo" --etc "$T/etc"
}

# helps WHAT PATTERN: what the doctor says to do is typed, and does it.
helps() {
	examine
	like "$1 is told" "$out" "^$2"
	printf '%s\n' "$out" | sed -n "/^$2/{n;p;}" > "$T/remedy"
	ok "$1: the remedy can be typed: $(cat "$T/remedy")" sh "$T/remedy"
	examine
	unlike "$1: and helps" "$out" "^$2"
}

prune='warning: gc.pruneExpire: it is now'
git config --global gc.pruneExpire now
helps "what is set for the account" "$prune"
git -C "$repo" config gc.pruneExpire now
helps "and in the repository, too" "$prune"
git config --global --unset gc.pruneExpire
git -C "$repo" config gc.pruneExpire now
helps "what is set in the repository" "$prune"
not_ok "is taken out there" git -C "$repo" config gc.pruneExpire
git config --global core.sharedRepository group
helps "a setting that is shared" 'warning: .*: core.sharedRepository is group'
git config --global --unset core.sharedRepository
git -C "$repo" config core.bare false
helps "a repository that is not bare" 'fault: core.bare: it is false'
git config --global core.bare false
git config --global core.worktree "$T"
examine
unlike "where git looks for it in the repository alone" "$out" '^fault'
git config --global --unset core.bare
git config --global --unset core.worktree

# An included file is not ours to change, and what is in it stays.
inc=$T/included
git config --file "$inc" receive.procReceiveRefs refs/heads/old
git config --file "$inc" gc.pruneExpire now
git -C "$repo" config include.path "$inc"
from="^    remove it from the file that git -C $repo config --show-origin \
--get-all"
examine
like "a branch that is left to us there" "$out" \
    '^fault: receive.procReceiveRefs: refs/heads/old is among its values'
like "has to be removed there" "$out" "$from receive.procReceiveRefs names"
like "so has another setting" "$out" "$from gc.pruneExpire names"
like "where that command finds it" "$(git -C "$repo" config --show-origin \
    --get-all receive.procReceiveRefs)" "^file:${inc}[[:space:]]refs/heads/old"
run "$slipway" init "$repo"
is_exit "an init does not mind" 0
stays="^note: receive.procReceiveRefs = refs/heads/old stays, .* $repo/config \
includes"
like "and says that it stays" "$out" "$stays"
# Twice in the repository's own, it goes at one stroke.
git -C "$repo" config --add receive.procReceiveRefs refs/heads/gone
git -C "$repo" config --add receive.procReceiveRefs refs/heads/gone
run "$slipway" init "$repo"
is_exit "what is there twice" 0
is "is removed" "$(git -C "$repo" config --get-all receive.procReceiveRefs)" \
    "refs/deploy/
refs/heads/old"
run "$slipway" uninit "$repo"
is_exit "uninit does not mind" 0
like "and says that it stays, too" "$out" "$stays"
not_ok "the hooks are gone" test -e "$repo/hooks/proc-receive"

# An error of git's names the key, whatever else git says.
if run_over_git 'case "$*" in
    *--add\ receive.procReceiveRefs*) exit 5 ;;
esac' "$slipway" init "$repo"; then
	is_exit "a git that fails without a word" 1
	like "is told with the key and its exit status" "$err" \
	    '^slipway: git config receive.procReceiveRefs: exit 5$'
fi
done_testing
