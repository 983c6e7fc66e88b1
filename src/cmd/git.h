/*
 * git - the few things that init asks the git program for.
 */
#ifndef GIT_H
#define GIT_H

#include <stdbool.h>

#include "err.h"
#include "str.h"

/* A value as git sees it, appended; nothing when it is not set. */
const struct err *git_config_get(struct str *value, const char *repo,
    const char *key);

/* The same for a path: "~/" becomes the home folder. */
const struct err *git_config_path(struct str *value, const char *repo,
    const char *key);

/*
 * Set a value in the repository's own config unless it is that already;
 * "*changed" tells.
 */
const struct err *git_config_set(const char *repo, const char *key,
    const char *value, bool *changed);

/* Add a value to a key that may have several, unless it is there. */
const struct err *git_config_add(const char *repo, const char *key,
    const char *value, bool *changed);

/* Make an empty bare repository. */
const struct err *git_init_bare(const char *repo, const char *branch);

/* True through "*is" when "path" is a bare repository's own folder. */
const struct err *git_is_bare(const char *path, bool *is);

#endif
