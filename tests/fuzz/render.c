/*
 * The event log of a deploy, rendered: whatever its lines are, what comes
 * out is whole lines that no terminal obeys, and the same each time.
 */
#include "report/render.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void
render_all(const char *bytes, size_t len, struct str *out)
{
	struct render *render = render_new("/srv/git/shop.git");

	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end == NULL ? len : (size_t)(end - bytes);

		render_line(render, bytes, n, out);
		assert(out->len == 0 || out->s[out->len - 1] == '\n');
		assert(render_state(render) != NULL);
		/* One that leads on to another is over. */
		assert(render_superseded_by(render) == 0 ||
		    render_is_over(render));
		n += end != NULL;
		bytes += n;
		len -= n;
	}
	render_free(render);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str once = STR_INIT, again = STR_INIT;
	char *bytes = fuzz_copy(data, size);

	render_all(bytes, size, &once);
	assert(strlen(once.s) == once.len);
	assert(fuzz_is_safe(once.s, once.len, true));
	render_all(bytes, size, &again);
	assert(strcmp(once.s, again.s) == 0);
	str_release(&once);
	str_release(&again);
	free(bytes);
	return 0;
}
