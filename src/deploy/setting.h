/*
 * setting - what git takes a boolean of its configuration for, in a hook.
 *
 * git reads several files, what "git -c" and the environment say, keys
 * without a value, and numbers. It is asked itself, with the environment of
 * the hook, which is that of the receive-pack that runs it: the answer is
 * what receive-pack goes by.
 */
#ifndef SETTING_H
#define SETTING_H

#include <stdbool.h>

#include "err.h"

/* "*is" is false when it is not set. Starts git: not for every push. */
const struct err *setting_is_on(const char *repo, const char *key,
    bool *is);

#endif
