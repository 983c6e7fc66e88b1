/*
 * phase - the fixed stations of a deploy, in their fixed order.
 *
 *	prepare   fetch checkout configure bundle build test backup
 *	activate  maintenance migrate symlink restart clear verify
 *	finish    contract publish cleanup notify
 *
 * A phase runs its built-in work (if it has any) and then the configured
 * actions in the order of the config file, framed by the release's own
 * deploy/before_PHASE and deploy/after_PHASE.
 */
#ifndef PHASE_H
#define PHASE_H

#include <stdbool.h>

enum stage {
	STAGE_PREPARE,
	STAGE_ACTIVATE,
	STAGE_FINISH
};

enum phase {
	PHASE_FETCH,
	PHASE_CHECKOUT,
	PHASE_CONFIGURE,
	PHASE_BUNDLE,
	PHASE_BUILD,
	PHASE_TEST,
	PHASE_BACKUP,
	PHASE_MAINTENANCE,
	PHASE_MIGRATE,
	PHASE_SYMLINK,
	PHASE_RESTART,
	PHASE_CLEAR,
	PHASE_VERIFY,
	PHASE_CONTRACT,
	PHASE_PUBLISH,
	PHASE_CLEANUP,
	PHASE_NOTIFY,
	PHASE_COUNT
};

const char *phase_name(enum phase phase);
enum stage phase_stage(enum phase phase);

/* False when nobody calls a phase like that. */
bool phase_by_name(enum phase *phase, const char *name);

/* "fetch, checkout, ...", lent: for error texts. */
const char *phase_names(void);

#endif
