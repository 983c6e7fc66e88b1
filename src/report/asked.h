/*
 * asked - a line for a directive, as the event log has it.
 *
 *	  -updb-  2800b5a (message)
 *	warning: -udpb- (2800b5a): no action takes it; did you mean -updb-?
 */
#ifndef ASKED_H
#define ASKED_H

#include "json.h"
#include "str.h"

/* Append the line of a "directive" event. */
void asked_add(struct str *out, const struct json_flat *event);

#endif
