/*
 * path - names of files, without touching the disk.
 */
#ifndef PATH_H
#define PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/* "DIR/NAME", given; DIR may end with a slash. */
char *path_join(const char *dir, const char *name);

/* What follows the last slash, lent from "path". */
const char *path_base(const char *path);

/* What precedes the last slash, given; "." without one, "/" for "/x". */
char *path_dir(const char *path);

/*
 * True for a path that stays beneath the folder it is joined to: not
 * empty, not absolute, no empty, "." or ".." component, no NUL.
 * One slash at the end is allowed.
 */
bool path_is_beneath(const char *path);

/*
 * True for one component that is safe to create: not empty, not "." or
 * "..", no slash, at most 255 bytes, and not ".git" in any spelling that
 * some file system takes for it (upper case, trailing dots and spaces,
 * "git~1", ignorable Unicode).
 */
bool path_is_component(const char *name, size_t len);

/* True for the folder itself and what is in it, by their words alone. */
bool path_is_within(const char *path, const char *folder);

/* How many components: 1 for "a" and "a/", 3 for "a/b/c". */
size_t path_depth(const char *path);

/*
 * The absolute path of the folder of the running program, given: where the
 * sister programs are. ERR_SYSTEM without /proc.
 */
const struct err *path_of_program(char **dir);

#endif
