#include "plan/phase.h"

#include <assert.h>
#include <string.h>

static const struct {
	const char *name;
	enum stage stage;
} phases[PHASE_COUNT] = {
	[PHASE_FETCH]	    = { "fetch",       STAGE_PREPARE },
	[PHASE_CHECKOUT]    = { "checkout",    STAGE_PREPARE },
	[PHASE_CONFIGURE]   = { "configure",   STAGE_PREPARE },
	[PHASE_BUNDLE]	    = { "bundle",      STAGE_PREPARE },
	[PHASE_BUILD]	    = { "build",       STAGE_PREPARE },
	[PHASE_TEST]	    = { "test",	       STAGE_PREPARE },
	[PHASE_BACKUP]	    = { "backup",      STAGE_PREPARE },
	[PHASE_MAINTENANCE] = { "maintenance", STAGE_ACTIVATE },
	[PHASE_MIGRATE]	    = { "migrate",     STAGE_ACTIVATE },
	[PHASE_SYMLINK]	    = { "symlink",     STAGE_ACTIVATE },
	[PHASE_RESTART]	    = { "restart",     STAGE_ACTIVATE },
	[PHASE_CLEAR]	    = { "clear",       STAGE_ACTIVATE },
	[PHASE_VERIFY]	    = { "verify",      STAGE_ACTIVATE },
	[PHASE_CONTRACT]    = { "contract",    STAGE_FINISH },
	[PHASE_PUBLISH]	    = { "publish",     STAGE_FINISH },
	[PHASE_CLEANUP]	    = { "cleanup",     STAGE_FINISH },
	[PHASE_NOTIFY]	    = { "notify",      STAGE_FINISH },
};

const char *
phase_name(enum phase phase)
{
	assert(phase < PHASE_COUNT);
	return phases[phase].name;
}

enum stage
phase_stage(enum phase phase)
{
	assert(phase < PHASE_COUNT);
	return phases[phase].stage;
}

bool
phase_by_name(enum phase *phase, const char *name)
{
	for (int i = 0; i < PHASE_COUNT; i++) {
		if (strcmp(phases[i].name, name) == 0) {
			*phase = (enum phase)i;
			return true;
		}
	}
	return false;
}

/* A constant, so that every thread may have it; a test compares the two. */
const char *
phase_names(void)
{
	return "fetch, checkout, configure, bundle, build, test, backup, "
	    "maintenance, migrate, symlink, restart, clear, verify, "
	    "contract, publish, cleanup, notify";
}
