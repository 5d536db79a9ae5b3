/* SPDX-License-Identifier: MIT */
/*
 * jump: who wants to go through a jump host puts a tunnel into its queue and waits for the
 * answer; the pump logs in, takes tunnels from the queue and never waits for one of
 * them. When the login fails or is lost, all of them hear of it at once.
 */
#include "transport/jump.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/thread.h"
#include "transport/link.h"
#include "transport/packet_size.h"
#include "transport/pool.h"
#include "transport/transport.h"
#include "transport/tunnel.h"

#define PUMP_STACK ((size_t)512 << 10)
#define GRACE_MS 500		    /* for the login to say itself why it is late */
#define BUDGET ((size_t)256 << 10)  /* bytes to be sent that libssh is given at once */
#define MAX_WAIT_MS 1000	    /* as in link.c */
#define PROHIBITED 1		    /* SSH_OPEN_ADMINISTRATIVELY_PROHIBITED of RFC 4254 */

/* Who waits for a tunnel; on its own stack. */
struct asker {
	enum { ASK_WAITING, ASK_OPEN, ASK_FAILED } answer;
	bool beyond, late;
	struct err why;
	struct argv notes;
};

struct jump {
	struct pool *pool;
	struct proxy_hop hop; /* as ProxyJump has it */
	const struct ssh_config *config;
	const char *way; /* the ProxyJump that leads to it, borrowed; NULL: none */
	bool accept_new;
	int64_t until;	 /* of its login */
	pthread_t pump;
	int wake; /* the pump, from its poll() */

	/* of the list's lock */
	unsigned holders;
	bool gone; /* lost: nobody finds it any more */
	struct jump *waits_for; /* while it logs in through that one */

	pthread_mutex_t lock; /* for what follows, and for each tunnel's asker */
	pthread_cond_t answered;
	struct tunnel **asked; /* not yet taken by the pump */
	size_t n_asked;
	bool up, lost, quit;
	bool beyond, late; /* lost, and how */
	struct err why;
	struct argv notes; /* of its login, until somebody has them who can tell them */

	/* the pump's own */
	struct link link;
	struct tunnel **tunnels;
	size_t n_tunnels, first; /* `first` has its turn first */
};

void
jumps_init(struct jumps *all)
{
	*all = (struct jumps){ 0 };
	pthread_mutex_init(&all->lock, NULL);
}

/* Take it out of the list, whose lock is held. */
static void
forget(struct jumps *all, const struct jump *j)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->at[i] == j)
			all->at[i--] = all->at[--all->n];
}

static void
wake(const struct jump *j)
{
	const uint64_t one = 1;

	(void)file_write_all(j->wake, (struct bytes){ &one, sizeof(one) });
}

/* j->lock is held. */
static void
answer(struct jump *j, struct tunnel *t, const struct asker *what)
{
	struct asker *asker = t->asker;

	if (asker) {
		*asker = *what;
		asker->notes = j->notes;
		j->notes = (struct argv){ 0 };
	}
	t->asker = NULL;
	pthread_cond_broadcast(&j->answered);
}

/* The code and the words of "Channel opening failure: channel 43 error (2) Connection refused". */
static int
refusal_code(const char *text, const char **words)
{
	const char *p = strstr(text, " error (");
	char *end;
	long code;

	if (!p)
		return 0;
	code = strtol(p + strlen(" error ("), &end, 10);
	if (*end != ')' || code < 1 || code > 99)
		return 0;
	*words = end[1] == ' ' ? end + 2 : "";
	return (int)code;
}

/*
 * libssh keeps the words of the last refusal only. Where several came at once it is not known whose
 * they are: then there are none.
 */
static void
refuse(struct jump *j, struct tunnel *t, size_t n_refused)
{
	struct asker no = { .answer = ASK_FAILED };
	const char *words = "";
	int code = refusal_code(ssh_get_error(j->link.session), &words);

	if (n_refused > 1) {
		code = 0;
		words = "";
	}
	if (code == PROHIBITED)
		err_set(&no.why, ERR_HOST,
		    "jump host %s lets nobody through to %s, port %u (%s): see AllowTcpForwarding "
		    "and PermitOpen there",
		    j->hop.host, t->host, t->port, words);
	else
		err_set(&no.why, ERR_AWAY, "jump host %s: cannot connect to %s, port %u%s%s",
		    j->hop.host, t->host, t->port, *words ? ": " : "", words);
	HOLD(&j->lock);
	answer(j, t, &no);
	t->over = true;
}

