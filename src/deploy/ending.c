#include "deploy/ending.h"

#include <stddef.h>

void
ending_add(struct event_log *log, const struct deploy *deploy,
    const struct deploy *live)
{
	event_add(log, "end", "ssissssssiissssss",
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
	    "migrated", migrated_name(deploy->migrated),
	    "maintenance", maintenance_name(deploy->maintenance),
	    "live", live->release,
	    "live_commit", live->number == 0 ? NULL : live->commit,
	    "previous", deploy->previous,
	    "cancelled_by", deploy_was_cancelled(deploy) ?
	    deploy->cancelled_by : NULL);
}
