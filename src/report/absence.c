#include "report/absence.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "file.h"
#include "report/line.h"

/* A longer log of the runners is not searched for its last line. */
#define RUNNER_LOG_MAX (16 * 1024 * 1024)

const struct err *
absence_error(const struct hub *hub, int64_t deploy)
{
	char *path = hub_file(hub, "slipway/log/runner.log");
	struct str text = STR_INIT, last = STR_INIT;
	const struct err *err;
	const char *line;
	struct statvfs fs;

	err = file_read(&text, path, RUNNER_LOG_MAX);
	str_trim_end(&text);
	line = strrchr(text.s, '\n');
	if (err == NULL && text.len > 0) {
		str_add(&last, ": ");
		line_text(&last, line == NULL ? text.s : line + 1);
	}
	if (last.len == 0 && statvfs(hub->path, &fs) == 0 &&
	    fs.f_blocks != 0 && fs.f_bavail == 0)
		str_add(&last, ": the disk is full");
	err = err_new(ERR_FAILED, "deploy %" PRId64 " does not go on: no"
	    " runner stays alive%s; see %s", deploy, last.s, path);
	str_release(&text);
	str_release(&last);
	free(path);
	return err;
}

void
absence_last_word(struct str *out, const struct hub *hub,
    const struct deploy *deploy)
{
	str_addf(out, "%sdeploy %" PRId64 " is %s",
	    deploy_outcome(deploy) == NULL ? "" : "error: ", deploy->number,
	    deploy_state_name(deploy->state));
	if (deploy->error != NULL) {
		str_add(out, ": ");
		line_text(out, deploy->error);
	}
	str_addf(out, "\n  its log       is incomplete, see: slipway show %"
	    PRId64 " -C ", deploy->number);
	str_add(out, hub->word);
	str_addch(out, '\n');
}
