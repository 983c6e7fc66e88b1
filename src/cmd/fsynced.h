/*
 * fsynced - what git has on the disk before it goes on, by core.fsync.
 *
 * The value is a list of parts and of names for several of them; "-" before
 * one takes it out of what git does by itself, and "none" takes out all of
 * that. See git-config(1).
 */
#ifndef FSYNCED_H
#define FSYNCED_H

#include <stdbool.h>

/* True when git would do with "value" all that it does with "wanted". */
bool fsynced_covers(const char *value, const char *wanted);

#endif
