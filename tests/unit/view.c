#include "report/view.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "journal/deploy.h"
#include "journal/event.h"
#include "journal/journal.h"
#include "lock.h"
#include "str.h"
#include "tap.h"

#define COMMIT "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"

static struct hub hub;
static int woken;

static int64_t
request(void)
{
	struct deploy deploy = DEPLOY_INIT;
	int64_t number;

	deploy.environment = xstrdup("production");
	deploy.kind = xstrdup("deploy");
	deploy.commit = xstrdup(COMMIT);
	deploy.pusher = xstrdup("alice");
	is_ok(deploy_request(hub.journal, &deploy, NULL), "a request");
	number = deploy.number;
	deploy_release(&deploy);
	return number;
}

static struct event_log *
open_log(int64_t number)
{
	char *path = hub_log_path(&hub, number);
	struct event_log *log = event_log_open(path);

	free(path);
	return log;
}

static void
write_title(struct event_log *log, int64_t number)
{
	event_add(log, "requested", "isss", "deploy", number, "environment",
	    "production", "kind", "deploy", "commit", COMMIT);
}

static void
write_end(struct event_log *log, int64_t number)
{
	event_add(log, "state", "s", "state", "failed");
	event_add(log, "end", "sis", "state", "failed", "deploy", number,
	    "error", "no");
}

/* A log that goes all the way. */
static void
write_whole(int64_t number)
{
	struct event_log *log = open_log(number);

	write_title(log, number);
	event_add(log, "warning", "s", "text", "early");
	event_add(log, "state", "s", "state", "prepared");
	event_add(log, "warning", "s", "text", "late");
	write_end(log, number);
	event_log_close(log);
}

static const struct err *
wake_nobody(const struct hub *woken_hub, const char *environment)
{
	(void)woken_hub;
	(void)environment;
	return err_new(ERR_FAILED, "nobody to wake");
}

/* A runner that fails what waits at once. */
static const struct err *
wake_runner(const struct hub *woken_hub, const char *environment)
{
	struct deploy deploy;
	const struct err *err;

	(void)woken_hub;
	woken++;
	err = deploy_take(hub.journal, environment, &deploy);
	if (err != NULL || deploy.number == 0)
		return err;
	err = deploy_move(hub.journal, &deploy, DEPLOY_FAILED);
	write_whole(deploy.number);
	deploy_release(&deploy);
	return err;
}

static struct view_spec
spec_of(int64_t number, enum view_part part, bool follow)
{
	return (struct view_spec){
		.hub = &hub,
		.deploy = number,
		.environment = "production",
		.part = part,
		.out_fd = -1,
		.follow = follow,
	};
}

/* What a view writes, into a file. */
static const struct err *
view_text(struct view_spec spec, struct str *out, int64_t *last)
{
	char *path = hub_file(&hub, "out");
	const struct err *err;

	spec.out_fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	str_clear(out);
	err = view_deploy(&spec, last);
	lseek(spec.out_fd, 0, SEEK_SET);
	is_ok(file_read_fd(out, spec.out_fd, 1 << 20), "the text is read");
	close(spec.out_fd);
	free(path);
	return err;
}

static void
is_view(struct view_spec spec, const char *want, int64_t want_last,
    const char *name)
{
	struct str out = STR_INIT;
	int64_t last;

	is_ok(view_text(spec, &out, &last), "%s", name);
	is_str(out.s, want, "%s: the text", name);
	is_int(last, want_last, "%s: the deploy shown", name);
	str_release(&out);
}

#define TITLE "deploy 1: 1a2b3c4 to production\n"
#define BLOCK "error: deploy 1 failed: no\n" \
    "  live          nothing is live yet\n" \
    "  migrations    did not run\n" \
    "  maintenance   not used\n" \
    "  again         slipway retry 1 -C /"

/* The block without its last line, which has the name of the folder. */
static void
test_parts(bool follow)
{
	struct str out = STR_INIT;
	int64_t last;

	is_ok(view_text(spec_of(1, VIEW_ALL, follow), &out, &last), "all");
	ok(str_starts_with(out.s, TITLE "warning: early\nwarning: late\n"
	    BLOCK), "all: from the first to the last line");
	is_view(spec_of(1, VIEW_PREPARE, follow), TITLE "warning: early\n",
	    1, "the first part");
	is_ok(view_text(spec_of(1, VIEW_ACTIVATE, follow), &out, &last),
	    "the second part");
	ok(str_starts_with(out.s, "warning: late\n" BLOCK),
	    "it has what the first left");
	str_release(&out);
}

