#include "report/handmade.h"

#include <inttypes.h>
#include <string.h>

#include "release/drift.h"
#include "release/store.h"

static const struct err *
find(struct drift *drift, const struct environment *env)
{
	struct str live = STR_INIT;
	struct store *store;
	const struct err *err;

	err = store_look(&store, env->set.root);
	if (err == NULL)
		err = store_current(store, &live);
	if (err == NULL && live.len == 0)
		err = err_new(ERR_NOT_FOUND, "nothing is live");
	if (err == NULL) {
		store_set_threads(store, (int)env->set.threads);
		err = store_drift(store, live.s, false, true,
		    &env->set.writable, drift);
	}
	store_close(store);
	str_release(&live);
	return err;
}

int64_t
handmade_add(struct str *out, const struct environment *env,
    const char *which)
{
	struct drift drift = DRIFT_INIT;
	int64_t count = -1;

	if (find(&drift, env) == NULL)
		count = (int64_t)drift.n;
	if (count > 0) {
		str_addf(out, "%" PRId64 " file%s edited by hand, ", count,
		    count == 1 ? " was" : "s were");
		str_add_visible(out, drift.items[0].path,
		    strlen(drift.items[0].path));
		str_addf(out, "%s (slipway drift%s)", count == 1 ? "" :
		    " among them", which);
	}
	drift_release(&drift);
	return count;
}
