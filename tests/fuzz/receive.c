/*
 * What git tells its hooks on their standard input: a push that is taken
 * has the refs of every line, and says the same when it is written down.
 */
#include "deploy/receive.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "repo.h"

static void
check_ref(const struct push_ref *ref)
{
	assert(repo_is_oid(ref->old) && repo_is_oid(ref->new));
	assert(*ref->ref != '\0' && strpbrk(ref->ref, " \n") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct push push = PUSH_INIT, again = PUSH_INIT;
	struct str written = STR_INIT;
	char *text = fuzz_copy(data, size);
	const struct err *err;

	err = receive_parse(&push, text, size);
	assert(err == NULL || err->code == ERR_PROTOCOL ||
	    err->code == ERR_REFUSED);
	for (size_t i = 0; i < push.n_refs; i++) {
		check_ref(&push.refs[i]);
		str_addf(&written, "%s %s %s\n", push.refs[i].old,
		    push.refs[i].new, push.refs[i].ref);
	}
	/* Nothing was passed over, but a newline at the end that lacks. */
	if (err == NULL)
		assert((written.len == size || written.len == size + 1) &&
		    memcmp(written.s, text, size) == 0);
	assert(receive_parse(&again, written.s, written.len) == NULL);
	assert(again.n_refs == push.n_refs);
	push_release(&push);
	push_release(&again);
	str_release(&written);
	free(text);
	return 0;
}
