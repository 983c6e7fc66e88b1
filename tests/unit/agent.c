/*
 * A real agent, through a fleet of one and without a fleet.
 */
#include <errno.h>
#include <signal.h>

#include "served.h"

static char *self, *root;

/* Each pair of words is a line. */
static const struct {
	const char *lines[8];
	enum err_code code;
	const char *part;
} bad[] = {
	{ { "verb", "dance" }, ERR_PROTOCOL, "unknown verb" },
	{ { "word", "run" }, ERR_PROTOCOL, "begin with its verb" },
	{ { "verb", "hello", "version", "99" }, ERR_PROTOCOL,
	    "version 99" },
	{ { "verb", "open", "root", "/x" }, ERR_PROTOCOL,
	    "open already" },
	{ { "verb", "run", "command", "x" }, ERR_PROTOCOL,
	    "no 'release'" },
	{ { "verb", "run", "release", "../../etc" }, ERR_PROTOCOL,
	    "is no release" },
	{ { "verb", "run", "release", "20261120101599",
	    "command", "true" }, ERR_NOT_FOUND, "20261120101599" },
	{ { "verb", "run", "release", RELEASE }, ERR_PROTOCOL,
	    "either" },
	{ { "verb", "run", "release", RELEASE, "command", "true",
	    "hook", "before_build" }, ERR_PROTOCOL, "either" },
	{ { "verb", "run", "release", RELEASE, "command", "true",
	    "timeout", "-1" }, ERR_PROTOCOL, "out of range" },
	{ { "verb", "run", "release", RELEASE, "command", "true",
	    "nice", "20" }, ERR_PROTOCOL, "out of range" },
	{ { "verb", "run", "release", RELEASE, "command", "true",
	    "memory", "1G" }, ERR_PROTOCOL, "out of range" },
	{ { "verb", "run", "release", RELEASE, "command", "true",
	    "env", "NOVALUE" }, ERR_PROTOCOL, "no NAME=value" },
	{ { "verb", "run", "release", RELEASE, "command", "true",
	    "env", "=x" }, ERR_PROTOCOL, "no NAME=value" },
	{ { "verb", "run", "release", RELEASE, "command", "true",
	    "env", "1A=x" }, ERR_PROTOCOL, "no NAME=value" },
	{ { "verb", "checkout", "release", RELEASE, "commit",
	    "HEAD" }, ERR_PROTOCOL, "is no commit" },
	{ { "verb", "configure", "release", RELEASE, "shared",
	    "../x" }, ERR_PROTOCOL, "no path in a release" },
	{ { "verb", "flip", "release", "x" }, ERR_PROTOCOL,
	    "is no release" },
	{ { "verb", "flip" }, ERR_PROTOCOL, "no 'release'" },
	{ { "verb", "seal", "release", "." }, ERR_PROTOCOL,
	    "is no release" },
	{ { "verb", "hooks", "release", "" }, ERR_PROTOCOL,
	    "is no release" },
	{ { "verb", "verify", "release", "x" }, ERR_PROTOCOL,
	    "is no release" },
	{ { "verb", "busy", "release", RELEASE, "release", "x" },
	    ERR_PROTOCOL, "is no release" },
	{ { "verb", "remove", "release", RELEASE, "release", "x" },
	    ERR_PROTOCOL, "is no release" },
	{ { "verb", "fail", "release", RELEASE, "keep", "-1" },
	    ERR_PROTOCOL, "out of range" },
};

/* The agent goes on after each. */
static void
test_refused(struct fleet *fleet)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct heard heard = HEARD_INIT;
		struct message request = MESSAGE_INIT;

		for (size_t k = 0; k < 8 && bad[i].lines[k] != NULL; k += 2)
			message_add(&request, bad[i].lines[k],
			    bad[i].lines[k + 1]);
		is_err(call(fleet, &request, &heard), bad[i].code,
		    bad[i].part, "refused: %s %s (%zu)", bad[i].lines[0],
		    bad[i].lines[1], i);
		ok(fleet_reply(fleet, 0) == NULL, "there is no reply");
		heard_release(&heard);
	}
}

static void
test_store_verbs(struct fleet *fleet)
{
	struct heard heard = HEARD_INIT;
	struct message request = MESSAGE_INIT;
	const struct message *reply;

	message_add(&request, "verb", "list");
	is_ok(call(fleet, &request, &heard), "list");
	reply = fleet_reply(fleet, 0);
	is_str(reply == NULL ? NULL : message_get(reply, "release"), RELEASE,
	    "the release is listed");
	is_str(reply == NULL ? NULL : message_get(reply, "current"), "",
	    "none is live");
	message_add(&request, "verb", "sweep");
	is_ok(call(fleet, &request, &heard), "sweep");
	message_add(&request, "verb", "busy");
	message_add(&request, "release", RELEASE);
	is_ok(call(fleet, &request, &heard), "busy");
	reply = fleet_reply(fleet, 0);
	ok(reply != NULL && message_get(reply, "busy") == NULL,
	    "nobody is in the release");
	heard_release(&heard);
}