static void
open_tunnels(struct jump *j)
{
	const struct asker yes = { .answer = ASK_OPEN };
	struct tunnel **refused = mem_alloc(j->n_tunnels, sizeof(struct tunnel *));
	size_t n_refused = 0;

	for (size_t i = 0; i < j->n_tunnels; i++) {
		struct tunnel *t = j->tunnels[i];
		int rc = t->is_open ? SSH_AGAIN : tunnel_open(t, j->link.session);

		if (rc == SSH_ERROR)
			refused[n_refused++] = t;
		if (rc != SSH_OK)
			continue;
		HOLD(&j->lock);
		t->over = !t->asker; /* nobody waits for it any more */
		answer(j, t, &yes);
	}
	for (size_t i = 0; i < n_refused && !link_is_dead(&j->link); i++)
		refuse(j, refused[i], n_refused);
	free(refused);
}

static void
carry(struct jump *j)
{
	bool pending = ssh_get_poll_flags(j->link.session) & SSH_WRITE_PENDING;
	size_t budget = pending ? 0 : BUDGET;

	j->first++;
	for (size_t i = 0; i < j->n_tunnels; i++) {
		struct tunnel *t = j->tunnels[(j->first + i) % j->n_tunnels];

		if (t->is_open && !t->over)
			tunnel_carry(t, &budget);
	}
}

static void
sweep(struct jump *j)
{
	for (size_t i = 0; i < j->n_tunnels; i++) {
		if (!j->tunnels[i]->over)
			continue;
		tunnel_free(j->tunnels[i]);
		j->tunnels[i--] = j->tunnels[--j->n_tunnels];
	}
}

/* Until there is something to do; a tunnel whose other end was closed is over. */
static void
wait_for_news(struct jump *j)
{
	bool pending = ssh_get_poll_flags(j->link.session) & SSH_WRITE_PENDING;
	struct pollfd *p = mem_alloc(j->n_tunnels + 2, sizeof(*p));

	p[0] = (struct pollfd){ .fd = j->link.fd, .events = pending ? POLLIN | POLLOUT : POLLIN };
	p[1] = (struct pollfd){ .fd = j->wake, .events = POLLIN };
	for (size_t i = 0; i < j->n_tunnels; i++) {
		struct tunnel *t = j->tunnels[i];

		p[i + 2].fd = t->is_open ? t->fd : -1;
		p[i + 2].events = t->is_open ? tunnel_events(t, !pending) : 0;
	}
	link_unblock(&j->link);
	if (poll(p, (nfds_t)j->n_tunnels + 2, MAX_WAIT_MS) > 0)
		for (size_t i = 0; i < j->n_tunnels; i++)
			if ((p[i + 2].revents & (POLLHUP | POLLERR)) &&
			    !(p[i + 2].revents & POLLIN))
				j->tunnels[i]->over = true;
	free(p);
}

/* False: nobody wants it any more. */
static bool
take_asked(struct jump *j)
{
	HOLD(&j->lock);
	uint64_t count;

	(void)!read(j->wake, &count, sizeof(count));
	for (size_t i = 0; i < j->n_asked; i++) {
		struct tunnel **place =
		    mem_push(&j->tunnels, &j->n_tunnels, sizeof(struct tunnel *));

		*place = j->asked[i];
	}
	j->n_asked = 0;
	return !j->quit;
}

static void
pump(struct jump *j)
{
	packet_size_watch();
	while (take_asked(j)) {
		link_pump(&j->link);
		open_tunnels(j);
		carry(j);
		sweep(j);
		if (link_is_dead(&j->link))
			return;
		wait_for_news(j);
	}
}

/*
 * Tell all who wait, and those behind it by closing their sockets. Nobody finds it any more
 * before that: who connects again then, logs in anew.
 */
static void
lose(struct jump *j, const struct asker *no)
{
	struct jumps *all = pool_jumps(j->pool);

	mem_lock(&all->lock);
	j->gone = true;
	pthread_mutex_unlock(&all->lock);
	(void)take_asked(j);
	HOLD(&j->lock);
	j->lost = true;
	j->beyond = no->beyond;
	j->late = no->late;
	j->why = no->why;
	for (size_t i = 0; i < j->n_asked; i++) { /* asked since */
		answer(j, j->asked[i], no);
		tunnel_free(j->asked[i]);
	}
	j->n_asked = 0;
	for (size_t i = 0; i < j->n_tunnels; i++) {
		answer(j, j->tunnels[i], no);
		tunnel_free(j->tunnels[i]);
	}
	j->n_tunnels = 0;
}

/* The jump host before it, a program that carries it, or nobody knows. */
static void
say_why_lost(struct jump *j, struct err *why)
{
	AUTO(str_done) struct str text = { 0 };

	if (!jump_is_lost(j->link.jump, &text)) {
		str_add(&text, "connection lost");
		proxy_quote(&j->link.proxy, &text);
	}
	err_set(why, ERR_AWAY, "%s", str_text(&text));
}

