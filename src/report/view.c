/*
 * One loop does all: take what the log has, look after the deploy once a
 * second, write what the reader takes. Nothing in it can block: reading is
 * from a file, looking is at a lock and a database, writing is that of
 * outlet.h. Text that waits there leaves the rest in the log.
 */
#include "report/view.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "clock.h"
#include "file.h"
#include "journal/deploy.h"
#include "lock.h"
#include "log.h"
#include "report/absence.h"
#include "report/outlet.h"
#include "report/render.h"

/* Between two looks at the lock and the journal, when nothing happens. */
#define LOOK_MS 1000

/* The same while the reader does not take what is there. */
#define LOOK_STUCK_MS 250

/* Between two looks at the log where inotify is not to be had. */
#define SLICE_MS 50

/*
 * So long the log is looked at as often; to close what watches takes its
 * time. A push waits for such a slice at the end of two hooks.
 */
#define BRIEF_MS 1000
#define BRIEF_SLICE_US 250

/* So long the journal may not be readable before a view gives up. */
#define UNREAD_MS 20000

/* Runners started in a row that left the deploy as it was. */
#define WAKES_MAX 10

struct view {
	const struct view_spec *spec;
	int64_t deploy;		/* the one that is shown now */
	struct log_tail *tail;	/* NULL: the log cannot be read */
	struct render *render;
	struct str line;
	struct str text;	/* of one event */
	struct outlet out;
	struct str waits;	/* it is said to wait: is that so still? */
	bool followed;		/* into "deploy", from another one */
	bool activating;	/* the line "prepared" was passed */
	bool complete;		/* nothing more is to be shown */
	bool over;		/* the deploy is, whatever was shown */
	bool watches;		/* the log, instead of looking at it */
	bool looked;		/* at the journal, at least once */
	int wakes;		/* runners started in this state */
	enum deploy_state state;
	int64_t began_ms;	/* monotonic: the log was opened */
	int64_t look_ms;	/* when to look next */
	int64_t unread_ms;	/* since when the journal cannot be read */
	int64_t patience_ms;	/* with a reader that takes nothing */
};

static void
set_over(struct view *view)
{
	if (!view->over)
		view->out.moved_ms = clock_monotonic_ms();
	view->over = true;
}

static void
set_complete(struct view *view)
{
	view->complete = true;
	set_over(view);
}

static void
close_log(struct view *view)
{
	log_tail_close(view->tail);
	view->tail = NULL;
}

/* A log that cannot be opened is a lost log: the journal will tell. */
static void
open_deploy(struct view *view, int64_t deploy)
{
	char *path = hub_log_path(view->spec->hub, deploy);

	close_log(view);
	render_free(view->render);
	view->render = render_new(view->spec->hub->path);
	view->deploy = deploy;
	view->activating = false;
	view->over = false;
	view->wakes = 0;
	view->watches = false;
	view->began_ms = clock_monotonic_ms();
	view->look_ms = view->began_ms + LOOK_MS;
	if (log_tail_open(&view->tail, path) != NULL)
		view->tail = NULL;
	free(path);
}

static bool
is_apart(const struct view *view, int64_t number)
{
	for (size_t i = 0; i < view->spec->n_apart; i++) {
		if (view->spec->apart[i] == number)
			return true;
	}
	return false;
}

/*
 * One that waited leads to the one that was taken, with a greater number;
 * one that came late to an older row, which waited or was taken. What was
 * taken leads nowhere, so this ends.
 */
static void
follow_into(struct view *view, int64_t next)
{
	if (view->spec->follow && next != view->deploy &&
	    !is_apart(view, next)) {
		open_deploy(view, next);
		view->followed = true;
	} else {
		set_complete(view);
	}
}

static bool
is_shown(const struct view *view, bool was_activating, bool is_end)
{
	switch (view->spec->part) {
	case VIEW_PREPARE:
		return !was_activating && !is_end;
	case VIEW_ACTIVATE:
		return was_activating || is_end;
	default:
		return true;
	}
}

/* Take one line of the log: show it, or not, and see what it means. */
static void
take_line(struct view *view)
{
	bool was_activating = view->activating;
	int64_t next;
	const char *state;
	bool over;

	str_clear(&view->text);
	render_line(view->render, view->line.s, view->line.len, &view->text);
	state = render_state(view->render);
	over = render_is_over(view->render);
	next = render_superseded_by(view->render);
	if (strcmp(state, "prepared") == 0 ||
	    strcmp(state, "activating") == 0)
		view->activating = true;
	str_clear(&view->waits);
	if (view->followed && render_waits(view->render))
		str_add_bytes(&view->waits, view->text.s, view->text.len);
	else if (is_shown(view, was_activating, over && next == 0))
		str_add_bytes(&view->out.text, view->text.s, view->text.len);
	if (over && next != 0)
		follow_into(view, next);
	else if (over || (view->activating &&
	    view->spec->part == VIEW_PREPARE))
		set_complete(view);
}