/* A deploy that failed in its first half has its block in the second. */
static void
test_failed_early(void)
{
	int64_t number = request(), last;
	struct event_log *log = open_log(number);
	struct str out = STR_INIT;

	write_title(log, number);
	write_end(log, number);
	event_log_close(log);
	is_view(spec_of(number, VIEW_PREPARE, true),
	    "deploy 2: 1a2b3c4 to production\n", number, "failed early");
	is_ok(view_text(spec_of(number, VIEW_ACTIVATE, true), &out, &last),
	    "its second part");
	ok(str_starts_with(out.s, "error: deploy 2 failed: no\n"),
	    "is the block");
	str_release(&out);
}

static void
test_superseded(void)
{
	int64_t old = request(), new = request(), last;
	struct event_log *log = open_log(old);
	struct str out = STR_INIT;

	write_title(log, old);
	event_add(log, "superseded", "ib", "by", new, "holds", 1);
	event_log_close(log);
	write_whole(new);
	is_view(spec_of(old, VIEW_PREPARE, true),
	    "deploy 3: 1a2b3c4 to production\n"
	    "deploy 3: superseded, your commit is in deploy 4\n"
	    "deploy 4: 1a2b3c4 to production\nwarning: early\n", new,
	    "superseded");
	is_ok(view_text(spec_of(old, VIEW_ACTIVATE, true), &out, &last),
	    "its second part");
	ok(str_starts_with(out.s, "warning: late\nerror: deploy 4 failed"),
	    "is the successor's");
	is_view(spec_of(old, VIEW_ALL, false),
	    "deploy 3: 1a2b3c4 to production\n"
	    "deploy 3: superseded, your commit is in deploy 4\n",
	    old, "without following it ends there");
	str_release(&out);
}

static void
write_waiting(struct event_log *log)
{
	event_add(log, "waiting", "isi", "for", (int64_t)1, "state",
	    "migrate", "before", (int64_t)0);
}

/* What a deploy waited for is over when a view is led to it. */
static void
test_waited(void)
{
	int64_t old = request(), new = request(), last;
	struct event_log *log = open_log(old);
	struct str out = STR_INIT;

	write_title(log, old);
	write_waiting(log);
	event_add(log, "superseded", "ib", "by", new, "holds", 1);
	event_log_close(log);
	log = open_log(new);
	write_waiting(log);
	event_log_close(log);
	write_whole(new);
	is_ok(view_text(spec_of(old, VIEW_ALL, true), &out, &last),
	    "one that waited");
	ok(strstr(out.s, " waits: deploy 1 is under way (migrate)\n") != NULL,
	    "its own waiting is shown");
	ok(strstr(strstr(out.s, "superseded"), " waits: ") == NULL,
	    "not that of the one that took its place");
	is_ok(view_text(spec_of(new, VIEW_ALL, true), &out, &last),
	    "that one");
	ok(strstr(out.s, " waits: ") != NULL, "tells of it itself");
	str_release(&out);
}

/* Its hooks were slow: the push on top of it had asked already. */
static void
test_late(void)
{
	int64_t new = request(), late = request(), last;
	struct event_log *log = open_log(late);
	struct str out = STR_INIT;

	write_title(log, late);
	event_add(log, "superseded", "i", "by", new);
	event_log_close(log);
	write_whole(new);
	is_ok(view_text(spec_of(late, VIEW_ALL, true), &out, &last),
	    "one that came late");
	is_int(last, new, "leads to an older number");
	ok(strstr(out.s, "warning: late\nerror: deploy ") != NULL,
	    "and shows its end");
	str_release(&out);
}

static void
test_wake(void)
{
	int64_t number = request(), last;
	struct view_spec spec = spec_of(number, VIEW_ALL, true);
	struct str out = STR_INIT;

	spec.wake = wake_nobody;
	is_err(view_text(spec, &out, &last), ERR_FAILED, "nobody to wake",
	    "a runner that cannot be started");
	spec.wake = wake_runner;
	is_ok(view_text(spec, &out, &last), "a runner is started");
	is_int(woken, 1, "once");
	ok(strstr(out.s, "warning: late\nerror: deploy 5 failed: no\n") !=
	    NULL, "and its deploy is shown");
	str_release(&out);
}

