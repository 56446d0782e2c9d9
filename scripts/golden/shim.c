// Preloaded into ip, bridge and nft by the capture scripts: writes every datagram of netlink protocol $GOLDEN_PROTOCOL (by default
// rtnetlink) that they send or read to $GOLDEN_LOG, a line each.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>

static int is_wanted(int fd)
{
	const char *wanted = getenv("GOLDEN_PROTOCOL");
	int domain = -1, protocol = -1;
	socklen_t size = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) || domain != AF_NETLINK)
		return 0;
	size = sizeof(int);
	return !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) && protocol == (wanted ? atoi(wanted) : NETLINK_ROUTE);
}

static void record(const char *direction, const struct iovec *iov, size_t count, size_t total)
{
	FILE *log = fopen(getenv("GOLDEN_LOG"), "a");
	if (!log)
		abort();
	fprintf(log, "%s ", direction);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < iov[i].iov_len && total; k++, total--)
			fprintf(log, "%02x", ((const unsigned char *)iov[i].iov_base)[k]);
	fputc('\n', log);
	fclose(log);
}

static size_t length(const struct msghdr *m)
{
	size_t total = 0;
	for (size_t i = 0; i < m->msg_iovlen; i++)
		total += m->msg_iov[i].iov_len;
	return total;
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	ssize_t (*next)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");
	if (is_wanted(fd))
		record("send", m->msg_iov, m->msg_iovlen, length(m));
	return next(fd, m, flags);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_size)
{
	ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "sendto");
	if (is_wanted(fd))
		record("send", &(struct iovec){ (void *)data, size }, 1, size);
	return next(fd, data, size, flags, to, to_size);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	return sendto(fd, data, size, flags, NULL, 0);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	ssize_t (*next)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
	ssize_t got = next(fd, m, flags);
	if (got > 0 && !(flags & MSG_PEEK) && is_wanted(fd))
		record("read", m->msg_iov, m->msg_iovlen, got);
	return got;
}
