/*
 * slipway uninit - a repository forgets how to deploy.
 */
#include <stdlib.h>

#include "cmd/cmd.h"
#include "cmd/hooks.h"

static const struct err *
run_uninit(struct call *call)
{
	struct vec done = VEC_INIT;
	struct str out = STR_INIT;
	const struct err *err;
	char *dir = NULL;

	err = hub_open(&call->hub, call->words.n > 0 ? call->words.v[0] :
	    call->dir);
	if (err == NULL)
		err = hooks_dir(&dir, call->hub.path);
	if (err == NULL)
		err = hooks_remove(dir, &done);
	if (err == NULL) {
		vec_push(&done, "the releases, the journal and slipway.ini"
		    " are left as they are\n");
		vec_join(&done, "\n", &out);
		err = cmd_print(&out);
	}
	str_release(&out);
	vec_release(&done);
	free(dir);
	return err;
}

const struct cmd cmd_uninit = {
	.name = "uninit",
	.words = "[REPO]",
	.words_max = 1,
	.summary = "take the hooks out of a repository again",
	.help = "Remove the hooks of Slipway from REPO and restore those that"
	    " were there before.\nWhat was deployed, the journal and"
	    " slipway.ini stay.",
	.example = "slipway uninit shop.git",
	.run = run_uninit,
};
