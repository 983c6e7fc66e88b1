/*
 * What the journal says of itself, of what is live, of work that nobody does,
 * and of the time.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "clock.h"
#include "cmd/doctor.h"
#include "deploy/returned.h"
#include "file.h"
#include "journal/chain.h"
#include "journal/deploy.h"
#include "journal/journal.h"
#include "path.h"
#include "plan/takes.h"
#include "release/store.h"
#include "report/current.h"
#include "report/left.h"
#include "report/line.h"

/* Clocks of one machine that differ by less have not been set back. */
#define BACK_MS 5000

/* The whole journal was read by then, so that this costs little more. */
static const struct err *
look_at_chain(struct doctor *doctor, const char *path)
{
	char *remedy = doctor_command("slipway verify -C ", doctor->hub->path,
	    " tells which");
	struct vec faults = VEC_INIT;
	const struct err *err;
	char head[CHAIN_HEX_SIZE];
	int64_t events;

	err = chain_verify(doctor->hub->journal, &faults, &events, head);
	if (err == NULL && faults.n > 0)
		doctor_tell(doctor, LEVEL_FAULT, path, remedy, "%zu of its"
		    " rows and events were changed behind Slipway's back",
		    faults.n);
	vec_release(&faults);
	free(remedy);
	return err;
}

const struct err *
doctor_journal(struct doctor *doctor)
{
	char *path = hub_file(doctor->hub, "slipway/journal.db");
	struct str remedy = STR_INIT;
	const struct err *err;

	str_addf(&remedy, "restore it from a backup; without one, %sslipway"
	    " init ", file_exists(AT_FDCWD, path) ? "move it away, then " :
	    "");
	str_add(&remedy, doctor->hub->word);
	str_add(&remedy, " makes a new one");
	err = hub_journal(doctor->hub, DB_READ);
	if (err == NULL)
		err = journal_check(doctor->hub->journal);
	if (err == NULL)
		err = look_at_chain(doctor, path);
	if (err != NULL)
		doctor_tell(doctor, LEVEL_FAULT, path, remedy.s, "%s",
		    doctor_without(err->text, path));
	str_release(&remedy);
	free(path);
	return NULL;
}

/* In a root that is another's, which is told by then, no deploy turns it. */
static const struct err *
look_at_current(struct doctor *doctor, const struct environment *env)
{
	struct str fault = STR_INIT, target = STR_INIT;
	struct deploy live = DEPLOY_INIT, running = DEPLOY_INIT;
	struct journal *journal = doctor->hub->journal;
	char *path = path_join(env->set.root, "current");
	struct str where = STR_INIT;
	const struct err *err;

	hub_add_which(&where, doctor->hub, env->name);
	err = deploy_get_live(journal, env->name, &live);
	if (err == NULL)
		err = deploy_get_running(journal, env->name, &running);
	if (err == NULL && running.state != DEPLOY_ACTIVATING &&
	    store_check_root(env->set.root, doctor->hub->path, env->name) ==
	    NULL)
		current_look(&fault, &target, &(struct current){
			.journal = journal,
			.root = env->set.root,
			.live = &live,
			.which = where.s,
			.several = takes_several(env),
		});
	if (fault.len > 0)
		doctor_tell_err(doctor, path, err_new(ERR_FAILED, "%s",
		    fault.s));
	deploy_release(&live);
	deploy_release(&running);
	str_release(&fault);
	str_release(&target);
	str_release(&where);
	free(path);
	return err;
}

const struct err *
doctor_current(struct doctor *doctor)
{
	return doctor->hub->journal == NULL ? NULL :
	    doctor_each(doctor, look_at_current);
}

static const struct err *
look_at_left(struct doctor *doctor, const struct environment *env)
{
	char *remedy = doctor_command("slipway resume -C ", doctor->hub->path,
	    "");
	struct vec lines = VEC_INIT;
	const struct err *err;

	err = left_find(doctor->hub, env, &lines);
	for (size_t i = 0; i < lines.n; i++)
		doctor_tell(doctor, LEVEL_FAULT, env->name, remedy, "%s",
		    lines.v[i]);
	vec_release(&lines);
	free(remedy);
	return err;
}

/* As "slipway status" has it, which exits with 6 then. */
static const struct err *
look_at_newest(struct doctor *doctor, const struct environment *env)
{
	struct journal *journal = doctor->hub->journal;
	struct deploy newest = DEPLOY_INIT, last = DEPLOY_INIT;
	struct str remedy = STR_INIT;
	const struct err *err;

	err = deploy_get_newest(journal, env->name, &newest);
	if (err == NULL && newest.number != 0)
		err = deploy_get_last(journal, newest.number, &last);
	if (err == NULL && last.state == DEPLOY_BROKEN) {
		str_addf(&remedy, "slipway show %" PRId64 " -C ",
		    last.number);
		str_add(&remedy, doctor->hub->word);
		str_add(&remedy, "; then see " LINE_BROKEN);
		doctor_tell(doctor, LEVEL_FAULT, env->name, remedy.s, "deploy"
		    " %" PRId64 ", the newest, is broken: it failed and could"
		    " not be taken back whole", last.number);
	}
	deploy_release(&newest);
	deploy_release(&last);
	str_release(&remedy);
	return err;
}

