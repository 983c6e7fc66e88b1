#include "cmd/confirm.h"

#include <stdio.h>
#include <unistd.h>

bool
confirm_is_wanted(const struct call *call)
{
	return !call_has(call, "yes") && isatty(STDIN_FILENO) &&
	    isatty(STDERR_FILENO);
}

const struct err *
confirm_ask(const char *question)
{
	char answer[16];

	fprintf(stderr, "%s [y/N] ", question);
	fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) != NULL &&
	    (answer[0] == 'y' || answer[0] == 'Y'))
		return NULL;
	return err_new(ERR_FAILED, "nothing was done");
}
