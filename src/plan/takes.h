/*
 * takes - which refs an environment deploys: its branches and its tags.
 *
 * "branch" and "tags" of slipway.ini are names, or patterns in which a '*'
 * stands for any text, slashes too. Where several refs match, each push to
 * one of them is deployed, the newest last.
 */
#ifndef TAKES_H
#define TAKES_H

#include <stdbool.h>

#include "plan/config.h"
#include "str.h"

bool takes_is_pattern(const char *text);

/* True for a full ref name that is deployed when it is pushed. */
bool takes_ref(const struct environment *env, const char *ref);

/* The same for the name of a branch, without refs/heads/. */
bool takes_branch(const struct environment *env, const char *branch);

/* True where pushes to more than one ref are deployed. */
bool takes_several(const struct environment *env);

/* True when at least one environment takes it. */
bool takes_any(const struct config *config, const char *ref);

/* Append "main", "main, fix-*" or "fix-*, tags v*". */
void takes_add(struct str *out, const struct environment *env);

/* Append "branch main" or "tag v1" for refs of these kinds, else the ref. */
void takes_add_ref(struct str *out, const char *ref);

#endif
