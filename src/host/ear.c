#include "host/ear.h"

#include <errno.h>
#include <sys/epoll.h>

#include "file.h"

/* Nothing that comes after nonsense can be understood. */
static bool
go_deaf(struct agent *agent)
{
	message_release(&agent->ahead);
	str_clear(&agent->reader.buf);
	agent->reader.start = 0;
	agent->reader.closed = true;
	return true;
}

/* What was read so far: "stop", or a request that has to wait? */
static bool
take(struct agent *agent)
{
	const struct err *err;
	bool whole, closed;

	err = message_take(&agent->ahead, &agent->reader, &whole, &closed);
	if (err != NULL)
		return go_deaf(agent);
	if (!whole)
		return closed;
	agent->is_ahead = !verb_is_stop(&agent->ahead);
	if (agent->is_ahead)
		return false;
	message_release(&agent->ahead);
	return true;
}

/* One request that waits is enough; from then on only the end is heard. */
static int
watch(const struct ear *ear, int how)
{
	struct epoll_event event = {
		.events = ear->agent->is_ahead ? EPOLLRDHUP :
		    EPOLLRDHUP | EPOLLIN,
	};

	return epoll_ctl(ear->fd, how, ear->agent->in_fd, &event);
}

const struct err *
ear_open(struct ear *ear, struct agent *agent)
{
	const struct err *err = NULL;

	ear->agent = agent;
	ear->stopped = take(agent);
	ear->fd = epoll_create1(EPOLL_CLOEXEC);
	if (ear->fd == -1)
		return err_system("epoll_create");
	if (watch(ear, EPOLL_CTL_ADD) == 0)
		return NULL;
	if (errno != EPERM)
		err = err_system("epoll_ctl");
	file_close(&ear->fd);
	return err;
}

void
ear_close(struct ear *ear)
{
	file_close(&ear->fd);
}

bool
ear_hears_stop(void *ctx)
{
	struct ear *ear = ctx;
	struct agent *agent = ear->agent;
	struct epoll_event event;

	if (epoll_wait(ear->fd, &event, 1, 0) != 1)
		return false;
	if ((event.events & ~(uint32_t)EPOLLIN) != 0)
		return true;
	if (pkt_fill(&agent->reader, agent->in_fd) != NULL || take(agent))
		return true;
	if (agent->is_ahead)
		watch(ear, EPOLL_CTL_MOD);
	return false;
}
