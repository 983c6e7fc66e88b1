#include "cmd/gitfile.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "path.h"
#include "str.h"

/* The largest config of a repository that is changed, in bytes. */
#define CONFIG_MAX (4 * 1024 * 1024)

/* A repository needs none. */
static const struct err *
copy(const struct gitfile *file, int fd)
{
	struct str text = STR_INIT;
	const struct err *err = NULL;
	struct stat st;

	if (stat(file->path, &st) == -1)
		return errno == ENOENT ? NULL :
		    err_system("stat %s", file->path);
	err = file_read(&text, file->path, CONFIG_MAX);
	if (err == NULL)
		err = file_write_fd(fd, text.s, text.len);
	if (err == NULL && fchmod(fd, st.st_mode & 07777) == -1)
		err = err_system("chmod %s", file->lock);
	str_release(&text);
	return err;
}

static void
hold_signals(struct gitfile *file)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigprocmask(SIG_BLOCK, &held, &file->before);
}

/* It is ours no more, under that name. */
static void
let_go(struct gitfile *file)
{
	free(file->lock);
	free(file->path);
	file->lock = file->path = NULL;
	sigprocmask(SIG_SETMASK, &file->before, NULL);
}

const struct err *
gitfile_open(struct gitfile *file, const char *repo)
{
	const struct err *err;
	char *path;
	int fd = -1;

	if (file->lock != NULL)
		return NULL;
	path = path_join(repo, "config");
	err = file_resolve(&file->path, path);
	free(path);
	if (err != NULL)
		return err;
	file->lock = xasprintf("%s.lock", file->path);
	hold_signals(file);
	fd = open(file->lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 && errno == EEXIST)
		err = err_new(ERR_BUSY, "%s is there: somebody else changes"
		    " the config, or was killed; then remove it", file->lock);
	else if (fd == -1)
		err = err_system("create %s", file->lock);
	if (fd == -1) {
		let_go(file);
		return err;
	}
	err = copy(file, fd);
	file_close(&fd);
	if (err != NULL)
		gitfile_release(file);
	return err;
}

/* git has replaced the copy, with each change. */
static const struct err *
sync_copy(const struct gitfile *file)
{
	const struct err *err = NULL;
	int fd = open(file->lock, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		err = err_system("open %s", file->lock);
	else if (fsync(fd) == -1)
		err = err_system("fsync %s", file->lock);
	file_close(&fd);
	return err;
}

const struct err *
gitfile_commit(struct gitfile *file)
{
	const struct err *err;
	char *dir;

	if (file->lock == NULL)
		return NULL;
	err = sync_copy(file);
	if (err == NULL && rename(file->lock, file->path) == -1)
		err = err_system("rename %s", file->lock);
	if (err != NULL)
		return err;
	dir = path_dir(file->path);
	let_go(file);
	err = file_sync_dir(AT_FDCWD, dir);
	free(dir);
	return err;
}

void
gitfile_release(struct gitfile *file)
{
	if (file->lock == NULL)
		return;
	unlink(file->lock);
	let_go(file);
}
