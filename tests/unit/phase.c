#include "plan/phase.h"

#include "str.h"
#include "tap.h"

int
main(void)
{
	struct str names = STR_INIT;
	enum phase phase;

	for (int i = 0; i < PHASE_COUNT; i++) {
		const char *name = phase_name((enum phase)i);

		str_addf(&names, "%s%s", i > 0 ? ", " : "", name);
		ok(phase_by_name(&phase, name) && (int)phase == i,
		    "%s is found", name);
		is_int(phase_stage((enum phase)i), i <= PHASE_BACKUP ?
		    STAGE_PREPARE : i <= PHASE_VERIFY ? STAGE_ACTIVATE :
		    STAGE_FINISH, "%s has its stage", name);
	}
	is_str(phase_names(), names.s, "the list is the table");
	ok(!phase_by_name(&phase, ""), "no phase without a name");
	ok(!phase_by_name(&phase, "Migrate"), "names are lower case");
	ok(!phase_by_name(&phase, "migrat"), "half a name is none");
	str_release(&names);
	return tap_done();
}
