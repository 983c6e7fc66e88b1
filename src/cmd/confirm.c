#include "cmd/confirm.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

bool
confirm_is_wanted(const struct call *call)
{
	return !call_has(call, "yes") && isatty(STDIN_FILENO) &&
	    isatty(STDERR_FILENO);
}

#define NOTHING "nothing was done"

static void
leave(int signal)
{
	static const char words[] = "\nslipway: " NOTHING "\n";
	ssize_t unheard = write(STDERR_FILENO, words, sizeof(words) - 1);

	(void)unheard;
	_exit(128 + signal);
}

const struct err *
confirm_ask(const char *question)
{
	struct sigaction action = { .sa_handler = leave }, before;
	char answer[16];
	bool yes;

	sigaction(SIGINT, &action, &before);
	fprintf(stderr, "%s [y/N] ", question);
	fflush(stderr);
	yes = fgets(answer, sizeof(answer), stdin) != NULL &&
	    (answer[0] == 'y' || answer[0] == 'Y');
	sigaction(SIGINT, &before, NULL);
	return yes ? NULL : err_new(ERR_FAILED, NOTHING);
}
