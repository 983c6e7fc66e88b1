#!/bin/sh
# What a file may do beyond its mode, set by hand, goes into no other release.

. "$(dirname "$0")/../lib.sh"

touch "$T/probe"
setcap cap_net_raw+ep "$T/probe" 2>/dev/null ||
    skip_all "nobody can set a file capability here"

# capable FILE: whether that of the live release has one.
capable() {
	getcap "$root/current/$1" | grep -q cap_net_raw
}

for store in link copy; do
	make_site
	config <<-EOF_CONFIG
		store = $store
		keep = 1
		[action own]
		phase = build
		run = setcap cap_net_raw+ep bin/own
	EOF_CONFIG
	for name in node own; do
		put "bin/$name" "a program"
		chmod +x "$work/bin/$name"
	done
	git -C "$work" add -A
	commit index.html 1 "with store = $store"
	push
	is_exit "store = $store: the site is deployed" 0
	ok "a command gives a file a capability" capable bin/own
	run "$slipway" drift -C "$repo" --deep
	is_exit "which is no drift" 0
	setcap cap_net_raw+ep "$root/current/bin/node"
	run "$slipway" drift -C "$repo"
	is_exit "one by hand is" 1
	like "and told as that" "$out" \
	    '^mode +bin/node +\(with a file capability, since'
	for i in 2 3 4; do
		commit index.html "$i" "release $i"
		push
	done
	not_ok "it goes over into no release" capable bin/node
	ok "a command gives its file one each time" capable bin/own
	setcap cap_net_raw+ep "$root/current/bin/node"
	run "$slipway" drift -C "$repo" --repair
	is_exit "it is put right" 0
	like "and told to be in no commit" "$err" \
	    'bin/node is left out: .* rights: with a file capability$'
	not_ok "and is gone" capable bin/node
	rm -rf "$repo" "$root" "$work"
	_sites=
done
done_testing
