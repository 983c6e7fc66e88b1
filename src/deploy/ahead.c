#include "deploy/ahead.h"

#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "deploy/queue.h"
#include "file.h"
#include "plan/takes.h"
#include "repo.h"

static bool
is_wanted(const struct environment *env, const struct push *push)
{
	for (size_t i = 0; i < push->n_refs && !env->set.transactional; i++) {
		const struct push_ref *ref = &push->refs[i];

		if (!repo_is_zero(ref->new) && !ref->skip &&
		    takes_ref(env, ref->ref))
			return true;
	}
	return false;
}

void
ahead_start(struct ahead *ahead, const struct hub *hub,
    const struct push *push)
{
	size_t n = hub->config->n_environments;

	ahead->hub = hub;
	ahead->holds = xcalloc(n, sizeof(*ahead->holds));
	for (size_t i = 0; i < n; i++) {
		const struct environment *env = &hub->config->environments[i];

		ahead->holds[i] = -1;
		if (is_wanted(env, push))
			(void)queue_wake_ahead(hub, env->name,
			    &ahead->holds[i]);
	}
}

const struct err *
ahead_go(struct ahead *ahead, const char *environment)
{
	const struct config *config = ahead->hub->config;

	for (size_t i = 0; i < config->n_environments; i++) {
		if (ahead->holds[i] == -1 ||
		    strcmp(config->environments[i].name, environment) != 0)
			continue;
		file_close(&ahead->holds[i]);
		return NULL;
	}
	return queue_wake(ahead->hub, environment);
}

void
ahead_release(struct ahead *ahead)
{
	for (size_t i = 0; i < ahead->hub->config->n_environments; i++)
		file_close(&ahead->holds[i]);
	free(ahead->holds);
	ahead->holds = NULL;
}
