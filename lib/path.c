#include "path.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "str.h"

char *
path_join(const char *dir, const char *name)
{
	return xasprintf("%s%s%s", dir, str_ends_with(dir, "/") ? "" : "/",
	    name);
}

const char *
path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

char *
path_dir(const char *path)
{
	const char *end = strrchr(path, '/');

	if (end == NULL)
		return xstrdup(".");
	while (end > path && end[-1] == '/')
		end--;
	return end == path ? xstrdup("/") :
	    xstrndup(path, (size_t)(end - path));
}

bool
path_is_within(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' ||
	    path[len] == '\0' || str_ends_with(folder, "/"));
}

static bool
is_dots(const char *name, size_t len)
{
	return (len == 1 && name[0] == '.') ||
	    (len == 2 && name[0] == '.' && name[1] == '.');
}

bool
path_is_beneath(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (len == 0 || is_dots(path, len))
			return false;
		path += len;
		if (*path == '\0' || path[1] == '\0')
			return true;
		path++;
	}
}

/*
 * HFS+ drops these characters from a name, so that a name with them in it
 * is the same file as the one without.
 */
static bool
is_ignorable(long c)
{
	return (c >= 0x200c && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x206a && c <= 0x206f) || c == 0xfeff;
}

/*
 * The first bytes of a name as the most forgiving file system sees them:
 * without ignorable characters, in lower case. Returns how many bytes of
 * the name went into that.
 */
static size_t
fold(char *out, size_t size, const char *name, size_t len)
{
	size_t n = 0, used = 0, step;

	while (used < len && n + 1 < size) {
		long c = str_decode(name + used, len - used, &step);

		if (!is_ignorable(c)) {
			out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) :
			    c > 0 && c < 128 ? (char)c : '?';
		}
		used += step;
	}
	out[n] = '\0';
	return used;
}

/* NTFS drops dots and spaces at the end; a colon begins a stream there. */
static bool
is_tail(const char *tail, size_t len)
{
	for (size_t i = 0, step; i < len; i += step) {
		long c = str_decode(tail + i, len - i, &step);

		if (c == ':')
			return true;
		if (c != '.' && c != ' ' && !is_ignorable(c))
			return false;
	}
	return true;
}

static bool
is_dot_git(const char *name, size_t len)
{
	static const char *const spellings[] = { ".git", "git~1" };
	char folded[8];

	for (size_t i = 0; i < 2; i++) {
		size_t used = fold(folded, strlen(spellings[i]) + 1, name,
		    len);

		if (strcmp(folded, spellings[i]) == 0 &&
		    is_tail(name + used, len - used))
			return true;
	}
	return false;
}

bool
path_is_component(const char *name, size_t len)
{
	return len > 0 && len <= NAME_MAX && !is_dots(name, len) &&
	    memchr(name, '/', len) == NULL &&
	    memchr(name, '\0', len) == NULL && !is_dot_git(name, len);
}

size_t
path_depth(const char *path)
{
	size_t n = 0;

	while (*path != '\0') {
		path += strspn(path, "/");
		n += *path != '\0';
		path += strcspn(path, "/");
	}
	return n;
}

const struct err *
path_of_program(char **dir)
{
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	*dir = NULL;
	if (len == -1)
		return err_system("read /proc/self/exe");
	exe[len] = '\0';
	*dir = path_dir(exe);
	return NULL;
}
