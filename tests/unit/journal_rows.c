/*
 * The journal's rows of steps and releases, and of what a deploy supersedes.
 */
#include <string.h>

#include "journal/step.h"
#include "journal_fixture.h"

static const struct err *
add_step(const struct step *step, void *ctx)
{
	str_addf(ctx, "%s:%s:%d ", step->action, step->state,
	    (int)step->exit);
	return NULL;
}

static void
is_worst_before(struct journal *journal, const char *action, int64_t id,
    const char *want, const char *name)
{
	char *state;

	is_ok(step_worst_state(journal, 1, action, id, &state), "%s", name);
	is_str(state, want, "%s: its state", name);
	free(state);
}

static void
is_worst(struct journal *journal, const char *action, const char *want,
    const char *name)
{
	is_worst_before(journal, action, 0, want, name);
}

static void
test_steps(void)
{
	struct journal *journal = fixture_journal("steps.db");
	struct step step = { .deploy = 1, .phase = (char *)"migrate",
	    .action = (char *)"one", .host = (char *)"local" };
	struct str list = STR_INIT;

	is_err(step_begin(journal, &step), ERR_JOURNAL, "",
	    "a step of no deploy");
	fixture_request(journal, "a", NULL);
	is_ok(step_begin(journal, &step), "a step");
	step.action = (char *)"two";
	is_ok(step_begin(journal, &step), "another");
	step.state = (char *)"done";
	is_ok(step_end(journal, &step), "it ends");
	is_ok(step_each(journal, 1, false, add_step, &list), "all");
	is_str(list.s, "one:running:-1 two:done:0 ", "oldest first");
	str_clear(&list);
	is_ok(step_each(journal, 1, true, add_step, &list), "all");
	is_str(list.s, "two:done:0 one:running:-1 ", "newest first");
	str_release(&list);
	is_worst(journal, "two", "done", "what was done");
	step.host = (char *)"web2";
	is_ok(step_begin(journal, &step), "on another host");
	is_ok(step_set_state(journal, step.id, "interrupted"), "not there");
	is_worst(journal, "two", "interrupted", "the host that is not done");
	is_ok(step_begin(journal, &step), "there once more");
	is_ok(step_end(journal, &step), "it is done");
	is_worst(journal, "two", "done", "what it is after it ran again");
	is_ok(step_begin(journal, &step), "in the old release");
	is_ok(step_set_state(journal, step.id, "failed"), "it fails");
	is_worst(journal, "two", "failed", "of all");
	is_worst_before(journal, "two", step.id, "done", "before that");
	is_worst(journal, "three", NULL, "what did not run");
	journal_close(journal);
}

/* What the chain knows of a step, and its row does not. */
static void
test_times(void)
{
	struct journal *journal = fixture_journal("times.db");
	struct step step = { .deploy = 1, .phase = (char *)"migrate",
	    .action = (char *)"one", .host = (char *)"local" };
	struct deploy deploy;
	int64_t n;

	fixture_request(journal, "a", NULL);
	is_ok(step_begin(journal, &step), "a step");
	is_ok(step_set_state(journal, step.id, "undoing"), "undone early");
	is_ok(step_times(journal, step.id, "undoing", 1, "preparing", &n),
	    "since what has not been");
	is_int(n, 0, "no times");
	is_ok(deploy_take(journal, "a", &deploy), "it begins");
	is_ok(step_old_from(journal, 1, &n), "of one that goes on");
	is_int(n, 0, "nothing is in the old release");
	is_ok(step_set_state(journal, step.id, "undoing"), "once");
	is_ok(step_set_state(journal, step.id, "undoing"), "and again");
	is_ok(step_set_state(journal, step.id, "undo-failed"), "no more");
	is_ok(step_times(journal, step.id, "undoing", 1, "preparing", &n),
	    "since it began");
	is_int(n, 2, "each time counts");
	deploy.error = xstrdup("failed");
	is_ok(deploy_update(journal, &deploy), "it fails");
	is_ok(step_old_from(journal, 1, &n), "from then on");
	is_int(n, step.id + 1, "steps are in the old release");
	is_ok(step_set_state(journal, step.id, "undone"), "an undo is not");
	is_ok(step_begin(journal, &step), "but this one");
	is_ok(step_old_from(journal, 1, &n), "which stays so");
	is_int(n, step.id, "whatever becomes of the others");
	deploy_release(&deploy);
	journal_close(journal);
}

