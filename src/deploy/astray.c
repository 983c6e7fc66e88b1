#include "deploy/astray.h"

#include <string.h>

#include "release/store.h"

/* "there": the host has the release "live". */
static void
compare_current(const char *current, const char *live, bool there,
    const char *host, struct str *astray)
{
	bool none = current == NULL || *current == '\0';
	bool is_live = !none && live != NULL && strcmp(current, live) == 0;

	if (astray->len > 0 || (none && live == NULL) || (is_live && there))
		return;
	if (host != NULL)
		str_addf(astray, "%s: ", host);
	str_add(astray, "current points to ");
	if (none)
		str_add(astray, "nothing");
	else if (is_live)
		str_add(astray, "what is gone");
	else
		str_addf(astray, "release %s", current);
}

void
astray_look(const struct environment *env, const char *live,
    struct str *astray)
{
	struct str current = STR_INIT;
	struct store *store;
	const struct err *err;

	err = store_look(&store, env->set.root);
	if (err == NULL)
		err = store_current(store, &current);
	if (err == NULL)
		compare_current(current.s, live, live != NULL &&
		    store_has(env->set.root, live), NULL, astray);
	else if (live != NULL)
		str_add(astray, err->text);
	store_close(store);
	str_release(&current);
}

/*
 * "Still live" is said of what the hosts have, not of what they had. Hosts
 * that did not open their roots may have been unable to because of it.
 */
void
astray_find(struct work *work, const char *live, struct str *astray)
{
	struct message request = MESSAGE_INIT;
	const struct err *err;

	/* Hosts may have been unable to open their roots because of it. */
	if (work->fleet == NULL) {
		astray_look(work->env, live, astray);
		return;
	}
	message_add(&request, "verb", "list");
	err = work_ask(work, NULL, &request);
	message_release(&request);
	if (err != NULL && !work_is_cut(work))
		str_add(astray, err->text);
	for (size_t i = 0; err == NULL && i < work->n_hosts; i++) {
		const struct message *reply = fleet_reply(work->fleet, i);
		const char *host = work->hosts[i]->name;
		struct vec releases = VEC_INIT;

		message_all(reply, "release", &releases);
		compare_current(message_get(reply, "current"), live,
		    live != NULL && vec_has(&releases, live),
		    strcmp(host, "local") == 0 ? NULL : host, astray);
		vec_release(&releases);
	}
}
