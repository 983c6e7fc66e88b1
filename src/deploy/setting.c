#include "deploy/setting.h"

#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "str.h"

/* How long git may take to read its configuration. */
#define TIMEOUT_MS (60 * 1000)

#define OUTPUT_MAX 4096

/* What is neither yes nor no is no answer: the caller is not to go on. */
static const struct err *
read_answer(const struct proc_result *result, const struct str *out,
    const struct str *said, const char *key, bool *is)
{
	struct str how = STR_INIT;
	const struct err *err = NULL;

	*is = strcmp(out->s, "true") == 0;
	/* 1: it is not set. */
	if ((result->exit_status == 0 &&
	    (*is || strcmp(out->s, "false") == 0)) ||
	    (result->exit_status == 1 && out->len == 0))
		return NULL;
	proc_describe(&how, result);
	err = err_new(ERR_GIT, "git config %s: %s: %s", key, how.s,
	    said->len > 0 ? said->s : "it is neither true nor false");
	str_release(&how);
	return err;
}

const struct err *
setting_is_on(const char *repo, const char *key, bool *is)
{
	const char *argv[] = { "git", "-C", repo, "config", "--type=bool",
	    "--get", key, NULL };
	struct proc_spec spec = PROC_SPEC_INIT;
	struct str out = STR_INIT, said = STR_INIT;
	struct proc_result result;
	const struct err *err;

	*is = false;
	spec.argv = argv;
	spec.env = (const char *const *)environ;
	spec.timeout_ms = TIMEOUT_MS;
	err = proc_ask(&result, &spec, &out, OUTPUT_MAX, &said);
	str_trim_end(&out);
	if (err == NULL)
		err = read_answer(&result, &out, &said, key, is);
	str_release(&out);
	str_release(&said);
	return err;
}