/* The live release resists; the other goes all the same. */
static void
test_remove(struct fleet *fleet)
{
	struct heard heard = HEARD_INIT;
	struct message request = MESSAGE_INIT;
	struct vec removed = VEC_INIT;
	char *other = path_join(root, "releases/20261120101501");

	if (mkdir(other, 0755) == -1)
		abort();
	message_add(&request, "verb", "flip");
	message_add(&request, "release", RELEASE);
	is_ok(call(fleet, &request, &heard), "flip");
	message_add(&request, "verb", "list");
	is_ok(call(fleet, &request, &heard), "list");
	is_str(message_get(fleet_reply(fleet, 0), "current"), RELEASE,
	    "the release is live");
	message_add(&request, "verb", "remove");
	message_add(&request, "release", RELEASE);
	message_add(&request, "release", "20261120101501");
	is_ok(call(fleet, &request, &heard), "remove");
	message_all(fleet_reply(fleet, 0), "removed", &removed);
	ok(removed.n == 1 && vec_has(&removed, "20261120101501") &&
	    !file_exists(AT_FDCWD, other), "the other one has gone");
	ok(heard.notes.n == 1 && str_starts_with(heard.notes.v[0],
	    "release " RELEASE " was not removed: "),
	    "a note tells what resisted");
	message_add(&request, "verb", "flip");
	message_add(&request, "release", "");
	is_ok(call(fleet, &request, &heard), "flip to nothing");
	message_add(&request, "verb", "list");
	is_ok(call(fleet, &request, &heard), "list");
	is_str(message_get(fleet_reply(fleet, 0), "current"), "",
	    "none is live");
	heard_release(&heard);
	vec_release(&removed);
	free(other);
}

static void
test_fleet(void)
{
	struct host host = { .name = (char *)(uintptr_t)"local" };
	struct fleet *fleet;

	if (!is_ok(open_fleet(&fleet, self, root, &host, 1), "open a fleet"))
		return;
	is_str(fleet_current(fleet, 0), "", "no release is live");
	test_refused(fleet);
	test_store_verbs(fleet);
	test_remove(fleet);
	fleet_close(fleet);
	ok(!lock_held(root), "a closed fleet leaves no lock");
}

/* Start a real agent without a fleet and open the root. */
static void
start_agent(pid_t *pid, int *fd)
{
	if (local_start(pid, fd, self) != NULL)
		abort();
}

static void
send_open(int fd)
{
	struct message request = MESSAGE_INIT;

	message_add(&request, "verb", "open");
	message_add(&request, "repo", "/nowhere.git");
	message_add(&request, "root", root);
	message_add(&request, "environment", "production");
	message_add(&request, "host", "local");
	is_ok(message_write(&request, fd), "send open");
	message_release(&request);
}

static void
send_run(int fd, const char *command)
{
	struct message request = MESSAGE_INIT;

	run_request(&request, command);
	is_ok(message_write(&request, fd), "send run");
	message_release(&request);
}

/* The next message is of this type; its value of "key", given. */
static char *
hear(struct pkt_reader *reader, int fd, const char *type, const char *key)
{
	struct message message = MESSAGE_INIT;
	char *value = NULL;
	bool closed = false;

	is_ok(message_read(&message, reader, fd, &closed), "hear");
	is_str(closed ? NULL : message_get(&message, "type"), type,
	    "it is of type %s", type);
	if (!closed)
		value = xstrdup_null(message_get(&message, key));
	message_release(&message);
	return value;
}

static void
test_before_open(void)
{
	struct pkt_reader reader = PKT_READER_INIT;
	struct message request = MESSAGE_INIT;
	struct proc_result how;
	pid_t pid;
	char *got;
	int fd;

	start_agent(&pid, &fd);
	send_run(fd, "true");
	got = hear(&reader, fd, "error", "text");
	is_str(got, "'run' came before 'open'", "what came first");
	free(got);
	message_add(&request, "verb", "hello");
	message_add_int(&request, "version", WIRE_VERSION);
	is_ok(message_write(&request, fd), "send hello");
	message_release(&request);
	got = hear(&reader, fd, "result", "version");
	is_str(got, "1", "the agent goes on");
	free(got);
	is_ok(file_write_fd(fd, "0007K x", 7), "send rubbish");
	got = hear(&reader, fd, "error", "code");
	is_str(got, "protocol", "it is called that");
	free(got);
	ok(local_wait(pid, clock_monotonic_ms() + SOON_MS, &how) &&
	    how.exit_status == 1, "the agent leaves");
	pkt_reader_release(&reader);
	file_close(&fd);
}

static bool
vanishes(pid_t pid)
{
	int64_t until_ms = clock_monotonic_ms() + SOON_MS;

	while (kill(pid, 0) == 0 && clock_monotonic_ms() < until_ms)
		usleep(1000);
	return kill(pid, 0) == -1 && errno == ESRCH;
}

