/*
 * The verb "run", asked of a real agent.
 */
#include <signal.h>

#include "served.h"

static char *self, *root;

static void
write_file(const char *name, const char *text, mode_t mode)
{
	char *path = path_join(root, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd == -1 || file_write_fd(fd, text, strlen(text)) != NULL)
		abort();
	close(fd);
	free(path);
}

/* deploy/ of the release: hooks good and bad. */
static void
make_hooks(void)
{
	char *deploy = path_join(root, RELEASE_DIR "/deploy");
	int dirfd;

	if (mkdir(deploy, 0755) == -1)
		abort();
	write_file(RELEASE_DIR "/deploy/before_build",
	    "#!/bin/sh\npwd\necho \"host $SLIPWAY_HOST\"\n", 0755);
	write_file(RELEASE_DIR "/deploy/after_build", "#!/bin/sh\n", 0644);
	dirfd = open(deploy, O_DIRECTORY | O_CLOEXEC);
	if (symlinkat("before_build", dirfd, "before_test") == -1 ||
	    mkdirat(dirfd, "after_test", 0755) == -1)
		abort();
	close(dirfd);
	free(deploy);
}

static void
test_output(struct fleet *fleet)
{
	static const struct {
		const char *command;
		const char *want;
	} cases[] = {
		{ "true", "" },
		{ "echo one; echo two >&2; printf 'three\\r\\n'; printf x",
		    "one|two|three|x" },
		{ "printf '\\n\\n\\r\\na\\rb\\n'", "|||a\rb" },
		{ "printf 'a\\000\\000b\\n\\000'", "a\\x00\\x00b|\\x00" },
		{ "printf 'end\\r'", "end\r" },
		{ "pwd | sed 's,.*/,,'; umask", RELEASE "|0022" },
		{ "readlink /proc/self/fd/0", "/dev/null" },
		{ "trap", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message request = MESSAGE_INIT;
		struct heard heard = HEARD_INIT;
		struct str got = STR_INIT;

		run_request(&request, cases[i].command);
		is_ok(call(fleet, &request, &heard), "run %s",
		    cases[i].command);
		vec_join(&heard.lines, "|", &got);
		is_str(got.s, cases[i].want, "its output");
		is_int(reply_int(fleet, "exit"), 0, "its exit status");
		heard_release(&heard);
		str_release(&got);
	}
}

/* Lines of "x" of some length, ended somehow: the lengths that arrive. */
static void
test_long_lines(struct fleet *fleet)
{
	static const struct {
		int len;
		const char *end;
		const char *want;
	} cases[] = {
		{ 8191, "\\n", "8191" }, { 8192, "\\n", "8192" },
		{ 8192, "\\r\\n", "8192" }, { 8192, "", "8192" },
		{ 8193, "\\n", "8192 1" }, { 8193, "\\r\\n", "8192 1" },
		{ 8193, "", "8192 1" }, { 16384, "\\n", "8192 8192" },
		{ 16385, "\\n\\n", "8192 8192 1 0" },
		{ 200000, "\\n", "8192 8192 8192 8192 8192 8192 8192 8192"
		    " 8192 8192 8192 8192 8192 8192 8192 8192 8192 8192 8192"
		    " 8192 8192 8192 8192 8192 3392" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message request = MESSAGE_INIT;
		struct heard heard = HEARD_INIT;
		struct str text = STR_INIT;

		str_addf(&text, "head -c %d /dev/zero | tr '\\000' x;"
		    " printf '%s'", cases[i].len, cases[i].end);
		run_request(&request, text.s);
		is_ok(call(fleet, &request, &heard), "a line of %d bytes",
		    cases[i].len);
		str_clear(&text);
		for (size_t k = 0; k < heard.lines.n; k++)
			str_addf(&text, "%s%zu", k == 0 ? "" : " ",
			    strlen(heard.lines.v[k]));
		is_str(text.s, cases[i].want, "in pieces");
		heard_release(&heard);
		str_release(&text);
	}
}

static void
test_cap(struct fleet *fleet)
{
	struct message request = MESSAGE_INIT;
	struct heard heard = HEARD_INIT;
	size_t sum = 0;

	run_request(&request,
	    "head -c 8388618 /dev/zero | tr '\\000' x; exit 4");
	is_ok(call(fleet, &request, &heard), "a command that prints a lot");
	for (size_t i = 0; i < heard.lines.n; i++)
		sum += strlen(heard.lines.v[i]);
	is_int((int64_t)sum, WIRE_OUTPUT_MAX, "its output is capped");
	is_int((int64_t)heard.notes.n, 1, "one note tells");
	is_str(heard.notes.n == 1 ? heard.notes.v[0] : NULL,
	    "10 bytes of output were left out", "how much is missing");
	is_int(reply_int(fleet, "exit"), 4, "its exit status is right");
	heard_release(&heard);
}

static void
test_many_lines(struct fleet *fleet)
{
	struct message request = MESSAGE_INIT;
	struct heard heard = HEARD_INIT;

	run_request(&request, "yes | head -n 50003");
	is_ok(call(fleet, &request, &heard), "a command of many lines");
	is_int((int64_t)heard.lines.n, WIRE_LINES_MAX, "they are capped");
	is_str(heard.notes.n == 1 ? heard.notes.v[0] : NULL,
	    "6 bytes of output were left out", "how much is missing");
	heard_release(&heard);
}

static void
test_ends(struct fleet *fleet)
{
	static const struct {
		const char *command;
		int64_t timeout_ms;
		int64_t exit_status, signal;
		bool timed_out;
	} cases[] = {
		{ "exit 3", 0, 3, 0, false },
		{ "kill -9 $$", 0, -1, SIGKILL, false },
		{ "exec sleep 100", 100, -1, SIGTERM, true },
		{ "exit 0", SOON_MS, 0, 0, false },
		{ "no-such-command-here", 0, 127, 0, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message request = MESSAGE_INIT;
		struct heard heard = HEARD_INIT;

		run_request(&request, cases[i].command);
		message_add_int(&request, "timeout", cases[i].timeout_ms);
		is_ok(call(fleet, &request, &heard), "run %s",
		    cases[i].command);
		is_int(reply_int(fleet, "exit"), cases[i].exit_status,
		    "exit");
		is_int(reply_int(fleet, "signal"), cases[i].signal,
		    "signal");
		is_int(reply_int(fleet, "timed-out"), cases[i].timed_out,
		    "timed-out");
		ok(reply_int(fleet, "ms") >= cases[i].timed_out * 100 &&
		    reply_int(fleet, "ms") < SOON_MS, "ms");
		heard_release(&heard);
	}
}

/* What /usr/bin/env, started by the shell, prints; but for the shell's. */
static void
test_env(struct fleet *fleet)
{
	struct message request = MESSAGE_INIT;
	struct heard heard = HEARD_INIT;
	struct vec want = VEC_INIT;
	struct str got_text = STR_INIT, want_text = STR_INIT;

	proc_base_env(&want);
	for (size_t i = 0; i < want.n; i++) {
		if (str_starts_with(want.v[i], "LANG=")) {
			free(want.v[i]);
			want.v[i] = xstrdup("LANG=de_DE.UTF-8");
		}
	}
	vec_push(&want, "SLIPWAY_HOST=local");
	vec_push(&want, "SLIPWAY_ROLES=web db");
	vec_push(&want, "A=2");
	vec_push(&want, "AB=with space = and 'quotes'");
	vec_push(&want, "EMPTY=");
	run_request(&request, "env | grep -Ev '^(PWD|OLDPWD|SHLVL|_)='");
	message_add(&request, "env", "A=1");
	message_add(&request, "env", "AB=with space = and 'quotes'");
	message_add(&request, "env", "LANG=de_DE.UTF-8");
	message_add(&request, "env", "EMPTY=");
	message_add(&request, "env", "A=2");
	is_ok(call(fleet, &request, &heard), "run env");
	vec_sort(&want);
	vec_sort(&heard.lines);
	vec_join(&heard.lines, "\n", &got_text);
	vec_join(&want, "\n", &want_text);
	is_str(got_text.s, want_text.s, "the environment is exactly this");
	heard_release(&heard);
	vec_release(&want);
	str_release(&got_text);
	str_release(&want_text);
}

static void
test_long_request(struct fleet *fleet)
{
	struct message request = MESSAGE_INIT;
	struct heard heard = HEARD_INIT;
	struct str big = STR_INIT;

	str_add(&big, "BIG=");
	while (big.len < 100004)
		str_addch(&big, 'x');
	run_request(&request, "printf %s \"$BIG\" | wc -c");
	message_add(&request, "env", big.s);
	is_ok(call(fleet, &request, &heard), "a value of 100000 bytes");
	is_str(heard.lines.n == 1 ? heard.lines.v[0] : NULL, "100000",
	    "reaches the command whole");
	heard_release(&heard);
	str_release(&big);
}

static void
test_hooks(struct fleet *fleet)
{
	static const struct {
		const char *hook;
		enum err_code code;
		const char *part;
	} bad[] = {
		{ "after_build", ERR_FAILED, "no executable file" },
		{ "before_test", ERR_FAILED, "no executable file" },
		{ "after_test", ERR_FAILED, "no executable file" },
		{ "after_none", ERR_SYSTEM, "No such file" },
		{ "../../x", ERR_PROTOCOL, "is no hook" },
		{ "", ERR_PROTOCOL, "is no hook" },
	};
	struct message request = MESSAGE_INIT;
	struct heard heard = HEARD_INIT;

	message_add(&request, "verb", "run");
	message_add(&request, "release", RELEASE);
	message_add(&request, "hook", "before_build");
	is_ok(call(fleet, &request, &heard), "run a hook");
	ok(heard.lines.n == 2 &&
	    str_ends_with(heard.lines.v[0], "/releases/" RELEASE),
	    "it runs in the release");
	is_str(heard.lines.n == 2 ? heard.lines.v[1] : NULL, "host local",
	    "with the environment of a command");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		message_add(&request, "verb", "run");
		message_add(&request, "release", RELEASE);
		message_add(&request, "hook", bad[i].hook);
		is_err(call(fleet, &request, &heard), bad[i].code,
		    bad[i].part, "hook '%s' does not run", bad[i].hook);
	}
	heard_release(&heard);
}

static void
test_keep(struct fleet *fleet)
{
	static const char *const commands[] = {
		"echo first; echo longer than the second", "echo second",
	};
	struct heard heard = HEARD_INIT;
	struct message request = MESSAGE_INIT;
	struct str kept = STR_INIT, text = STR_INIT;
	const char *path = NULL;

	for (size_t i = 0; i < 2; i++) {
		str_clear(&text);
		str_addf(&text, "%s; echo aside >&2", commands[i]);
		run_request(&request, text.s);
		message_add(&request, "keep", "updb.before");
		is_ok(call(fleet, &request, &heard), "keep %s", commands[i]);
	}
	if (fleet_reply(fleet, 0) != NULL)
		path = message_get(fleet_reply(fleet, 0), "path");
	ok(path != NULL && str_ends_with(path, "/" RELEASE "/updb.before"),
	    "the path of the record");
	is_ok(file_read(&kept, path == NULL ? "" : path, 1000),
	    "read the record");
	is_str(kept.s, "second\n", "it holds stdout, and nothing older");
	is_int((int64_t)heard.lines.n, 2, "stderr is heard");
	run_request(&request, "head -c 8388613 /dev/zero");
	message_add(&request, "keep", "updb.before");
	is_ok(call(fleet, &request, &heard), "keep too much");
	is_str(heard.notes.n == 1 ? heard.notes.v[0] : NULL,
	    "5 bytes of output were left out", "a note tells");
	run_request(&request, "true");
	message_add(&request, "keep", "../x");
	is_err(call(fleet, &request, &heard), ERR_PROTOCOL, "no name",
	    "a record elsewhere");
	heard_release(&heard);
	str_release(&kept);
	str_release(&text);
}

/* A record that is whole is never taken for another one. */
static void
test_keep_once(struct fleet *fleet)
{
	static const struct {
		const char *command;
		bool once;
		int64_t exit;
		const char *want;	/* what the record holds then */
	} cases[] = {
		{ "echo one; exit 1", true, 1, NULL },
		{ "echo two", true, 0, "two\n" },
		{ "echo three; exit 1", true, 0, "two\n" },
		{ "echo four; exit 1", false, 1, "two\n" },
		{ "echo five", false, 0, "five\n" },
	};
	struct heard heard = HEARD_INIT;
	char *path = path_join(root, ".slipway/record/" RELEASE "/once");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message request = MESSAGE_INIT;
		struct str kept = STR_INIT;
		const struct err *err;

		run_request(&request, cases[i].command);
		message_add(&request, "keep", "once");
		message_add_int(&request, "once", cases[i].once);
		is_ok(call(fleet, &request, &heard), "%s", cases[i].command);
		is_int(reply_int(fleet, "exit"), cases[i].exit, "its exit");
		ok((message_get(fleet_reply(fleet, 0), "sum") != NULL) ==
		    (cases[i].exit == 0), "a sum of what succeeded");
		err = file_read(&kept, path, 1000);
		is_str(err == NULL ? kept.s : NULL, cases[i].want,
		    "the record");
		str_release(&kept);
	}
	heard_release(&heard);
	free(path);
}

static void
test_all(struct fleet *fleet)
{
	test_output(fleet);
	test_long_lines(fleet);
	test_cap(fleet);
	test_many_lines(fleet);
	test_ends(fleet);
	test_env(fleet);
	test_long_request(fleet);
	test_hooks(fleet);
	test_keep(fleet);
	test_keep_once(fleet);
}

int
main(int argc, char **argv)
{
	struct host host = { .name = (char *)(uintptr_t)"local" };
	struct fleet *fleet;

	if (argc == 2 && strcmp(argv[1], "agent") == 0)
		return be_agent();
	self = self_path();
	root = make_root();
	make_hooks();
	vec_push(&host.roles, "web");
	vec_push(&host.roles, "db");
	if (is_ok(open_fleet(&fleet, self, root, &host, 1), "open a fleet"))
		test_all(fleet);
	fleet_close(fleet);
	vec_release(&host.roles);
	free(self);
	free(root);
	return tap_done();
}