/* The notes are for those who ask now. */
static void
show_notes(struct jump *j, const struct argv *notes, bool up)
{
	HOLD(&j->lock);
	for (size_t i = 0; i < notes->n; i++)
		argv_addf(&j->notes, "jump host %s: %s", j->hop.host, notes->at[i]);
	j->up = up;
}

static void *
pump_main(void *arg)
{
	struct jump *j = arg;
	AUTO(argv_done) struct argv notes = { 0 };
	struct asker no = { .answer = ASK_FAILED };
	const struct attempt a = {
		.link = &j->link,
		.pool = j->pool,
		.config = j->config,
		.address = j->hop.host,
		.user = j->hop.user,
		.port = j->hop.port,
		.jump = j->way,
		.until = j->until,
		.accept_new = j->accept_new,
		.notes = &notes,
		.beyond = &no.beyond,
	};
	bool up = link_connect(&a, &no.why);

	show_notes(j, &notes, up);
	if (up) {
		pump(j);
		say_why_lost(j, &no.why);
	} else {
		no.late = clock_left(j->until) == 0;
	}
	err_wrap(&no.why, "jump host %s", j->hop.host);
	lose(j, &no);
	link_end(&j->link);
	return NULL;
}

static void
jump_free(struct jump *j)
{
	link_done(&j->link);
	fd_drop(&j->wake);
	pthread_cond_destroy(&j->answered);
	pthread_mutex_destroy(&j->lock);
	proxy_hop_done(&j->hop);
	argv_done(&j->notes);
	free(j->asked);
	free(j->tunnels);
	free(j);
}

static struct jump *
jump_new(const struct attempt *a, const struct ssh_config *config, const char *way)
{
	struct jump *j = mem_alloc(1, sizeof(*j));

	j->pool = a->pool;
	proxy_hop_parse(a->jump, &j->hop);
	j->config = config;
	j->way = j->hop.before ? j->hop.before : way;
	j->until = a->until;
	j->accept_new = a->accept_new;
	j->link.fd = j->link.lent = -1;
	j->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	j->holders = 1;
	pthread_mutex_init(&j->lock, NULL);
	clock_cond_init(&j->answered);
	return j;
}

/* The one that this attempt is to go through, held; begun if there is none. The list's lock is held. */
static struct jump *
find_or_start(struct jumps *all, const struct attempt *a, const struct ssh_config *config,
    const char *way, struct err *e)
{
	struct jump **place, *j;
	int code;

	for (size_t i = 0; i < all->n; i++) {
		j = all->at[i];
		if (j->gone || j->config != config || !str_equal(j->way, way))
			continue;
		j->holders++;
		return j;
	}
	j = jump_new(a, config, way);
	code = j->wake < 0 ? errno : thread_start(&j->pump, PUMP_STACK, pump_main, j);
	if (code != 0) {
		err_errno(e, ERR_HOST, code, "no thread for jump host %s", j->hop.host);
		jump_free(j);
		return NULL;
	}
	place = mem_push(&all->at, &all->n, sizeof(struct jump *));
	*place = j;
	return j;
}

/* Whose link this is, if it is a jump host's own. The list's lock is held. */
static struct jump *
owner_of(const struct jumps *all, const struct link *l)
{
	for (size_t i = 0; i < all->n; i++)
		if (&all->at[i]->link == l)
			return all->at[i];
	return NULL;
}

/* `me` would wait for itself. The list's lock is held. */
static bool
is_circle(const struct jump *me, const struct jump *j)
{
	while (j && j != me)
		j = j->waits_for;
	return me && j == me;
}

static struct jump *
hold(const struct attempt *a, struct err *e)
{
	AUTO(proxy_hop_done) struct proxy_hop hop = { 0 };
	struct transport_spec spec = { 0 };
	const struct ssh_config *config;
	struct jumps *all = pool_jumps(a->pool);
	struct jump *me, *j;

	proxy_hop_parse(a->jump, &hop);
	spec.address = hop.host;
	spec.user = hop.user;
	spec.port = hop.port;
	config = pool_settings(a->pool, &spec, e);
	if (!config) {
		err_wrap(e, "jump host %s", hop.host);
		return NULL;
	}
	HOLD(&all->lock);
	me = owner_of(all, a->link);
	j = find_or_start(all, a, config, hop.before ? hop.before : config->proxy_jump, e);
	if (j && is_circle(me, j)) {
		err_set(e, ERR_HOST, "jump host %s: its ProxyJump leads in a circle", hop.host);
		j->holders--; /* it waits for us, so we were not the only one */
		return NULL;
	}
	if (j && me)
		me->waits_for = j;
	return j;
}