static void
read_log(struct view *view)
{
	bool found = true;

	while (!view->complete && view->tail != NULL &&
	    !outlet_is_full(&view->out)) {
		if (log_tail_next(view->tail, &view->line, &found) != NULL) {
			close_log(view);
			break;
		}
		if (!found)
			break;
		view->look_ms = clock_monotonic_ms() + LOOK_MS;
		view->unread_ms = 0;
		take_line(view);
	}
	if (!view->spec->follow && (view->tail == NULL || !found))
		set_complete(view);
}

/* The file may be gone while its follower still holds it open. */
static bool
log_is_lost(const struct view *view)
{
	char *path = hub_log_path(view->spec->hub, view->deploy);
	struct stat st;
	bool lost = view->tail == NULL ||
	    (stat(path, &st) == -1 && errno == ENOENT);

	free(path);
	return lost;
}

/*
 * Will the log say no more? The journal knows that a deploy is over before
 * the log says so, and finishing takes its time; but a runner that has
 * left, or deploys another one, writes nothing more about this one.
 */
static const struct err *
is_silent(const struct view *view, struct journal *journal, bool held,
    bool *silent)
{
	struct deploy running;
	const struct err *err;

	*silent = !held || log_is_lost(view);
	if (*silent)
		return NULL;
	err = deploy_get_running(journal, view->spec->environment, &running);
	if (err != NULL)
		return err;
	*silent = running.number != 0 && running.number != view->deploy;
	deploy_release(&running);
	return NULL;
}

static void
conclude(struct view *view, const struct deploy *deploy)
{
	int64_t shown = view->deploy;

	/* What was written since the last look comes first. */
	read_log(view);
	if (view->complete || view->deploy != shown)
		return;
	if (outlet_is_full(&view->out))
		return;
	if (deploy->state == DEPLOY_SUPERSEDED) {
		follow_into(view, deploy->superseded_by);
	} else {
		if (view->spec->part != VIEW_PREPARE)
			absence_last_word(&view->out.text, view->spec->hub,
			    deploy);
		set_complete(view);
	}
}

/*
 * What a deploy waited for before this view came to it is news only while
 * it waits.
 */
static void
judge_waiting(struct view *view, enum deploy_state state)
{
	if (state == DEPLOY_QUEUED && view->spec->part != VIEW_ACTIVATE)
		str_add_bytes(&view->out.text, view->waits.s,
		    view->waits.len);
	str_clear(&view->waits);
}

static const struct err *
wake(struct view *view)
{
	if (view->spec->wake == NULL)
		return NULL;
	if (view->wakes++ == WAKES_MAX)
		return absence_error(view->spec->hub, view->deploy);
	return view->spec->wake(view->spec->hub, view->spec->environment);
}

/*
 * To tell, the kernel holds up everybody's locks for some 10 ms. Of a deploy
 * that is under way the first look takes it that somebody is at work.
 */
static bool
is_held(const struct view *view, const struct deploy *deploy,
    const char *lock_path)
{
	if (!view->looked && deploy->state != DEPLOY_QUEUED &&
	    deploy->finished_at == 0)
		return true;
	return lock_is_held(lock_path);
}

/*
 * A journal that cannot be read now may be later: the deploy is not over
 * because of that, but nobody waits for ever to hear of it.
 */
static const struct err *
cannot_look(struct view *view, const struct err *why)
{
	int64_t now = clock_monotonic_ms();

	if (view->unread_ms == 0)
		view->unread_ms = now;
	if (now - view->unread_ms < UNREAD_MS)
		return NULL;
	return err_new(why->code, "deploy %" PRId64 " cannot be followed any"
	    " longer, and may yet go live: %s", view->deploy, why->text);
}

/*
 * What the journal says, and what follows from it. The lock is looked at
 * after the journal: whoever ended the deploy has then said everything.
 */
static const struct err *
judge(struct view *view, struct journal *journal, const char *lock_path)
{
	struct deploy deploy;
	const struct err *err;
	bool silent = false, over, held;

	err = deploy_get(journal, view->deploy, &deploy);
	if (err != NULL)
		return err->code == ERR_NOT_FOUND ? err :
		    cannot_look(view, err);
	view->unread_ms = 0;
	judge_waiting(view, deploy.state);
	held = is_held(view, &deploy, lock_path);
	view->looked = true;
	over = deploy_is_over(deploy.state);
	if (deploy.state != view->state)
		view->wakes = 0;
	view->state = deploy.state;
	if (over || (view->spec->part == VIEW_PREPARE &&
	    deploy.state >= DEPLOY_PREPARED))
		err = is_silent(view, journal, held || !over, &silent);
	if (err == NULL && over && silent)
		set_over(view);
	if (err == NULL && silent)
		conclude(view, &deploy);
	else if (err == NULL && !over && !held)
		err = wake(view);
	deploy_release(&deploy);
	return err;
}

