#include "deploy/halt.h"

#include <string.h>

/* An error is there as soon as it is being given up or taken back. */
static bool
may_stop(const struct work *work)
{
	if (work->deploy.error != NULL)
		return false;
	switch (work->deploy.state) {
	case DEPLOY_QUEUED:	/* and being planned */
	case DEPLOY_PREPARING:
	case DEPLOY_PREPARED:
		return true;
	case DEPLOY_ACTIVATING:
		return strcmp(work->deploy.kind, "rollback") != 0;
	default:
		return false;
	}
}

bool
halt_is_known(const struct work *work)
{
	return may_stop(work) && work->deploy.cancelled_by != NULL;
}

/* A journal that cannot be read now may be the next time. */
bool
halt_is_wanted(void *ctx)
{
	struct work *work = ctx;

	if (may_stop(work) && work->deploy.cancelled_by == NULL &&
	    deploy_canceller(work->hub->journal, work->deploy.number,
	    &work->deploy.cancelled_by) != NULL)
		return false;
	return halt_is_known(work);
}

static const struct err *
stopped(const struct work *work, const char *when, const char *phase,
    const char *name)
{
	return err_new(ERR_CANCELLED, DEPLOY_CANCELLED_BY "%s %s %s%s%s%s",
	    work->deploy.cancelled_by, when, phase,
	    name == NULL ? "" : " (", name == NULL ? "" : name,
	    name == NULL ? "" : ")");
}

const struct err *
halt_check(struct work *work, const char *phase, const char *name)
{
	return halt_is_wanted(work) ? stopped(work, "before", phase, name) :
	    NULL;
}

const struct err *
halt_error(const struct work *work, const char *phase, const char *name)
{
	return stopped(work, "at", phase, name);
}
