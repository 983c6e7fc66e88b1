/*
 * Fleets of a real agent that dies, and of fake ones, which are this test
 * by the name "fake" and misbehave on demand.
 */
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "served.h"

static char *self, *fake, *root;

/* The command tells its own number and that of its agent, which dies. */
static const struct err *
kill_agent(const char *host, const struct message *message, void *ctx)
{
	const char *text = message_get(message, "text");
	int *command_fd = ctx;
	long first = 0, agent = 0;
	char *end;

	(void)host;
	first = strtol(text, &end, 10);
	agent = strtol(end, NULL, 10);
	*command_fd = (int)syscall(SYS_pidfd_open, first, 0);
	if (agent > 1)
		kill((pid_t)agent, SIGKILL);
	return NULL;
}

static void
test_killed_agent(void)
{
	struct host host = { .name = (char *)(uintptr_t)"local" };
	struct message request = MESSAGE_INIT;
	int64_t started_ms = clock_monotonic_ms();
	struct fleet *fleet;
	struct pollfd command = { -1, POLLIN, 0 };

	is_ok(open_fleet(&fleet, self, root, &host, 1), "open a fleet");
	run_request(&request, "echo $$ $PPID; exec sleep 1000");
	is_err(fleet_call(fleet, NULL, &request, kill_agent, &command.fd),
	    ERR_FAILED, "the agent ended (killed by signal 9",
	    "an agent that is killed");
	is_err(fleet_call(fleet, NULL, &request, NULL, NULL), ERR_FAILED,
	    "the agent ended (killed by signal 9", "it stays lost");
	ok(fleet_is_lost(fleet), "the fleet knows");
	ok(clock_monotonic_ms() - started_ms < SOON_MS, "it is told soon");
	message_release(&request);
	fleet_close(fleet);
	ok(!lock_held(root), "the lock died with it");
	is_int(poll(&command, 1, SOON_MS), 1, "so did the command");
	close(command.fd);
}

static void
test_no_program(void)
{
	static const struct {
		const char *program;
		enum err_code code;
		const char *part;
	} cases[] = {
		{ "/nowhere/slipway", ERR_SYSTEM, "/nowhere/slipway" },
		{ "/bin/false", ERR_FAILED, "the agent ended (exit 1)" },
		{ "/bin/echo", ERR_FAILED, "the agent ended (" },
	};
	struct host host = { .name = (char *)(uintptr_t)"local" };
	struct fleet *fleet;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		is_err(open_fleet(&fleet, cases[i].program, root, &host, 1),
		    cases[i].code, cases[i].part, "%s is no agent",
		    cases[i].program);
		ok(fleet == NULL, "there is no fleet");
	}
	fleet_close(NULL);
}

/* The answer of a fake agent; false when it is to leave with status 3. */
static bool
fake_answer(const struct message *request, const char *host,
    struct message *answer)
{
	const char *verb = request->lines[0].value;
	bool second = strcmp(host, "web2") == 0;

	if (second && strcmp(verb, "leave") == 0)
		return false;
	if (second && strcmp(verb, "fail") == 0) {
		message_add(answer, "type", "error");
		message_add(answer, "code", "refused");
		message_add(answer, "text", "not me");
		return true;
	}
	message_add(answer, "type",
	    second && strcmp(verb, "odd") == 0 ? "song" : "result");
	message_add_int(answer, "version",
	    strcmp(verb, "hello") == 0 ? WIRE_VERSION : 0);
	message_add(answer, "current", RELEASE);
	message_add(answer, "host", host);
	if (message_get(request, "text") != NULL)
		message_add(answer, "text", message_get(request, "text"));
	return true;
}

static int
fake_agent(void)
{
	struct pkt_reader reader = PKT_READER_INIT;
	char *host = xstrdup("");
	bool closed = false;
	int status = 0;

	while (status == 0) {
		struct message request = MESSAGE_INIT, note = MESSAGE_INIT;
		struct message answer = MESSAGE_INIT;

		if (message_read(&request, &reader, 0, &closed) != NULL ||
		    closed)
			break;
		if (message_get(&request, "host") != NULL) {
			free(host);
			host = xstrdup(message_get(&request, "host"));
		}
		message_add(&note, "type", "note");
		message_addf(&note, "text", "note of %s", host);
		if (!fake_answer(&request, host, &answer))
			status = 3;
		else if (message_write(&note, 1) != NULL ||
		    message_write(&answer, 1) != NULL)
			status = 4;
		message_release(&request);
		message_release(&note);
		message_release(&answer);
	}
	pkt_reader_release(&reader);
	free(host);
	return status;
}

static const struct err *
call_verb(struct fleet *fleet, const bool *mask, const char *verb,
    struct heard *heard)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	message_add(&request, "verb", verb);
	err = fleet_call(fleet, mask, &request, on_message, heard);
	message_release(&request);
	return err;
}

static const struct err *
refuse(const char *host, const struct message *message, void *ctx)
{
	int *calls = ctx;

	(void)host;
	(void)message;
	++*calls;
	return err_new(ERR_JOURNAL, "no room to write it down");
}