static const struct err *
request_meanwhile(const struct step_owner *owner, void *ctx)
{
	char *path = path_join(tap_folder(), "owners.db");
	struct journal *other;
	int64_t *sum = ctx;

	*sum = *sum * 10 + owner->deploy;
	is_str(owner->actions.v[0], "one", "what deploy %d did",
	    (int)owner->deploy);
	ok(owner->kept, "its release is kept");
	is_ok(journal_open(&other, path, DB_WRITE), "somebody else");
	fixture_request(other, "b", NULL);
	journal_close(other);
	free(path);
	return NULL;
}

/* However long one looks at them, others write. */
static void
test_owners(void)
{
	struct journal *journal = fixture_journal("owners.db");
	struct step step = { .phase = (char *)"migrate",
	    .action = (char *)"one", .host = (char *)"local",
	    .state = (char *)"done" };
	int64_t sum = 0;

	for (int i = 0; i < 2; i++) {
		step.deploy = fixture_live(journal, "a", i == 0 ?
		    "20260101000000" : "20260101000001", NULL);
		is_ok(step_begin(journal, &step), "it migrates");
		is_ok(step_end(journal, &step), "and is done");
	}
	is_ok(step_owners(journal, "a", 100, request_meanwhile, &sum),
	    "those that did something");
	is_int(sum, 21, "newest first");
	journal_close(journal);
}

/* A clock that was turned back gives no name twice. */
static void
test_new_name(void)
{
	struct journal *journal = fixture_journal("names.db");
	char name[15], today[15];

	clock_stamp(today, clock_now_ms());
	is_ok(release_new_name(journal, name), "a first name");
	ok(strcmp(name, today) >= 0, "is the time");
	fixture_live(journal, "a", "20991231235959", NULL);
	is_ok(release_new_name(journal, name), "behind the newest");
	is_str(name, "21000101000000", "is one second after it");
	fixture_live(journal, "b", "20980101000000", NULL);
	is_ok(release_new_name(journal, name), "in two environments");
	is_str(name, "21000101000000", "it is behind both");
	journal_close(journal);
}

/* Logs of a journal that was lost have the numbers up to one. */
static void
test_numbers(void)
{
	struct journal *journal = fixture_journal("numbers.db");

	is_ok(deploy_number_above(journal, 0), "above none");
	is_int(fixture_request(journal, "a", NULL), 1, "the first is 1");
	is_ok(deploy_number_above(journal, 41), "above 41");
	is_ok(deploy_number_above(journal, 7), "which is above 7");
	is_int(fixture_request(journal, "a", NULL), 42, "the next is 42");
	is_int(fixture_request(journal, "a", NULL), 43, "and so on");
	is_ok(deploy_number_above(journal, 43), "above the last");
	is_int(fixture_request(journal, "a", NULL), 44, "leaves no gap");
	journal_close(journal);
	journal = fixture_journal("numbers.db");
	is_ok(deploy_number_above(journal, 41), "above 41, in a new one");
	is_int(fixture_request(journal, "a", NULL), 42, "begins at 42");
	is_ok(journal_check(journal), "it is sound");
	journal_close(journal);
}

static void
is_disposable(struct journal *journal, int64_t keep_count,
    const char *spared, const char *want)
{
	struct vec names = VEC_INIT;
	struct str joined = STR_INIT;

	is_ok(release_disposable(journal, "a", keep_count, spared, &names),
	    "disposable");
	vec_join(&names, " ", &joined);
	is_str(joined.s, want, "keep %d, spare %s", (int)keep_count,
	    spared == NULL ? "none" : spared);
	str_release(&joined);
	vec_release(&names);
}