/*
 * The runner goes away in the middle of a command: the command ends, and
 * the next agent, which has been waiting for the root, gets it.
 */
static void
test_hangup(void)
{
	struct pkt_reader one = PKT_READER_INIT, two = PKT_READER_INIT;
	pid_t pids[2], command;
	struct proc_result how;
	int fds[2];
	char *got;

	start_agent(&pids[0], &fds[0]);
	start_agent(&pids[1], &fds[1]);
	send_open(fds[0]);
	free(hear(&one, fds[0], "result", "current"));
	ok(lock_held(root), "the agent holds the lock");
	send_run(fds[0], "echo $$; exec sleep 1000");
	got = hear(&one, fds[0], "output", "text");
	command = got == NULL ? 0 : (pid_t)atol(got);
	free(got);
	ok(command > 1 && kill(command, 0) == 0, "the command runs");
	send_open(fds[1]);
	file_close(&fds[0]);
	ok(local_wait(pids[0], clock_monotonic_ms() + SOON_MS, &how) &&
	    how.exit_status == 0, "the agent leaves, all is well");
	ok(command > 1 && vanishes(command), "the command has ended");
	free(hear(&two, fds[1], "result", "current"));
	ok(lock_held(root), "the next agent has the lock");
	file_close(&fds[1]);
	local_end(pids[1], clock_monotonic_ms() + SOON_MS);
	ok(!lock_held(root), "the lock is released");
	pkt_reader_release(&one);
	pkt_reader_release(&two);
}

/* A request that waits in the socket is no hangup. */
static void
test_pipelined(void)
{
	struct pkt_reader reader = PKT_READER_INIT;
	struct message request = MESSAGE_INIT;
	char *fifo = path_join(root, "fifo"), *got;
	pid_t pid;
	int fd, gate;

	if (mkfifo(fifo, 0600) == -1)
		abort();
	start_agent(&pid, &fd);
	send_open(fd);
	free(hear(&reader, fd, "result", "current"));
	send_run(fd, "echo ready; read word < ../../fifo; echo $word");
	free(hear(&reader, fd, "output", "text"));
	message_add(&request, "verb", "list");
	is_ok(message_write(&request, fd), "send another request");
	message_release(&request);
	gate = open(fifo, O_WRONLY | O_CLOEXEC);
	is_ok(file_write_fd(gate, "open\n", 5), "let the command go on");
	file_close(&gate);
	got = hear(&reader, fd, "output", "text");
	is_str(got, "open", "the command lives");
	free(got);
	got = hear(&reader, fd, "result", "exit");
	is_str(got, "0", "and ends by itself");
	free(got);
	got = hear(&reader, fd, "result", "release");
	is_str(got, RELEASE, "then the other request is answered");
	free(got);
	file_close(&fd);
	local_end(pid, clock_monotonic_ms() + SOON_MS);
	pkt_reader_release(&reader);
	free(fifo);
}

static void
send_verb(int fd, const char *verb)
{
	struct message request = MESSAGE_INIT;

	message_add(&request, "verb", verb);
	is_ok(message_write(&request, fd), "send %s", verb);
	message_release(&request);
}

static void
is_heard(struct pkt_reader *reader, int fd, const char *key,
    const char *want, const char *name)
{
	char *got = hear(reader, fd, "result", key);

	is_str(got, want, "%s", name);
	free(got);
}

/*
 * "stop" ends the command that runs, whenever it comes; too late it is
 * read over, and the next request is answered.
 */
static void
test_stop(void)
{
	struct pkt_reader reader = PKT_READER_INIT;
	pid_t pid;
	int fd;

	start_agent(&pid, &fd);
	send_open(fd);
	free(hear(&reader, fd, "result", "current"));
	send_run(fd, "echo ready; sleep 1000");
	free(hear(&reader, fd, "output", "text"));
	send_verb(fd, "stop");
	is_heard(&reader, fd, "signal", "15", "the command is ended");
	send_run(fd, "trap 'exit 0' TERM; echo ready; sleep 1000 & wait");
	free(hear(&reader, fd, "output", "text"));
	send_verb(fd, "stop");
	is_heard(&reader, fd, "stopped", "1", "also one that calls it well");
	send_run(fd, "exit 3");
	is_heard(&reader, fd, "exit", "3", "this one ends by itself");
	send_verb(fd, "stop");
	send_run(fd, "exit 4");
	is_heard(&reader, fd, "exit", "4", "the next one is not ended");
	send_run(fd, "sleep 1000");
	send_verb(fd, "stop");
	send_verb(fd, "list");
	is_heard(&reader, fd, "stopped", "1", "all at once");
	is_heard(&reader, fd, "release", RELEASE, "and a request behind");
	file_close(&fd);
	local_end(pid, clock_monotonic_ms() + SOON_MS);
	pkt_reader_release(&reader);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "agent") == 0)
		return be_agent();
	self = self_path();
	root = make_root();
	test_fleet();
	test_before_open();
	test_pipelined();
	test_hangup();
	test_stop();
	free(self);
	free(root);
	return tap_done();
}
