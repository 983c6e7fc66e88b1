#include "deploy/cancel.h"

#include <inttypes.h>
#include <stdlib.h>

#include "deploy/ending.h"
#include "deploy/queue.h"
#include "deploy/rollback.h"
#include "journal/event.h"
#include "journal/release.h"

/* Who watches it sees at once that it is called off. */
static const struct err *
tell(const struct hub *hub, const struct environment *env,
    const struct deploy *deploy)
{
	char *path = hub_log_path(hub, deploy->number);
	struct event_log *log = event_log_open(path);
	struct ending ending = ENDING_INIT;
	const struct err *err = NULL;

	event_add(log, "cancel", "s", "by", deploy->cancelled_by);
	if (deploy->state == DEPLOY_CANCELLED) {
		err = deploy_get_live(hub->journal, deploy->environment,
		    &ending.live);
		event_add(log, "state", "s", "state",
		    deploy_state_name(deploy->state));
		if (err == NULL)
			ending_add(log, env, deploy, &ending);
	}
	ending_release(&ending);
	event_log_close(log);
	free(path);
	return err;
}

/* Where there is nothing to go back to, no command is named. */
static const struct err *
add_way_back(const struct err *late, const struct hub *hub,
    const struct environment *env)
{
	struct release target, live;
	struct str which = STR_INIT;
	const struct err *err;

	hub_add_which(&which, hub, env->name);
	err = rollback_target(hub, env, NULL, &target, &live);
	if (err == NULL)
		late = err_new(late->code, "%s; slipway rollback%s takes it"
		    " back", late->text, which.s);
	str_release(&which);
	release_release(&target);
	release_release(&live);
	return late;
}

const struct err *
cancel_request(const struct hub *hub, const struct environment *env,
    int64_t number, const char *who, int64_t *cancelled)
{
	struct deploy deploy;
	const struct err *err;
	bool first;

	*cancelled = 0;
	err = deploy_cancel(hub->journal, env->name, number, who, &deploy,
	    &first);
	/* One that slipway.ini does not have any more has no root. */
	if (err != NULL && err->code == ERR_REFUSED &&
	    deploy.state == DEPLOY_LIVE && env->set.root != NULL)
		err = add_way_back(err, hub, env);
	if (err == NULL) {
		*cancelled = deploy.number;
		if (first)
			err = tell(hub, env, &deploy);
	}
	if (err == NULL && first && deploy.state == DEPLOY_CANCELLED)
		err = queue_tell(hub, env->name, deploy.number);
	/* Its runner may be dead: then the next one takes it back. */
	if (err == NULL && deploy.state != DEPLOY_CANCELLED)
		err = queue_wake(hub, env->name);
	deploy_release(&deploy);
	return err;
}

const struct err *
cancel_outcome(const struct deploy *deploy)
{
	const struct err *outcome = deploy_outcome(deploy);

	/* What may be there still was not taken back. */
	if (deploy_was_cancelled(deploy) && deploy->state != DEPLOY_BROKEN &&
	    deploy->migrated != MIGRATED_PERHAPS)
		return NULL;
	if (outcome == NULL)
		return err_new(ERR_FAILED, "deploy %" PRId64 " was not"
		    " cancelled: it is %s", deploy->number,
		    deploy_state_name(deploy->state));
	return err_new(outcome->code, "%s%s", deploy_was_cancelled(deploy) ?
	    "" : "it was not cancelled: ", outcome->text);
}
