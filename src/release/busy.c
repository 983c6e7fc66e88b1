/*
 * Who works in a release. A process that started under the old release
 * keeps its folder by inode, and would find it empty after a removal.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "file.h"
#include "release/layout.h"
#include "release/store.h"

static bool
is_pid(const char *name)
{
	return *name != '\0' && strspn(name, "0123456789") == strlen(name) &&
	    strtol(name, NULL, 10) != (long)getpid();
}

/*
 * The release that a link of /proc points into, or NULL. What cannot be
 * read belongs to somebody else's process, or to one that has just ended.
 */
static const char *
find(int proc_fd, const char *pid, const char *link, const char *prefix,
    const struct vec *releases)
{
	char *path = xasprintf("%s/%s", pid, link);
	struct str target = STR_INIT;
	const struct err *err;
	const char *found = NULL;

	err = file_readlink(&target, proc_fd, path);
	free(path);
	if (err == NULL && str_starts_with(target.s, prefix)) {
		char *name = target.s + strlen(prefix);

		name[strcspn(name, "/ ")] = '\0';
		for (size_t i = 0; i < releases->n; i++) {
			if (strcmp(releases->v[i], name) == 0)
				found = releases->v[i];
		}
	}
	str_release(&target);
	return found;
}

static void
add(struct vec *busy, int proc_fd, const char *pid, const char *release)
{
	char *path = xasprintf("%s/comm", pid);
	struct str comm = STR_INIT, shown = STR_INIT;

	if (file_read_at(&comm, proc_fd, path, 64) != NULL)
		str_clear(&comm);
	str_trim_end(&comm);
	str_add_visible(&shown, comm.s, comm.len);
	vec_pushf(busy, "%s %s %s", release, pid,
	    shown.len == 0 ? "?" : shown.s);
	str_release(&comm);
	str_release(&shown);
	free(path);
}

/* The folder as the kernel spells it, with a slash. */
static const struct err *
real_prefix(int dirfd, char **prefix)
{
	char *link = xasprintf("/proc/self/fd/%d", dirfd);
	struct str real = STR_INIT;
	const struct err *err;

	err = file_readlink(&real, AT_FDCWD, link);
	str_addch(&real, '/');
	*prefix = str_detach(&real);
	free(link);
	return err;
}

const struct err *
layout_busy(int dirfd, const struct vec *releases, struct vec *busy)
{
	struct vec names = VEC_INIT;
	const struct err *err;
	int proc_fd = -1;
	char *prefix;

	err = real_prefix(dirfd, &prefix);
	if (err == NULL)
		err = file_list(&names, AT_FDCWD, "/proc");
	if (err == NULL) {
		proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc_fd == -1)
			err = err_system("open /proc");
	}
	for (size_t i = 0; i < names.n && err == NULL; i++) {
		const char *pid = names.v[i];
		const char *release;

		if (!is_pid(pid))
			continue;
		release = find(proc_fd, pid, "cwd", prefix, releases);
		if (release == NULL)
			release = find(proc_fd, pid, "root", prefix,
			    releases);
		if (release != NULL)
			add(busy, proc_fd, pid, release);
	}
	free(prefix);
	file_close(&proc_fd);
	vec_release(&names);
	return err;
}

const struct err *
store_busy(struct store *store, const struct vec *releases,
    struct vec *busy)
{
	return layout_busy(store->releases_fd, releases, busy);
}
