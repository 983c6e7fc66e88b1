/*
 * The second half of answer.h: what the deploys came to, in the words of
 * one line at the pusher's.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/answer.h"
#include "deploy/astray.h"
#include "deploy/cancel.h"
#include "deploy/queue.h"
#include "deploy/receive.h"
#include "journal/deploy.h"
#include "journal/push.h"
#include "plan/phase.h"

/* The banner above has all of it; what does not fit here is left out. */
#define WHY_MAX 200
#define MORE ", see above"

/* " at migrate (updb), exit 1" or ": what was wrong", first line only. */
static void
add_why(struct str *out, const char *error)
{
	size_t word = strcspn(error, " :");
	char *name = xstrndup(error, word);
	const char *colon = strstr(error, ": ");
	size_t line = strcspn(error, "\n"), len = line;
	enum phase phase;

	if (line > WHY_MAX)
		len = str_fit(error, WHY_MAX);
	if (colon != NULL && (size_t)(colon - error) < len &&
	    phase_by_name(&phase, name))
		str_addf(out, " at %.*s, %.*s", (int)(colon - error), error,
		    (int)(len - (size_t)(colon - error) - 2), colon + 2);
	else
		str_addf(out, ": %.*s", (int)len, error);
	if (len < line)
		str_add(out, MORE);
	free(name);
}

/* "deploy 41 failed at migrate (updb), exit 1; release ... is live" */
static void
add_failure(struct str *out, const struct deploy *deploy, int64_t asked,
    const char *live, const char *astray)
{
	str_addf(out, "deploy %" PRId64, deploy->number);
	if (deploy->number != asked)
		str_add(out, ", which took its place,");
	if (deploy_was_cancelled(deploy))
		str_addf(out, " was %s", deploy->error);
	else if (deploy->state == DEPLOY_LIVE ||
	    deploy->state == DEPLOY_RETIRED)
		str_add(out, " has rolled back, but failed");
	else
		str_add(out, " failed");
	if (deploy->error != NULL && !deploy_was_cancelled(deploy))
		add_why(out, deploy->error);
	if (deploy->state == DEPLOY_BROKEN)
		str_add(out, "; it needs a hand");
	if (*astray != '\0')
		str_addf(out, "; %s", astray);
	else if (live == NULL)
		str_add(out, "; nothing is live");
	else
		str_addf(out, "; release %s is live", live);
}

static void
refuse(const struct hub *hub, struct offered *offered,
    const struct deploy *deploy)
{
	const struct environment *env = hub->config == NULL ? NULL :
	    config_environment(hub->config, offered->environment);
	struct str text = STR_INIT, astray = STR_INIT;
	struct deploy live;

	if (deploy_get_live(hub->journal, offered->environment, &live)
	    != NULL)
		deploy_release(&live);
	/* What visitors get, which the journal may not know. */
	if (env != NULL)
		astray_look(env, live.release, &astray);
	add_failure(&text, deploy, offered->deploy, live.release, astray.s);
	offer_refuse(offered, "%s", text.s);
	deploy_release(&live);
	str_release(&astray);
	str_release(&text);
}

/* The word cancel: done when it was stopped, as for "slipway cancel". */
static const struct err *
give_stopped(const struct hub *hub, struct offered *offered)
{
	struct deploy deploy;
	const struct err *err, *why;

	err = deploy_get(hub->journal, offered->deploy, &deploy);
	if (err != NULL)
		return err;
	why = cancel_outcome(&deploy);
	if (why == NULL)
		offered->answer = ANSWER_OK;
	else
		offer_refuse(offered, "%s", why->text);
	deploy_release(&deploy);
	return NULL;
}

static const struct err *
give_one(const struct hub *hub, struct offered *offered)
{
	struct deploy deploy = DEPLOY_INIT, asked;
	const struct err *err;
	bool held;

	err = deploy_get(hub->journal, offered->deploy, &asked);
	if (err == NULL)
		err = deploy_get_last(hub->journal, asked.number, &deploy);
	/* A push may name it by a tag: the row has the commit. */
	if (err == NULL)
		err = queue_is_held(hub, &asked, &deploy, &held);
	if (err != NULL)
		goto done;
	offered->unsure = !deploy_is_over(deploy.state);
	if (offered->unsure)
		offer_refuse(offered, "deploy %" PRId64 " is still %s; it"
		    " may yet go live, see: slipway show %" PRId64,
		    deploy.number, deploy_state_name(deploy.state),
		    deploy.number);
	else if (deploy_outcome(&deploy) != NULL)
		refuse(hub, offered, &deploy);
	else if (!held)
		offer_refuse(offered, "deploy %" PRId64 " took its place and"
		    " does not contain %.7s", deploy.number, asked.commit);
	else
		offered->answer = ANSWER_OK;
done:
	deploy_release(&asked);
	deploy_release(&deploy);
	return err;
}

/*
 * git tells post-receive of a push only when some ref of it has moved. One
 * of which that is not known yet is settled by whoever comes next.
 */
static const struct err *
unland(struct hub *hub, const struct offer *offer)
{
	const char *reason = NULL;
	struct push push = PUSH_INIT;
	const struct err *err;
	size_t refused = 0;
	bool open = false;
	int64_t id;

	for (size_t i = 0; i < offer->n; i++) {
		if (offer->refs[i].answer != ANSWER_REFUSED ||
		    offer->refs[i].unsure)
			continue;
		refused++;
		reason = reason == NULL ? offer->refs[i].reason : reason;
	}
	if (refused == 0)
		return NULL;
	err = receive_find(hub, &id);
	if (err == NULL && id != 0)
		err = push_get(hub->journal, id, &push, &open);
	if (err == NULL && open && (offer->atomic || refused == push.n_refs))
		err = push_unland(hub->journal, id, reason);
	push_release(&push);
	return err;
}

void
answer_give(struct hub *hub, struct offer *offer, struct vec *notes)
{
	const struct err *err;

	for (size_t i = 0; i < offer->n; i++) {
		struct offered *offered = &offer->refs[i];

		if (offered->answer != ANSWER_NONE || offered->deploy == 0)
			continue;
		err = offered->stops ? give_stopped(hub, offered) :
		    give_one(hub, offered);
		offered->unsure |= err != NULL;
		if (err != NULL)
			offer_refuse(offered, "deploy %" PRId64 " may be live,"
			    " or may yet go live, see: slipway show %" PRId64
			    " (%s)", offered->deploy, offered->deploy,
			    err->text);
	}
	err = unland(hub, offer);
	if (err != NULL)
		vec_push(notes, err->text);
}
