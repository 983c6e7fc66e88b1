#include "deploy/ending.h"

#include <stddef.h>

void
ending_release(struct ending *ending)
{
	deploy_release(&ending->live);
	str_release(&ending->moved);
	str_release(&ending->astray);
	str_release(&ending->stays);
	leaving_release(&ending->leaving);
}

/* How the same can be had again: who pushed it may have no login here. */
static const char *
again(const struct environment *env, const struct deploy *deploy,
    const struct ending *ending)
{
	if (ending->no_again)
		return "no";
	return env->set.transactional && deploy->push != 0 ? "push" : "retry";
}

void
ending_add(struct event_log *log, const struct environment *env,
    const struct deploy *deploy, const struct ending *ending)
{
	const struct deploy *live = &ending->live;
	const struct leaving *leaving = &ending->leaving;
	struct str steps = STR_INIT, backups = STR_INIT;

	leaving_add_steps(&steps, leaving);
	leaving_add_backups(&backups, leaving);
	event_add(log, "end", "ssissssssiisssssssssissss",
	    "state", deploy_state_name(deploy->state),
	    "environment", deploy->environment,
	    "deploy", deploy->number,
	    "kind", deploy->kind,
	    "release", deploy->release,
	    "commit", deploy->commit,
	    "subject", deploy->subject,
	    "error", deploy->error,
	    "ref", deploy->ref,
	    "prepare_ms", deploy->prepare_ms,
	    "window_ms", deploy->window_ms,
	    "migrated", deploy_migrated(deploy),
	    "maintenance", maintenance_name(ending->page_up != 0 ?
	    MAINTENANCE_UP : deploy->maintenance),
	    "live", live->release,
	    "live_commit", live->number == 0 ? NULL : live->commit,
	    "previous", ending->no_back ? NULL : deploy->previous,
	    "cancelled_by", deploy_was_cancelled(deploy) ?
	    deploy->cancelled_by : NULL,
	    "moved", ending->moved.len == 0 ? NULL : ending->moved.s,
	    "astray", ending->astray.len == 0 ? NULL : ending->astray.s,
	    "again", again(env, deploy, ending),
	    "leave", (int64_t)leaving->commits.n,
	    "not_undone", steps.len == 0 ? NULL : steps.s,
	    "backups", backups.len == 0 ? NULL : backups.s,
	    "undone_by", leaving->release,
	    "stays", ending->stays.len == 0 ? NULL : ending->stays.s);
	str_release(&steps);
	str_release(&backups);
}