/* Visitors see that, and nothing else tells of it. */
static const struct err *
look_at_page(struct doctor *doctor, const struct environment *env)
{
	struct str remedy = STR_INIT, which = STR_INIT;
	struct deploy live = DEPLOY_INIT;
	const struct err *err;
	int64_t number;

	hub_add_which(&which, doctor->hub, env->name);
	err = deploy_page_up(doctor->hub->journal, env->name, &number);
	if (err == NULL)
		err = deploy_get_live(doctor->hub->journal, env->name, &live);
	if (err == NULL && number != 0) {
		current_add_page(&remedy, &(struct current){
			.live = &live,
			.which = which.s,
		});
		str_add(&remedy, "; see " LINE_BROKEN);
		doctor_tell(doctor, LEVEL_FAULT, env->name, remedy.s, "the"
		    " maintenance page that deploy %" PRId64 " has left is"
		    " up", number);
	}
	deploy_release(&live);
	str_release(&which);
	str_release(&remedy);
	return err;
}

const struct err *
doctor_work(struct doctor *doctor)
{
	const struct err *err;

	if (doctor->hub->journal == NULL || doctor->hub->config == NULL)
		return NULL;
	err = left_find_nameless(doctor->hub);
	if (err != NULL)
		doctor_tell_err(doctor, doctor->hub->path, err);
	err = doctor_each(doctor, look_at_left);
	if (err == NULL)
		err = doctor_each(doctor, look_at_newest);
	return err != NULL ? err : doctor_each(doctor, look_at_page);
}

static void
look_at_journal(struct doctor *doctor)
{
	int64_t last, now = clock_now_ms();
	char iso[CLOCK_ISO_SIZE];

	if (doctor->hub->journal == NULL ||
	    journal_last_at(doctor->hub->journal, &last) != NULL ||
	    last <= now + BACK_MS)
		return;
	clock_iso(iso, last);
	doctor_tell(doctor, LEVEL_WARNING, "clock", "have the clock set by"
	    " systemd-timesyncd or chrony", "the journal was last written at"
	    " %s, which is still to come: the clock was set back", iso);
}

/* In releases/, and by the journal not: a cleanup takes it out once more. */
static void
look_at_returned(struct doctor *doctor, const struct environment *env,
    const char *path)
{
	struct returned returned = RETURNED_INIT;
	char *remedy = doctor_command("slipway cleanup -C ",
	    doctor->hub->path, "");

	if (doctor->hub->journal != NULL &&
	    returned_find(doctor->hub, env, &returned) != NULL)
		returned_release(&returned);
	for (size_t i = 0; i < returned.removed.n; i++)
		doctor_tell(doctor, LEVEL_WARNING, path, remedy, "release %s"
		    " was removed, and is there again",
		    returned.removed.v[i]);
	for (size_t i = 0; i < returned.failed.n; i++)
		doctor_tell(doctor, LEVEL_WARNING, path, remedy, "release %s"
		    " has failed, and is there again", returned.failed.v[i]);
	returned_release(&returned);
	free(remedy);
}

static const struct err *
look_at_releases(struct doctor *doctor, const struct environment *env)
{
	char *path = path_join(env->set.root, "releases");
	char now[CLOCK_STAMP_SIZE];
	struct vec names = VEC_INIT;

	clock_stamp(now, clock_now_ms() + BACK_MS);
	if (file_list(&names, AT_FDCWD, path) != NULL)
		vec_clear(&names);
	for (size_t i = 0; i < names.n; i++) {
		if (store_is_release(names.v[i]) &&
		    strcmp(names.v[i], now) > 0)
			doctor_tell(doctor, LEVEL_NOTE, path, NULL, "release"
			    " %s has a name of the future; the next ones"
			    " follow it, one second apart", names.v[i]);
	}
	look_at_returned(doctor, env, path);
	vec_release(&names);
	free(path);
	return NULL;
}

/* libc takes a zone that it does not know for UTC, silently. */
static void
look_at_zone(struct doctor *doctor)
{
	const char *zone = getenv("TZ");
	char *path;

	if (zone == NULL || zone[0] == '\0' || strcmp(zone, "UTC") == 0)
		return;
	zone += zone[0] == ':';
	/* "CET-1CEST" is a rule and no name. */
	if (strpbrk(zone, "0123456789,+-") != NULL)
		return;
	path = zone[0] == '/' ? xstrdup(zone) :
	    path_join("/usr/share/zoneinfo", zone);
	if (!file_exists(AT_FDCWD, path))
		doctor_tell(doctor, LEVEL_WARNING, "TZ", "apt-get install"
		    " tzdata, or another TZ", "there is no time zone %s:"
		    " times are told in UTC", zone);
	free(path);
}

const struct err *
doctor_clock(struct doctor *doctor)
{
	look_at_journal(doctor);
	look_at_zone(doctor);
	return doctor_each(doctor, look_at_releases);
}
