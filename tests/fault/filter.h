/*
 * filter - which system calls a traced process stops at.
 *
 * The filter is inherited, and cannot be taken off: a process that it is
 * set for, and all that it starts, must be traced until they end.
 */
#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>

#include "inject.h"

/*
 * Stop this process at the calls that may count for "order", perhaps at
 * some more, and never at one of another kind. False sets errno.
 */
bool filter_set(const struct order *order);

#endif
