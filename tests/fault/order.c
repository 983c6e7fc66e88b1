#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inject.h"

/* The highest errno that is looked for by name. */
#define ERRNO_MAX 200

static const struct {
	const char *name;
	enum mode mode;
	int arguments;
} modes[] = {
	{ "list",	MODE_LIST,	0 },
	{ "kill",	MODE_KILL,	1 },
	{ "kill-all",	MODE_KILL_ALL,	1 },
	{ "error",	MODE_ERROR,	2 },
	{ "errors",	MODE_ERRORS,	2 },
	{ "short",	MODE_SHORT,	1 },
	{ "pause",	MODE_PAUSE,	2 },
};

static char **
complain(const char *what, const char *word)
{
	fprintf(stderr, "inject: %s%s\n"
	    "usage: inject [-r ROLE] [-c CALLS] [-o FILE] [-t SECONDS]"
	    " MODE [ARGUMENT]... COMMAND...\n", what, word);
	return NULL;
}

static bool
read_number(long *number, const char *text)
{
	char *end;

	*number = strtol(text, &end, 10);
	return *end == '\0' && end != text && *number > 0;
}

static bool
read_errno(int *number, const char *text)
{
	for (*number = 1; *number < ERRNO_MAX; (*number)++) {
		const char *name = strerrorname_np(*number);

		if (name != NULL && strcmp(name, text) == 0)
			return true;
	}
	return false;
}

static void
read_calls(struct order *order, const char *text)
{
	order->state = strcmp(text, "state") == 0;
	order->effect = strcmp(text, "effect") == 0;
	order->fails = strcmp(text, "fails") == 0;
	order->name = order->state || order->effect || order->fails ||
	    strcmp(text, "all") == 0 ? NULL : text;
}

/* False after saying what is wrong. */
static bool
read_options(struct order *order, int argc, char **argv)
{
	long seconds;
	int letter;

	while ((letter = getopt(argc, argv, "+r:c:o:t:")) != -1) {
		bool ok = letter != '?';

		if (letter == 'r')
			ok = role_by_name(&order->role, optarg);
		else if (letter == 'c')
			read_calls(order, optarg);
		else if (letter == 't')
			ok = read_number(&seconds, optarg);
		else if (letter == 'o')
			order->output = fopen(optarg, "we");
		if (!ok || order->output == NULL) {
			complain("what is ", optarg == NULL ? "that" : optarg);
			return false;
		}
		if (letter == 't')
			order->seconds = (unsigned int)seconds;
	}
	return true;
}

char **
order_read(struct order *order, int argc, char **argv)
{
	size_t i = 0, n = sizeof(modes) / sizeof(*modes);
	char **rest;

	order->output = stdout;
	if (!read_options(order, argc, argv))
		return NULL;
	rest = argv + optind;
	if (*rest == NULL)
		return complain("no mode", "");
	while (i < n && strcmp(modes[i].name, *rest) != 0)
		i++;
	if (i == n)
		return complain("no mode is called ", *rest);
	order->mode = modes[i].mode;
	if (argc - optind - 1 <= modes[i].arguments)
		return complain("no command behind ", *rest);
	rest++;
	if (order->mode == MODE_ERROR || order->mode == MODE_ERRORS) {
		if (!read_errno(&order->error, *rest++))
			return complain("no error is called ", rest[-1]);
	} else if (order->mode == MODE_PAUSE) {
		order->command = *rest++;
	}
	if (modes[i].arguments > 0 && !read_number(&order->at, *rest++))
		return complain("not a number: ", rest[-1]);
	return strcmp(*rest, "--") == 0 ? rest + 1 : rest;
}
