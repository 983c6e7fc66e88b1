/*
 * Not through a pipe, which proc_run() would fill with both.
 */
#include <sys/mman.h>

#include <unistd.h>

#include "file.h"
#include "proc.h"

/* The most that is kept of what is said on stderr, in bytes. */
#define SAID_MAX 4096

static const struct err *
keep(const char *bytes, size_t len, void *ctx)
{
	struct str *said = ctx;

	if (said->len < SAID_MAX)
		str_add_bytes(said, bytes, len);
	return NULL;
}

const struct err *
proc_ask(struct proc_result *result, const struct proc_spec *spec,
    struct str *out, size_t limit_bytes, struct str *said)
{
	struct proc_spec asked = *spec;
	const struct err *err;

	*result = (struct proc_result){ .exit_status = -1 };
	asked.out_fd = memfd_create("answer", MFD_CLOEXEC);
	if (asked.out_fd == -1)
		return err_system("create a memory file");
	err = proc_run(result, &asked, keep, said);
	if (err == NULL && lseek(asked.out_fd, 0, SEEK_SET) == -1)
		err = err_system("lseek");
	if (err == NULL)
		err = file_read_fd(out, asked.out_fd, limit_bytes);
	file_close(&asked.out_fd);
	str_trim_end(said);
	return err;
}
