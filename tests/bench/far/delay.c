/* SPDX-License-Identifier: MIT */
/*
 * delay MS PORT N SERVER-PORT: the way to N hosts that are MS milliseconds away. Host i is
 * 127.1.(i / 250).(i % 250 + 1), port PORT; who connects to it reaches the server at
 * 127.0.0.1, port SERVER-PORT, which is told by the client's address whose name it goes by.
 * Says "ready" once it listens, and runs until it is killed.
 *
 * All that is read is written MS later, in the order in which it came. Connecting takes a round trip:
 * the kernel lets the client in at once, so the server learns of it three times MS later,
 * when the last packet of a handshake would reach it, together with what the client has
 * sent by then. One delay for all, so one queue is in order of time. One process, one thread.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 256
#define PIECE 65536

enum side { CLIENT, SERVER };

/* One of two sockets that belong together; what epoll knows of either. */
struct end {
	struct pair *pair;
	int fd;
};

struct pair {
	struct end ends[2];
	int n_closed; /* ways that carry nothing any more; with both it is gone */
};

/* What is under way to one end. */
struct parcel {
	struct parcel *next;
	struct end *to;
	long long due_ns;
	size_t len; /* 0: the other end has closed */
	char bytes[];
};

struct queue {
	struct parcel *first, **last;
};

static struct queue data = { .last = &data.first }, calls = { .last = &calls.first };
static long long delay_ns;
static int poller;
static in_port_t server_port;

static void
check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static long long
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void
put(struct queue *q, struct end *to, long long after_ns, const char *bytes, size_t len)
{
	struct parcel *p = malloc(sizeof(*p) + len);

	check(p != NULL, "malloc");
	*p = (struct parcel){ .to = to, .due_ns = now_ns() + after_ns, .len = len };
	if (len > 0)
		memcpy(p->bytes, bytes, len);
	*q->last = p;
	q->last = &p->next;
}

/* The first parcel that is due by now, or NULL; the caller frees it. */
static struct parcel *
take(struct queue *q)
{
	struct parcel *p = q->first;

	if (!p || p->due_ns > now_ns())
		return NULL;
	q->first = p->next;
	if (!p->next)
		q->last = &q->first;
	return p;
}

static void
watch(struct end *e)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = e };

	check(epoll_ctl(poller, EPOLL_CTL_ADD, e->fd, &event) == 0, "epoll_ctl");
}

static struct end *
peer(struct end *e)
{
	return &e->pair->ends[e == &e->pair->ends[CLIENT] ? SERVER : CLIENT];
}

/* Read all that is there, and send it on its way. */
static void
receive(struct end *from, long long after_ns)
{
	static char bytes[PIECE];
	ssize_t n = recv(from->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n == 0)
		epoll_ctl(poller, EPOLL_CTL_DEL, from->fd, NULL);
	if (n >= 0)
		put(&data, peer(from), after_ns, bytes, (size_t)n);
}

static void
hang_up(struct end *e)
{
	struct pair *p = e->pair;

	shutdown(e->fd, SHUT_WR);
	if (++p->n_closed < 2)
		return;
	close(p->ends[CLIENT].fd);
	close(p->ends[SERVER].fd);
	free(p);
}

/* To a peer that is gone nothing can be sent; one that is there has room for all of it. */
static void
deliver(const struct parcel *p)
{
	ssize_t n;

	if (p->len == 0) {
		hang_up(p->to);
		return;
	}
	n = send(p->to->fd, p->bytes, p->len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0 && (size_t)n < p->len) {
		fputs("delay: more than a socket holds\n", stderr);
		exit(1);
	}
}

static int
tcp_socket(void)
{
	const int yes = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	check(fd >= 0, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return fd;
}

/* An address that the client's connection was made to is where the server's comes from. */
static void
call(struct end *server)
{
	struct end *client = peer(server);
	struct sockaddr_in address, far = { .sin_family = AF_INET, .sin_port = server_port };
	socklen_t len = sizeof(address);

	far.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->fd = tcp_socket();
	check(getsockname(client->fd, (struct sockaddr *)&address, &len) == 0, "getsockname");
	address.sin_port = 0;
	check(bind(server->fd, (struct sockaddr *)&address, len) == 0, "bind");
	check(connect(server->fd, (struct sockaddr *)&far, sizeof(far)) == 0, "connect");
	watch(client);
	watch(server);
	receive(client, 0);
}

static void
let_in(int listener)
{
	const int yes = 1;
	struct pair *p = calloc(1, sizeof(*p));
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	check(p != NULL && fd >= 0, "accept");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	p->ends[CLIENT] = (struct end){ p, fd };
	p->ends[SERVER] = (struct end){ p, -1 };
	put(&calls, &p->ends[SERVER], 3 * delay_ns, NULL, 0);
}

static void
listen_as(unsigned i, in_port_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = port };
	struct end *e = calloc(1, sizeof(*e));

	a.sin_addr.s_addr = htonl(127U << 24 | 1U << 16 | i / 250 << 8 | (i % 250 + 1));
	check(e != NULL, "calloc");
	e->fd = tcp_socket();
	check(bind(e->fd, (struct sockaddr *)&a, sizeof(a)) == 0, "bind");
	check(listen(e->fd, 64) == 0, "listen");
	watch(e);
}

static void
wait_for_more(void)
{
	struct epoll_event events[BATCH];
	long long due = data.first ? data.first->due_ns : now_ns() + 1000000000LL, left;
	struct timespec most;
	int n;

	if (calls.first && calls.first->due_ns < due)
		due = calls.first->due_ns;
	left = due - now_ns();
	if (left < 0)
		left = 0;
	most = (struct timespec){ left / 1000000000, left % 1000000000 };
	n = epoll_pwait2(poller, events, BATCH, &most, NULL);
	for (int i = 0; i < n; i++) {
		struct end *e = events[i].data.ptr;

		if (e->pair)
			receive(e, delay_ns);
		else
			let_in(e->fd);
	}
}

int
main(int argc, char **argv)
{
	struct rlimit files;

	if (argc != 5)
		return 2;
	delay_ns = atoi(argv[1]) * 1000000LL;
	server_port = htons((in_port_t)atoi(argv[4]));
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	poller = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < atoi(argv[3]); i++)
		listen_as((unsigned)i, htons((in_port_t)atoi(argv[2])));
	puts("ready");
	fflush(stdout);
	for (struct parcel *p;;) {
		for (; (p = take(&calls)); free(p))
			call(p->to);
		for (; (p = take(&data)); free(p))
			deliver(p);
		wait_for_more();
	}
}
