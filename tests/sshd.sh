# sshd.sh - a real sshd on 127.0.0.1. A part of lib.sh.

# start_sshd: a real one on 127.0.0.1, for the current user, and a remote
# "production" that goes through it. Skips the rest of the test where no
# sshd can be run.
start_sshd() {
	_sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) ||
	    skip_all "there is no sshd"
	_ssh=$T/ssh
	mkdir -m 700 "$_ssh"
	if [ "$(id -u)" -eq 0 ]; then
		mkdir -p /run/sshd
	fi
	ssh-keygen -q -t ed25519 -N '' -C host -f "$_ssh/host"
	ssh-keygen -q -t ed25519 -N '' -C alice@laptop -f "$_ssh/alice"
	cp "$_ssh/alice.pub" "$_ssh/authorized_keys"
	_try=0
	while :; do
		_port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET
		    ->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
		_sshd_config
		"$_sshd" -D -e -f "$_ssh/config" 2> "$_ssh/log" &
		sshd_pid=$!
		started "$sshd_pid"
		wait_for 10 _sshd_decided
		grep -q 'Server listening' "$_ssh/log" && break
		_try=$((_try + 1))
		if [ "$_try" -ge 5 ]; then
			diag "$(cat "$_ssh/log")"
			skip_all "sshd does not start here"
		fi
	done
	printf '[127.0.0.1]:%s %s\n' "$_port" "$(cat "$_ssh/host.pub")" \
	    > "$_ssh/known_hosts"
	GIT_SSH_COMMAND="ssh -F none -i $_ssh/alice -o IdentitiesOnly=yes \
-o BatchMode=yes -o StrictHostKeyChecking=yes \
-o UserKnownHostsFile=$_ssh/known_hosts -o GlobalKnownHostsFile=/dev/null"
	export GIT_SSH_COMMAND
	git -C "$work" remote set-url production \
	    "ssh://$(id -un)@127.0.0.1:$_port$repo"
}

_sshd_config() {
	cat > "$_ssh/config" <<-EOF
	Port $_port
	ListenAddress 127.0.0.1
	HostKey $_ssh/host
	AuthorizedKeysFile $_ssh/authorized_keys
	PidFile none
	StrictModes no
	UsePAM no
	PasswordAuthentication no
	KbdInteractiveAuthentication no
	PermitRootLogin prohibit-password
	ExposeAuthInfo yes
	PermitUserEnvironment REMOTE_USER
	PrintMotd no
	SetEnv HOME=$HOME GIT_CONFIG_NOSYSTEM=1
	EOF
}

_sshd_decided() {
	ended "$sshd_pid" || grep -q 'Server listening' "$_ssh/log"
}
