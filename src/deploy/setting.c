#include "deploy/setting.h"

#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "str.h"

/* How long git may take to read its configuration. */
#define TIMEOUT_MS (60 * 1000)

#define OUTPUT_MAX 4096

static const struct err *
keep(const char *bytes, size_t len, void *ctx)
{
	struct str *out = ctx;

	if (out->len < OUTPUT_MAX)
		str_add_bytes(out, bytes, len);
	return NULL;
}

const struct err *
setting_is_on(const char *repo, const char *key, bool *is)
{
	const char *argv[] = { "git", "-C", repo, "config", "--type=bool",
	    "--get", key, NULL };
	struct proc_spec spec = PROC_SPEC_INIT;
	struct str out = STR_INIT;
	struct proc_result result;
	const struct err *err;

	*is = false;
	spec.argv = argv;
	spec.env = (const char *const *)environ;
	spec.timeout_ms = TIMEOUT_MS;
	err = proc_run(&result, &spec, keep, &out);
	str_trim_end(&out);
	/* 1: it is not set. */
	if (err == NULL && result.exit_status != 0 && result.exit_status != 1)
		err = err_new(ERR_GIT, "git config %s: %s", key, out.s);
	if (err == NULL)
		*is = strcmp(out.s, "true") == 0;
	str_release(&out);
	return err;
}