static const struct err *
look(struct view *view)
{
	const struct view_spec *spec = view->spec;
	struct hub own = { .path = spec->hub->path };
	struct journal *journal = spec->hub->journal;
	const struct err *err = NULL;
	char *lock_path;

	view->look_ms = clock_monotonic_ms() +
	    (outlet_is_full(&view->out) ? LOOK_STUCK_MS : LOOK_MS);
	if (journal == NULL) {
		err = hub_journal(&own, DB_READ);
		if (err != NULL)
			return cannot_look(view, err);
		journal = own.journal;
	}
	lock_path = hub_lock_path(spec->hub, spec->environment);
	err = judge(view, journal, lock_path);
	free(lock_path);
	journal_close(own.journal);
	return err;
}

/* In microseconds; -1: for as long as it takes. */
static int64_t
wait_us(const struct view *view, bool wants_log)
{
	int64_t now = clock_monotonic_ms(), until = view->look_ms;
	int64_t slice_us = view->watches ? SLICE_MS * 1000 : BRIEF_SLICE_US;
	int64_t us;

	if (view->complete && !view->spec->follow)
		return -1;
	if (view->complete || (view->over &&
	    view->out.moved_ms + view->patience_ms < until))
		until = view->out.moved_ms + view->patience_ms;
	us = until <= now ? 0 : (until - now) * 1000;
	return wants_log && log_tail_fd(view->tail) == -1 && slice_us < us ?
	    slice_us : us;
}

/* Wait for the reader, the log, or the next look. */
static void
wait_and_write(struct view *view)
{
	bool wants_log = !view->complete && view->tail != NULL &&
	    !outlet_is_full(&view->out);
	struct pollfd fds[2] = {
		{ .fd = view->out.fd },
		{ .fd = -1, .events = POLLIN },
	};
	struct timespec wait;
	int64_t us;

	if (outlet_waits(&view->out) > 0)
		fds[0].events = POLLOUT;
	/* What came before it was watched is not announced. */
	if (wants_log && !view->watches &&
	    clock_monotonic_ms() >= view->began_ms + BRIEF_MS) {
		log_tail_watch(view->tail);
		view->watches = true;
		return;
	}
	if (wants_log)
		fds[1].fd = log_tail_fd(view->tail);
	us = wait_us(view, wants_log);
	wait = (struct timespec){ us / 1000000, us % 1000000 * 1000 };
	if (ppoll(fds, 2, us == -1 ? NULL : &wait, NULL) <= 0)
		return;
	if ((fds[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
		view->out.gone = true;
	else if ((fds[0].revents & POLLOUT) != 0)
		outlet_write(&view->out);
	if (fds[1].revents != 0)
		log_tail_wait(view->tail, 0);
}

static bool
is_done(const struct view *view)
{
	if (view->out.gone)
		return true;
	if (view->complete && outlet_waits(&view->out) == 0)
		return true;
	return view->spec->follow && view->over &&
	    outlet_waits(&view->out) > 0 &&
	    clock_monotonic_ms() >= view->out.moved_ms + view->patience_ms;
}

static const struct err *
run(struct view *view)
{
	const struct err *err = NULL;

	read_log(view);
	/* What VIEW_PREPARE left is often all that there is. */
	if (!view->complete && view->spec->part == VIEW_ACTIVATE)
		err = look(view);
	view->patience_ms = view->over ? VIEW_LATE_MS : VIEW_PATIENCE_MS;
	while (err == NULL && !is_done(view)) {
		wait_and_write(view);
		read_log(view);
		if (!view->complete && clock_monotonic_ms() >= view->look_ms)
			err = look(view);
	}
	return err;
}

const struct err *
view_deploy(const struct view_spec *spec, int64_t *last)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	struct view view = { .spec = spec, .out.fd = spec->out_fd };
	const struct err *err;

	str_init(&view.line);
	str_init(&view.text);
	str_init(&view.out.text);
	str_init(&view.waits);
	sigaction(SIGPIPE, &ignore, &before);
	open_deploy(&view, spec->deploy);
	err = run(&view);
	sigaction(SIGPIPE, &before, NULL);
	*last = view.deploy;
	close_log(&view);
	render_free(view.render);
	str_release(&view.line);
	str_release(&view.text);
	str_release(&view.out.text);
	str_release(&view.waits);
	return err;
}
