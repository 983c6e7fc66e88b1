# httpd.sh - a real Apache on 127.0.0.1 with git http-backend behind it.
# Tests that want it source it behind lib.sh.

# start_httpd: for the current user ($http_user), with the names alice and
# bob, and a remote "production" that goes through it, as alice. Skips the rest of the
# test where it cannot be run.
start_httpd() {
	_httpd=$(PATH=$PATH:/usr/sbin:/sbin command -v apache2) ||
	    skip_all "there is no apache2: install/bootstrap test"
	_modules=/usr/lib/apache2/modules
	[ -e "$_modules/mod_cgi.so" ] || skip_all "apache2 has no mod_cgi"
	_backend=$(git --exec-path)/git-http-backend
	[ -x "$_backend" ] || skip_all "there is no git-http-backend"
	_www=$T/www
	mkdir "$_www"
	for _name in alice bob; do
		printf '%s:%s\n' "$_name" "$(perl -e \
		    'print crypt("secret", q($6$slipway$))')"
	done > "$_www/users"
	_as_user=
	http_user=$(id -un)
	# As root, Apache wants to be somebody else, and the repository is
	# root's: a namespace in which root has another number serves both.
	if [ "$(id -u)" -eq 0 ]; then
		_as_user="unshare -U --map-user=1 --map-group=1"
		$_as_user true 2> /dev/null ||
		    skip_all "root cannot have a user namespace here"
		http_user=$($_as_user id -un)
	fi
	_try=0
	while :; do
		_port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET
		    ->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
		_httpd_config
		$_as_user "$_httpd" -X -f "$_www/config" > "$_www/said" 2>&1 &
		httpd_pid=$!
		started "$httpd_pid"
		wait_for 10 _httpd_decided
		ended "$httpd_pid" || break
		_try=$((_try + 1))
		if [ "$_try" -ge 5 ]; then
			diag "$(cat "$_www/said" "$_www/log")"
			skip_all "apache2 does not start here"
		fi
	done
	http_as alice
	git -C "$work" config http.postBuffer 1m
}

# http_as NAME [PASSWORD]: who pushes from now on.
http_as() {
	git -C "$work" remote set-url production \
	    "http://$1:${2-secret}@127.0.0.1:$_port/$(basename "$repo")"
}

_httpd_config() {
	cat > "$_www/config" <<-EOF2
	ServerName localhost
	ServerRoot $_www
	Listen 127.0.0.1:$_port
	PidFile $_www/pid
	ErrorLog $_www/log
	Mutex file:$_www
	LoadModule mpm_prefork_module $_modules/mod_mpm_prefork.so
	LoadModule authn_core_module $_modules/mod_authn_core.so
	LoadModule authn_file_module $_modules/mod_authn_file.so
	LoadModule authz_core_module $_modules/mod_authz_core.so
	LoadModule authz_user_module $_modules/mod_authz_user.so
	LoadModule auth_basic_module $_modules/mod_auth_basic.so
	LoadModule alias_module $_modules/mod_alias.so
	LoadModule env_module $_modules/mod_env.so
	LoadModule cgi_module $_modules/mod_cgi.so
	SetEnv GIT_PROJECT_ROOT $T
	SetEnv GIT_HTTP_EXPORT_ALL 1
	SetEnv GIT_CONFIG_NOSYSTEM 1
	SetEnv HOME $HOME
	ScriptAlias / $_backend/
	<Location />
		AuthType Basic
		AuthName "git"
		AuthUserFile $_www/users
		Require valid-user
	</Location>
	EOF2
}

_httpd_decided() {
	ended "$httpd_pid" || perl -MIO::Socket::INET -e 'exit !IO::Socket::INET
	    ->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0])' "$_port"
}