/* The attempt's link waits no more. */
static void
wait_no_more(const struct attempt *a)
{
	struct jumps *all = pool_jumps(a->pool);
	struct jump *me;

	HOLD(&all->lock);
	me = owner_of(all, a->link);
	if (me)
		me->waits_for = NULL;
}

/* Put a tunnel into the queue; at once answered where it is too late. The lock is held. */
static void
ask(struct jump *j, struct tunnel *t)
{
	struct tunnel **place;

	if (!j->lost) {
		place = mem_push(&j->asked, &j->n_asked, sizeof(struct tunnel *));
		*place = t;
		wake(j);
		return;
	}
	answer(j, t,
	    &(struct asker){ ASK_FAILED, .beyond = j->beyond, .late = j->late, .why = j->why });
	tunnel_free(t);
}

/* To the answer, or till it is too late: then the pump will find out. The lock is held. */
static void
wait_for_answer(struct jump *j, struct tunnel *t, struct asker *me, int64_t until)
{
	while (me->answer == ASK_WAITING && clock_left(until + (j->up ? 0 : GRACE_MS)) > 0)
		clock_cond_wait(&j->answered, &j->lock, until + (j->up ? 0 : GRACE_MS));
	if (me->answer != ASK_WAITING)
		return;
	t->asker = NULL;
	me->answer = ASK_FAILED;
	if (j->up)
		err_set(&me->why, ERR_AWAY, "jump host %s: no connection to %s, port %u, in time",
		    j->hop.host, t->host, t->port);
	else
		err_set(&me->why, ERR_AWAY, "jump host %s: no answer in time", j->hop.host);
}

static bool
go_through(struct jump *j, const struct attempt *a, struct asker *me, int *out_fd)
{
	int ends[2];
	struct tunnel *t;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return err_errno(&me->why, ERR_HOST, errno, "no socket for jump host %s",
		    j->hop.host);
	t = tunnel_new(a->config->hostname, a->config->port, ends[1]);
	t->asker = me;
	mem_lock(&j->lock);
	ask(j, t);
	wait_for_answer(j, t, me, a->until);
	pthread_mutex_unlock(&j->lock);
	if (me->answer == ASK_OPEN)
		*out_fd = ends[0];
	else
		close(ends[0]);
	return me->answer == ASK_OPEN;
}

bool
jump_reach(const struct attempt *a, bool *beyond, int *out_fd, struct err *e)
{
	for (;;) {
		struct asker me = { 0 };
		struct jump *j = hold(a, e);
		bool ok = j && go_through(j, a, &me, out_fd);

		argv_add_all(a->notes, &me.notes);
		argv_done(&me.notes);
		wait_no_more(a);
		if (ok) {
			jump_release(a->link->jump);
			a->link->jump = j;
			return true;
		}
		if (!j)
			return false;
		jump_release(j);
		if (me.late && clock_left(a->until) > 0)
			continue; /* the time of who was first, not ours */
		*beyond = me.beyond;
		if (e)
			*e = me.why;
		return false;
	}
}

bool
jump_is_lost(struct jump *j, struct str *out)
{
	if (!j)
		return false;
	HOLD(&j->lock);
	if (j->lost)
		str_add(out, j->why.text);
	return j->lost;
}

/* End its login, and it. */
static void
end(struct jump *j)
{
	mem_lock(&j->lock);
	j->quit = true;
	pthread_mutex_unlock(&j->lock);
	wake(j);
	pthread_join(j->pump, NULL);
	jump_free(j);
}

void
jump_release(struct jump *j)
{
	struct jumps *all = j ? pool_jumps(j->pool) : NULL;
	bool useless;

	if (!j)
		return;
	mem_lock(&all->lock);
	useless = --j->holders == 0 && j->gone;
	if (useless)
		forget(all, j);
	pthread_mutex_unlock(&all->lock);
	if (useless)
		end(j);
}

/* One that nobody holds, out of the list; NULL if there is none. */
static struct jump *
take_unheld(struct jumps *all)
{
	HOLD(&all->lock);
	for (size_t i = 0; i < all->n; i++) {
		struct jump *j = all->at[i];

		if (j->holders > 0)
			continue;
		forget(all, j);
		return j;
	}
	return NULL;
}

/* One that leads to another holds that. */
void
jumps_done(struct jumps *all)
{
	struct jump *j;

	while ((j = take_unheld(all)) != NULL)
		end(j);
	free(all->at);
	pthread_mutex_destroy(&all->lock);
}
