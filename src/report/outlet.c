#include "report/outlet.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

size_t
outlet_waits(const struct outlet *outlet)
{
	return outlet->text.len - outlet->written;
}

bool
outlet_is_full(const struct outlet *outlet)
{
	return outlet_waits(outlet) >= OUTLET_MAX;
}

void
outlet_write(struct outlet *outlet)
{
	size_t len = outlet_waits(outlet);
	ssize_t n;

	n = write(outlet->fd, outlet->text.s + outlet->written,
	    len < PIPE_BUF ? len : PIPE_BUF);
	if (n == -1) {
		outlet->gone = errno != EINTR && errno != EAGAIN;
		return;
	}
	outlet->moved_ms = clock_monotonic_ms();
	outlet->written += (size_t)n;
	len = outlet_waits(outlet);
	if (outlet->written < OUTLET_MAX && len > 0)
		return;
	memmove(outlet->text.s, outlet->text.s + outlet->written, len);
	str_truncate(&outlet->text, len);
	outlet->written = 0;
}