static void
test_answers(struct fleet *fleet)
{
	static const bool mask[] = { true, false, true };
	struct heard heard = HEARD_INIT;
	struct message request = MESSAGE_INIT;
	struct str big = STR_INIT;
	int calls = 0;

	is_ok(call_verb(fleet, NULL, "greet", &heard), "call all hosts");
	is_int((int64_t)heard.hosts.n, 3, "every one is heard");
	for (size_t i = 0; i < 3; i++) {
		char *name = xasprintf("web%zu", i + 1);

		is_str(message_get(fleet_reply(fleet, i), "host"), name,
		    "%s answers for itself", name);
		free(name);
	}
	heard_release(&heard);

	is_ok(call_verb(fleet, mask, "greet", &heard), "call two of them");
	ok(heard.hosts.n == 2 && !vec_has(&heard.hosts, "web2"),
	    "web2 is left alone");
	ok(fleet_reply(fleet, 0) != NULL && fleet_reply(fleet, 1) == NULL &&
	    fleet_reply(fleet, 2) != NULL, "and has no reply");
	heard_release(&heard);

	while (big.len < 1000000)
		str_add(&big, "a long value ");
	message_add(&request, "verb", "greet");
	message_add(&request, "text", big.s);
	is_err(fleet_call(fleet, NULL, &request, refuse, &calls),
	    ERR_JOURNAL, "no room", "a callback that fails fails the call");
	is_int(calls, 1, "it is not called again");
	ok(fleet_reply(fleet, 2) != NULL && strcmp(message_get(
	    fleet_reply(fleet, 2), "text"), big.s) == 0,
	    "a long value goes to and fro all the same");
	message_release(&request);
	str_release(&big);
}

static void
test_failures(struct fleet *fleet, const char *verb, enum err_code code,
    const char *part)
{
	struct heard heard = HEARD_INIT;

	is_err(call_verb(fleet, NULL, verb, &heard), code, part,
	    "one host fails: %s", verb);
	ok(fleet_reply(fleet, 0) != NULL && fleet_reply(fleet, 1) == NULL &&
	    fleet_reply(fleet, 2) != NULL, "the others have answered");
	heard_release(&heard);
}

static void
test_fakes(void)
{
	static const struct {
		const char *verb;
		enum err_code code;
		const char *part;
		bool lost;
	} cases[] = {
		{ "fail", ERR_REFUSED, "host web2: not me", false },
		{ "leave", ERR_FAILED,
		    "host web2: the agent ended (exit 3)", true },
		{ "odd", ERR_FAILED,
		    "host web2: the agent ended (it sent a message of no",
		    true },
	};
	struct host hosts[3] = {
		{ .name = (char *)(uintptr_t)"web1" },
		{ .name = (char *)(uintptr_t)"web2" },
		{ .name = (char *)(uintptr_t)"web3" },
	};
	struct heard heard = HEARD_INIT;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fleet *fleet;

		if (!is_ok(open_fleet(&fleet, fake, root, hosts, 3),
		    "open three"))
			return;
		is_str(fleet_current(fleet, 2), RELEASE, "what is live");
		if (i == 0)
			test_answers(fleet);
		test_failures(fleet, cases[i].verb, cases[i].code,
		    cases[i].part);
		if (cases[i].lost)
			test_failures(fleet, "greet", cases[i].code,
			    cases[i].part);
		else
			is_ok(call_verb(fleet, NULL, "greet", &heard),
			    "the host goes on");
		fleet_close(fleet);
	}
	heard_release(&heard);
}

/* Yes, from the second time on. */
static bool
stop_soon(void *ctx)
{
	int *asked = ctx;

	return ++*asked >= 2;
}

/* It is asked while a command runs, and not when there is no need. */
static void
test_stop(void)
{
	struct host host = { .name = (char *)(uintptr_t)"local" };
	struct message request = MESSAGE_INIT;
	int64_t started_ms = clock_monotonic_ms();
	struct fleet *fleet;
	int asked = 0;

	is_ok(open_fleet(&fleet, self, root, &host, 1), "open a fleet");
	run_request(&request, "exec sleep 1000");
	is_ok(fleet_run(fleet, NULL, &request, NULL, stop_soon, &asked),
	    "a command that is stopped");
	is_int(reply_int(fleet, "stopped"), 1, "was stopped");
	is_int(asked, 2, "nobody is asked after the yes");
	ok(clock_monotonic_ms() - started_ms >= 2 * FLEET_TICK_MS,
	    "nobody is asked more often than told");
	message_release(&request);
	asked = 0;
	run_request(&request, "exit 0");
	is_ok(fleet_run(fleet, NULL, &request, NULL, stop_soon, &asked),
	    "a short one");
	is_int(reply_int(fleet, "exit"), 0, "ends by itself");
	is_int(asked, 0, "and nobody is asked");
	message_release(&request);
	fleet_close(fleet);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "agent") == 0)
		return strcmp(path_base(argv[0]), "fake") == 0 ?
		    fake_agent() : be_agent();
	self = self_path();
	root = make_root();
	fake = path_join(tap_folder(), "fake");
	if (symlink(self, fake) == -1)
		abort();
	test_killed_agent();
	test_no_program();
	test_fakes();
	test_stop();
	free(self);
	free(fake);
	free(root);
	return tap_done();
}