static void
test_disposable(void)
{
	static const char *const names[] = {
		"20260101000000", "20260101000001", "20260101000002",
		"20260101000003",
	};
	struct journal *journal = fixture_journal("disposable.db");
	struct deploy broken = DEPLOY_INIT, waits = DEPLOY_INIT;
	struct release release;

	is_err(release_before_live(journal, "a", &release), ERR_NOT_FOUND,
	    "no earlier", "nothing before nothing");
	fixture_request(journal, "a", NULL);
	fixture_plan(journal, "a", "20251231000000", NULL, &broken);
	fixture_move(journal, &broken, DEPLOY_ACTIVATING);
	is_ok(deploy_move(journal, &broken, DEPLOY_BROKEN), "it is broken");
	is_disposable(journal, 4, NULL, "");
	for (int i = 0; i < 4; i++)
		fixture_live(journal, "a", names[i], i == 0 ? NULL :
		    names[i - 1]);
	is_disposable(journal, 4, NULL, "20251231000000");
	is_ok(release_set_state(journal, "a", broken.release, "removed"),
	    "a broken deploy's release goes after all that came later");
	deploy_release(&broken);
	is_ok(db_script(journal_db(journal),
	    "UPDATE releases SET live_by = id"), "one after the other");
	is_disposable(journal, 4, NULL, "");
	is_disposable(journal, 2, NULL, "20260101000000 20260101000001");
	is_disposable(journal, 1, names[2], "20260101000000 20260101000001");
	waits.environment = xstrdup("a");
	waits.kind = xstrdup("rollback");
	waits.commit = xstrdup("");
	waits.pusher = xstrdup("alice");
	waits.target = xstrdup(names[0]);
	is_ok(deploy_request(journal, &waits, NULL), "a rollback waits");
	is_disposable(journal, 1, names[2], "20260101000001");
	is_ok(db_script(journal_db(journal), "UPDATE deploys SET"
	    " state = 'failed' WHERE state = 'queued' AND kind = 'rollback'"),
	    "and is over");
	deploy_release(&waits);
	is_disposable(journal, 1, names[2], "20260101000000 20260101000001");
	is_ok(release_before_live(journal, "a", &release), "before live");
	is_str(release.name, names[2], "is the third");
	release_release(&release);
	is_ok(release_set_state(journal, "a", names[2], "removed"),
	    "it is removed");
	is_err(release_before_live(journal, "a", &release), ERR_NOT_FOUND,
	    "is removed", "and cannot be gone back to");
	is_str(release.name, names[2], "it is told");
	release_release(&release);
	is_err(release_set_state(journal, "a", "x", "removed"),
	    ERR_NOT_FOUND, "no release x", "a name that is not there");
	journal_close(journal);
}

/* Another process that writes at once, as long as nobody reads. */
static const struct err *
write_elsewhere(int64_t number, void *ctx)
{
	is_ok(db_run(ctx, "UPDATE deploys SET error = 'x' WHERE number = ?1",
	    "i", number), "who is told of %d keeps nobody out", (int)number);
	return NULL;
}

static void
test_superseded(void)
{
	struct journal *journal = fixture_journal("superseded.db");
	char *path = path_join(tap_folder(), "superseded.db");
	struct deploy deploy;
	struct db *db;

	for (int i = 0; i < 3; i++)
		fixture_request(journal, "a", NULL);
	is_ok(deploy_take(journal, "a", &deploy), "the newest is taken");
	deploy_release(&deploy);
	is_ok(db_open(&db, path, DB_WRITE), "somebody else comes");
	is_ok(db_script(db, "PRAGMA busy_timeout = 0"), "and does not wait");
	is_ok(deploy_superseded(journal, 3, write_elsewhere, db), "the two");
	is_ok(deploy_get(journal, 2, &deploy), "the last of them");
	is_str(deploy.error, "x", "was told of");
	deploy_release(&deploy);
	db_close(db);
	journal_close(journal);
	free(path);
}

static void
is_alone(struct journal *journal, const char *environment, int64_t want,
    const char *what)
{
	struct deploy deploy;

	is_ok(deploy_get_alone(journal, environment, &deploy), "alone?");
	is_int(deploy.number, want, "%s", what);
	ok(want == 0 || deploy.state == DEPLOY_QUEUED, "and is not taken");
	deploy_release(&deploy);
}

static void
test_alone(void)
{
	struct journal *journal = fixture_journal("alone.db");

	is_alone(journal, "a", 0, "nothing waits");
	fixture_request(journal, "a", NULL);
	fixture_request(journal, "b", NULL);
	is_alone(journal, "a", 1, "one waits alone in its environment");
	fixture_request(journal, "a", NULL);
	is_alone(journal, "a", 0, "of two none does");
	is_ok(db_script(journal_db(journal),
	    "UPDATE deploys SET kind = 'rollback' WHERE number = 2"),
	    "a rollback");
	is_alone(journal, "b", 0, "is no deploy");
	journal_close(journal);
}

int
main(void)
{
	test_steps();
	test_times();
	test_owners();
	test_new_name();
	test_numbers();
	test_disposable();
	test_superseded();
	test_alone();
	return tap_done();
}
