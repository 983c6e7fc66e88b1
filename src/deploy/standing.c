#include "deploy/standing.h"

#include <string.h>

#include "deploy/astray.h"
#include "plan/takes.h"
#include "vec.h"

const struct err *
standing_find(struct standing *standing, const struct hub *hub,
    const struct environment *env)
{
	const struct err *err;

	*standing = (struct standing){ .hub = hub, .env = env };
	err = deploy_get_live(hub->journal, env->name, &standing->live);
	if (err == NULL)
		astray_look(env, standing->live.release, &standing->astray);
	return err;
}

void
standing_release(struct standing *standing)
{
	deploy_release(&standing->live);
	str_release(&standing->astray);
}

/* Has an older push yet to ask for a deploy here? */
static const struct err *
is_expected(const struct standing *standing, const struct push *push,
    bool *is)
{
	struct vec refs = VEC_INIT;
	const struct err *err;

	*is = false;
	err = push_open_refs(standing->hub->journal, push->id, &refs);
	for (size_t i = 0; err == NULL && i < refs.n; i++)
		*is |= takes_ref(standing->env, refs.v[i]);
	vec_release(&refs);
	return err;
}

const struct err *
standing_has(const struct standing *standing, const struct push *push,
    const char *commit, bool *has)
{
	const struct deploy *live = &standing->live;
	const struct err *err;
	bool expected;

	*has = false;
	if (live->number == 0 || strcmp(live->commit, commit) != 0)
		return NULL;
	err = is_expected(standing, push, &expected);
	if (err != NULL || expected)
		return err;
	return deploy_will_stay(standing->hub->journal, live, has);
}

void
standing_add(struct str *out, const struct standing *standing)
{
	const char *release = standing->live.release;

	if (release == NULL)
		str_add(out, standing->astray.len > 0 ? "nothing that the"
		    " journal knows is live: " : "nothing is live");
	else
		str_addf(out, standing->astray.len > 0 ? "release %s should"
		    " be live, and is not: " : "release %s stays live",
		    release);
	str_add(out, standing->astray.s == NULL ? "" : standing->astray.s);
}