/* The log is lost: the journal knows. */
static void
test_lost_log(void)
{
	char *path = hub_log_path(&hub, 5);
	struct str out = STR_INIT;
	int64_t last;

	is_int(unlink(path), 0, "the log is removed");
	is_ok(view_text(spec_of(5, VIEW_ALL, true), &out, &last),
	    "a deploy without its log");
	ok(str_starts_with(out.s, "error: deploy 5 is failed\n"),
	    "its state is told");
	ok(strstr(out.s, "slipway show 5 -C ") != NULL, "and where to look");
	is_view(spec_of(5, VIEW_PREPARE, true), "", 5,
	    "the first part says nothing");
	is_int(mkdir(path, 0700), 0, "a folder is in its place");
	is_ok(view_text(spec_of(5, VIEW_ALL, true), &out, &last),
	    "a log that cannot be read");
	ok(str_starts_with(out.s, "error: deploy 5 is failed\n"),
	    "its state is told as well");
	is_err(view_text(spec_of(99, VIEW_ALL, true), &out, &last),
	    ERR_NOT_FOUND, "99", "a deploy that is not there");
	str_release(&out);
	free(path);
}

/* The end was lost, and the runner is busy with another deploy. */
static void
test_lost_end(void)
{
	int64_t number = request();
	char *lock_path = hub_lock_path(&hub, "production");
	struct event_log *log = open_log(number);
	struct str out = STR_INIT;
	struct deploy deploy;
	struct lock *lock;
	int64_t last;

	write_title(log, number);
	event_log_close(log);
	is_ok(lock_take(&lock, lock_path, "test", 0), "the lock is held");
	is_ok(deploy_take(hub.journal, "production", &deploy), "taken");
	is_ok(deploy_move(hub.journal, &deploy, DEPLOY_FAILED), "failed");
	deploy_release(&deploy);
	request();
	is_ok(deploy_take(hub.journal, "production", &deploy), "the next");
	is_ok(view_text(spec_of(number, VIEW_ALL, true), &out, &last),
	    "a log without its end");
	ok(strstr(out.s, "error: deploy 6 is failed\n") != NULL,
	    "is ended by the journal");
	lock_release(lock);
	is_ok(deploy_move(hub.journal, &deploy, DEPLOY_FAILED), "failed");
	deploy_release(&deploy);
	str_release(&out);
	free(lock_path);
}

static void
test_gone_reader(void)
{
	struct view_spec spec = spec_of(request(), VIEW_ALL, true);
	struct sigaction action;
	int64_t last;
	int fds[2];

	is_int(pipe2(fds, O_CLOEXEC), 0, "a pipe");
	close(fds[0]);
	spec.out_fd = fds[1];
	is_ok(view_deploy(&spec, &last), "a reader that is gone");
	is_int(last, spec.deploy, "the deploy is told");
	sigaction(SIGPIPE, NULL, &action);
	ok(action.sa_handler == SIG_DFL, "SIGPIPE is as it was");
	close(fds[1]);
}

/* More than a pipe takes, and nobody who reads: so long does it take. */
static int64_t
idle_ms(enum view_part part)
{
	int64_t number = request(), start, last;
	struct event_log *log = open_log(number);
	struct view_spec spec = spec_of(number, part, true);
	struct deploy deploy;
	char text[1001];
	int fds[2];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	event_add(log, "state", "s", "state", "activating");
	for (int i = 0; i < 400; i++)
		event_add(log, "warning", "s", "text", text);
	write_end(log, number);
	event_log_close(log);
	is_ok(deploy_take(hub.journal, "production", &deploy), "taken");
	deploy.finished_at = clock_now_ms();
	is_ok(deploy_move(hub.journal, &deploy, DEPLOY_FAILED), "failed");
	deploy_release(&deploy);
	is_int(pipe2(fds, O_CLOEXEC), 0, "a pipe");
	spec.out_fd = fds[1];
	start = clock_monotonic_ms();
	is_ok(view_deploy(&spec, &last), "a reader that does not read");
	start = clock_monotonic_ms() - start;
	close(fds[0]);
	close(fds[1]);
	return start;
}

static void
test_idle_reader(void)
{
	int64_t late_ms = idle_ms(VIEW_ACTIVATE);

	ok(idle_ms(VIEW_ALL) >= VIEW_PATIENCE_MS, "is given its time");
	ok(late_ms >= VIEW_LATE_MS && late_ms < VIEW_PATIENCE_MS,
	    "and less when all was over before the view began");
}

int
main(void)
{
	char *path;

	hub_name(&hub, tap_folder());
	path = hub_file(&hub, "slipway/log");
	is_ok(file_mkdirs(path, 0755), "a hub");
	free(path);
	is_ok(hub_journal(&hub, DB_CREATE), "its journal");
	write_whole(request());
	test_parts(false);
	test_parts(true);
	test_failed_early();
	test_superseded();
	test_wake();
	test_lost_log();
	test_lost_end();
	test_gone_reader();
	test_idle_reader();
	test_late();
	test_waited();
	hub_close(&hub);
	return tap_done();
}
